/// The way to the records: names, colons and commas along the record path, and values beside it.
extension JSONStreamCutter {
    /// Passes white space and one byte of structure outside the records.
    mutating func navigate(_ chunk: JSONChunk, _ start: Int) throws(JSONError) -> Int {
        var i = start
        while i < chunk.count, JSONBytes.isBlank(chunk[i]) { i &+= 1 }
        guard i < chunk.count else { return i }
        let byte = chunk[i]
        switch phase {
        case .value: return try layout == .documents ? beginDocument(chunk, i) : beginValue(chunk, i)
        case .skippedValue:
            switch byte {
            case 0x2C, 0x3A, 0x5D, 0x7D: throw fail(chunk, i, expected: "a value")
            default: return pass(chunk, i, isRecord: false)
            }
        case .memberOrEnd, .member:
            if byte == 0x7D, phase == .memberOrEnd || allowsTrailingCommas { return leave(i) }
            guard byte == 0x22 else {
                throw fail(chunk, i, expected: phase == .member ? "a name in '\"' after ','" : "a name in '\"' or '}'")
            }
            name.removeAll(keepingCapacity: true)
            isEscaped = false
            phase = .name
        case .colon:
            guard byte == 0x3A else { throw fail(chunk, i, expected: "':' after a name") }
            phase = nameMatches ? .value : .skippedValue
        case .elementOrEnd, .element:
            if byte == 0x5D, phase == .elementOrEnd || allowsTrailingCommas { return leave(i) }
            let step = path.steps[frames.count &- 1]
            phase = step.isWildcard || step.index == frames.last?.index ? .value : .skippedValue
            return i
        case .afterValue:
            let inObject = frames.last?.isObject ?? false
            if byte == 0x2C {
                phase = inObject ? .member : .element
                frames[frames.count &- 1].index &+= 1
            } else if byte == (inObject ? 0x7D : 0x5D) {
                return leave(i)
            } else {
                throw fail(
                    chunk, i, expected: inObject ? "',' or '}' after a member" : "',' or ']' after an element")
            }
        default:
            throw failure(
                .trailingContent, "expected nothing after the value, found \(chunk.found(at: i))", chunk, i)
        }
        return i &+ 1
    }

    /// The value is over: what follows depends on what is around it.
    mutating func valueEnded() {
        phase = frames.isEmpty ? (layout == .documents ? .value : .done) : .afterValue
    }

    private mutating func leave(_ i: Int) -> Int {
        frames.removeLast()
        valueEnded()
        return i &+ 1
    }

    private mutating func beginDocument(_ chunk: JSONChunk, _ i: Int) -> Int {
        guard chunk[i] != 0x1E else { return i &+ 1 }
        return pass(chunk, i, isRecord: true)
    }

    /// Begins a value to which the path has led so far.
    private mutating func beginValue(_ chunk: JSONChunk, _ i: Int) throws(JSONError) -> Int {
        let byte = chunk[i]
        let met = frames.count
        deepest = max(deepest, met)
        switch byte {
        case 0x2C, 0x3A, 0x5D, 0x7D: throw fail(chunk, i, expected: "a value")
        default: break
        }
        // Each element of an array that a last wildcard selects is a record: the same as exploding the array.
        let wildcardIsLast = !path.explodes && met &+ 1 == path.steps.count && path.steps[met].isWildcard
        if byte == 0x5B, wildcardIsLast || (path.explodes && met == path.steps.count) {
            isFound = true
            hasElements = false
            skipper = JSONContainerSkipper()
            phase = .records
            return i &+ 1
        }
        if met < path.steps.count {
            guard byte == 0x7B || byte == 0x5B else { return pass(chunk, i, isRecord: false) }
            frames.append(Frame(isObject: byte == 0x7B))
            phase = byte == 0x7B ? .memberOrEnd : .elementOrEnd
            return i &+ 1
        }
        isFound = true
        if path.explodes, byte != 0x7B {
            if byte == 0x6E { return pass(chunk, i, isRecord: false) }
            guard met == 0 else {
                let kind = byte == 0x22 ? "a string" : byte == 0x74 || byte == 0x66 ? "a truth value" : "a number"
                throw failure(
                    .recordPathNotRecords,
                    "record path \(path.text) leads to \(kind), expected an array or an object", chunk, i)
            }
        }
        return pass(chunk, i, isRecord: true)
    }

    /// Begins a value that is passed without looking for more of the path in it.
    private mutating func pass(_ chunk: JSONChunk, _ i: Int, isRecord: Bool) -> Int {
        self.isRecord = isRecord
        if isRecord { _ = beginRecord(chunk, from: i, to: chunk.count) }
        switch chunk[i] {
        case 0x7B, 0x5B:
            skipper = JSONContainerSkipper()
            phase = .container
        case 0x22:
            isEscaped = false
            phase = .string
        default: phase = .scalar
        }
        return i &+ 1
    }

    mutating func passContainer(_ chunk: JSONChunk, _ i: Int, _ records: inout [JSONRecordBounds]) -> Int {
        guard let end = skipper.skip(chunk.base, from: i, to: chunk.count) else { return chunk.count }
        if isRecord { endRecord(at: chunk.start &+ end, &records) }
        valueEnded()
        return end
    }

    mutating func passString(_ chunk: JSONChunk, _ start: Int, _ records: inout [JSONRecordBounds]) -> Int {
        var i = start
        while i < chunk.count {
            let byte = chunk[i]
            i &+= 1
            if isEscaped {
                isEscaped = false
            } else if byte == 0x5C {
                isEscaped = true
            } else if byte == 0x22 {
                if isRecord { endRecord(at: chunk.start &+ i, &records) }
                valueEnded()
                return i
            } else {
                while i &+ 8 <= chunk.count {
                    let word = JSONBytes.load8(chunk.base, i)
                    let stops = (JSONBytes.equal(word, 0x22) | JSONBytes.equal(word, 0x5C)) & JSONBytes.highs
                    i &+= stops == 0 ? 8 : stops.trailingZeroBitCount &>> 3
                    if stops != 0 { break }
                }
            }
        }
        return i
    }

    mutating func passScalar(_ chunk: JSONChunk, _ start: Int, _ records: inout [JSONRecordBounds]) -> Int {
        var i = start
        let inDocuments = layout == .documents
        while i < chunk.count {
            let byte = chunk[i]
            let ends =
                switch byte {
                case 0x20, 0x0A, 0x0D, 0x09: true
                case 0x1E, 0x22, 0x5B, 0x7B: inDocuments
                case 0x2C, 0x5D, 0x7D: !inDocuments
                default: false
                }
            if ends {
                if isRecord { endRecord(at: chunk.start &+ i, &records) }
                valueEnded()
                return i
            }
            i &+= 1
        }
        return i
    }

    /// Collects a name as long as it can be the one on the path.
    mutating func passName(_ chunk: JSONChunk, _ start: Int) -> Int {
        let step = path.steps[frames.count &- 1]
        // An escape spells one byte of a name in six at most.
        let longest = (step.name?.count ?? 0) &* 6
        var i = start
        while i < chunk.count {
            let byte = chunk[i]
            i &+= 1
            if isEscaped {
                isEscaped = false
            } else if byte == 0x5C {
                isEscaped = true
            } else if byte == 0x22 {
                nameMatches = step.isWildcard || nameIs(step.name)
                phase = .colon
                return i
            }
            if name.count <= longest { name.append(byte) }
        }
        return i
    }

    private func nameIs(_ wanted: [UInt8]?) -> Bool {
        guard let wanted, name.contains(0x5C) else { return wanted == name }
        guard case .string(let text)? = try? JSONValue.parse([0x22] + name + [0x22]) else { return false }
        return Array(text.utf8) == wanted
    }
}
