import HeadraceColumnar
import Testing

@Suite struct TextTests {
    /// Texts with white space and letters of one to four bytes.
    static func column(_ count: Int, _ shape: Shape, ascii: Bool = false, _ random: inout SeededRandom) -> ColumnVector
    {
        let pieces = ["a", "B", "z", "Z", "0", "@", "[", "`", "{", " ", "\t", "\n", "-", ", "]
        let wide = ["ß", "é", "ı", "\u{A0}", "\u{2003}", "\u{200B}", "日", "😀", "ŉ", "Σ", "\u{3000}", "\u{85}"]
        let values = (0..<count + 26).map { _ -> Scalar in
            if random.chance(15) { return .null }
            let set = ascii || random.chance(60) ? pieces : pieces + wide
            return .utf8((0..<random.next() % 14).map { _ in set[Int(random.next() % UInt64(set.count))] }.joined())
        }
        let scalars = shape == .sliced || shape == .encodedSlice ? values : Array(values.prefix(count))
        guard var column = ColumnVector.of(.utf8, scalars) else { fatalError("texts that are no texts") }
        if shape.isEncoded, let encoded = Kernels.dictionaryEncoded(column, limit: .max) { column = encoded }
        if shape == .foreign { column = RandomColumns.exactCopy(column) }
        return scalars.count > count ? column.slice(from: 13, count: count) : column
    }

    private func check(
        _ shape: Shape, _ seed: UInt64, _ kernel: (ColumnVector) throws(KernelError) -> ColumnVector,
        _ expected: (String) -> Scalar, _ location: SourceLocation = #_sourceLocation
    ) throws {
        var random = SeededRandom(seed)
        for (count, ascii) in [(0, false), (1, true), (200, true), (200, false)] {
            let column = Self.column(count, shape, ascii: ascii, &random)
            let result = try kernel(column)
            let values = column.scalars.map { value -> Scalar in
                if case .utf8(let text) = value { expected(text) } else { .null }
            }
            #expect(result.scalars == values, sourceLocation: location)
            #expect(result.nullCount == values.count { $0.isNull }, sourceLocation: location)
            if let dictionary = result.dictionary {
                #expect(Set(dictionary.scalars).count == dictionary.count, "a value twice", sourceLocation: location)
            }
        }
    }

    @Test(arguments: Shape.allCases)
    func `upper and lower follow Unicode`(_ shape: Shape) throws {
        try check(shape, 41, { (column) throws(KernelError) in try Kernels.upper(column) }) { .utf8($0.uppercased()) }
        try check(shape, 42, { (column) throws(KernelError) in try Kernels.lower(column) }) { .utf8($0.lowercased()) }
    }

    @Test(arguments: Shape.allCases)
    func `trim and collapse know all white space`(_ shape: Shape) throws {
        func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }
        func text(_ scalars: some Sequence<Unicode.Scalar>) -> Scalar {
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            return .utf8(text)
        }
        try check(shape, 43, { (column) throws(KernelError) in try Kernels.trim(column) }) {
            text($0.unicodeScalars.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
        }
        try check(shape, 44, { (column) throws(KernelError) in try Kernels.trim(column, .leading) }) {
            text($0.unicodeScalars.drop(while: isSpace))
        }
        try check(shape, 45, { (column) throws(KernelError) in try Kernels.trim(column, .trailing) }) {
            text($0.unicodeScalars.reversed().drop(while: isSpace).reversed())
        }
        try check(shape, 46, { (column) throws(KernelError) in try Kernels.collapseWhitespace(column) }) {
            var result: [Unicode.Scalar] = []
            for scalar in $0.unicodeScalars {
                if !isSpace(scalar) { result.append(scalar) } else if result.last != " " { result.append(" ") }
            }
            return text(result)
        }
    }

    @Test(arguments: Shape.allCases)
    func `length, substring and pad count Unicode scalars`(_ shape: Shape) throws {
        try check(shape, 47, { (column) throws(KernelError) in try Kernels.length(column) }) {
            .integer(Int128($0.unicodeScalars.count))
        }
        for (start, count) in [
            (1, nil), (3, 2), (0, 3), (-2, 4), (5, nil), (2, 0), (1, -1), (Int.min, 5), (Int.min, 0), (2, Int.max),
            (Int.max, 1),
        ] as [(Int, Int?)] {
            try check(
                shape, 48, { (column) throws(KernelError) in try Kernels.substring(column, from: start, count: count) }
            ) {
                let scalars = $0.unicodeScalars.enumerated().filter { place, _ in
                    place + 1 >= start
                        && (count.map { count in count > 0 && place + 1 - max(start, -1000) < count } ?? true)
                }
                var text = ""
                text.unicodeScalars.append(contentsOf: scalars.map(\.element))
                return .utf8(start == .min && count != nil ? "" : text)
            }
        }
        for (side, filler) in [(Kernels.PadSide.leading, "0"), (.trailing, "é-"), (.leading, "")] {
            try check(shape, 49, { (column) throws(KernelError) in try Kernels.pad(column, to: 9, with: filler, side) })
            {
                let missing = filler.isEmpty ? 0 : max(0, 9 - $0.unicodeScalars.count)
                let filling = String(String(repeating: filler, count: missing).prefix(missing))
                return .utf8(side == .leading ? filling + $0 : $0 + filling)
            }
        }
    }

    @Test(arguments: Shape.allCases)
    func `match finds texts in texts`(_ shape: Shape) throws {
        for pattern in ["", "a", "B-", ", ", "é", "日", "aa", "\n"] {
            for kind in Kernels.TextMatch.allCases {
                try check(
                    shape, 50,
                    { (column) throws(KernelError) in try Kernels.match(column, kind, .value(.utf8(pattern), .utf8)) }
                ) {
                    switch kind {
                    case .contains: .bool(Self.find(pattern, $0) != nil)
                    case .startsWith: .bool($0.utf8.starts(with: pattern.utf8))
                    case .endsWith: .bool($0.utf8.reversed().starts(with: pattern.utf8.reversed()))
                    }
                }
            }
        }
        let texts = try #require(ColumnVector.of(.utf8, [.utf8("abc"), .utf8("abc"), .null, .utf8("")]))
        let patterns = try #require(ColumnVector.of(.utf8, [.utf8("bc"), .null, .utf8("x"), .utf8("")]))
        #expect(
            try Kernels.match(texts, .endsWith, .column(patterns)).scalars == [.bool(true), .null, .null, .bool(true)])
        #expect(try Kernels.match(texts, .contains, .value(.null, .utf8)).nullCount == 4)
    }

    private static func find(_ pattern: String, _ text: String) -> Int? {
        let sought = Array(pattern.utf8)
        let bytes = Array(text.utf8)
        guard bytes.count >= sought.count else { return nil }
        return (0...bytes.count - sought.count).first { Array(bytes[$0..<$0 + sought.count]) == sought }
    }

    /// The parts of `text` between occurrences of `separator`.
    private static func parts(_ text: String, _ separator: String) -> [String] {
        var rest = text
        var parts: [String] = []
        while !separator.isEmpty, let found = find(separator, rest) {
            let bytes = Array(rest.utf8)
            parts.append(String(decoding: bytes[..<found], as: UTF8.self))
            rest = String(decoding: bytes[(found + separator.utf8.count)...], as: UTF8.self)
        }
        return parts + [rest]
    }

    @Test(arguments: Shape.allCases)
    func `replace and splitPart cut at every occurrence`(_ shape: Shape) throws {
        for (pattern, new) in [("a", "<a>"), (", ", ""), ("zz", "z"), ("", "x"), ("é", "e"), ("-", "日本")] {
            try check(
                shape, 51,
                { (column) throws(KernelError) in
                    try Kernels.replace(column, .value(.utf8(pattern), .utf8), with: .value(.utf8(new), .utf8))
                }
            ) { .utf8(Self.parts($0, pattern).joined(separator: new)) }
            for index in -3...3 {
                try check(
                    shape, 52,
                    { (column) throws(KernelError) in
                        try Kernels.splitPart(column, separator: pattern, index: index)
                    }
                ) {
                    let parts = Self.parts($0, pattern)
                    let place = index > 0 ? index - 1 : parts.count + index
                    return .utf8(index != 0 && parts.indices.contains(place) ? parts[place] : "")
                }
            }
        }
        let texts = try #require(ColumnVector.of(.utf8, [.utf8("a-b"), .utf8("aa"), .null, .utf8("b")]))
        let patterns = try #require(ColumnVector.of(.utf8, [.utf8("-"), .utf8("a"), .utf8("x"), .null]))
        let swapped = try Kernels.replace(texts, .column(patterns), with: .value(.utf8("+"), .utf8))
        #expect(swapped.scalars == [.utf8("a+b"), .utf8("++"), .null, .null])
    }

    @Test(arguments: [Kernels.NullRule.propagate, .skip], ["", "|", "é"])
    func `concatenate joins columns and constants`(_ rule: Kernels.NullRule, _ separator: String) throws {
        var random = SeededRandom(53)
        let columns = Shape.allCases.map { Self.column(120, $0, &random) }
        let constants: [Scalar] = [.utf8("const"), .null]
        for constant in constants {
            var parts = columns.map(Operand.column)
            parts.insert(.value(constant, .utf8), at: 2)
            let result = try Kernels.concatenate(parts, separator: separator, nulls: rule)
            let expected = (0..<120).map { row -> Scalar in
                var values = columns.map { $0.scalar(at: row) }
                values.insert(constant, at: 2)
                if rule == .propagate && values.contains(.null) { return .null }
                return .utf8(
                    values.compactMap { if case .utf8(let text) = $0 { text } else { nil } }.joined(
                        separator: separator))
            }
            #expect(result.scalars == expected)
        }
    }

    @Test func `functions of text refuse other types`() {
        let numbers = ColumnVector.nulls(.int64, count: 2)
        #expect(throws: KernelError.self) { try Kernels.upper(numbers) }
        #expect(throws: KernelError.self) { try Kernels.lower(numbers) }
        #expect(throws: KernelError.self) { try Kernels.trim(.nulls(.json, count: 1)) }
        #expect(throws: KernelError.self) { try Kernels.length(numbers) }
        #expect(throws: KernelError.self) { try Kernels.match(numbers, .contains, .value(.utf8("a"), .utf8)) }
        #expect(throws: KernelError.self) { try Kernels.concatenate([.column(numbers)]) }
    }
}
