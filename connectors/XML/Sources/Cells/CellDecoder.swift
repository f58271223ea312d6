import HeadraceColumnar
import HeadraceCore

/// Turns a column of texts into a column of a field's type; null texts are null values.
///
/// Blanks and line ends around values other than text are left out of account, and a value of nothing else is null.
enum CellDecoder {
    /// The types that texts of documents can be read as.
    static func canDecode(_ type: DataType) -> Bool {
        switch type {
        case .struct: false
        case .list(let element):
            switch element.type {
            case .list, .struct: false
            default: true
            }
        default: true
        }
    }

    /// The values of a column. Cells without one become null and are added to `failures`, at most one a row.
    static func decode(_ cells: ColumnVector, as field: Field, _ failures: inout [CellFailure]) -> ColumnVector {
        let column = values(cells, field.type, isRequired: !field.isNullable, &failures)
        return withExtendedLifetime(cells) { column }
    }

    private static func values(
        _ cells: ColumnVector, _ type: DataType, isRequired: Bool, _ failures: inout [CellFailure]
    ) -> ColumnVector {
        func fixed(_ parser: some CellParser) -> ColumnVector {
            self.fixed(parser, type, cells, isRequired: isRequired, &failures)
        }
        switch type {
        case .bool: return booleans(cells, isRequired: isRequired, &failures)
        case .int8: return fixed(IntegerParser<Int8>())
        case .int16: return fixed(IntegerParser<Int16>())
        case .int32: return fixed(IntegerParser<Int32>())
        case .int64: return fixed(IntegerParser<Int64>())
        case .uint8: return fixed(IntegerParser<UInt8>())
        case .uint16: return fixed(IntegerParser<UInt16>())
        case .uint32: return fixed(IntegerParser<UInt32>())
        case .uint64: return fixed(IntegerParser<UInt64>())
        case .float32: return fixed(FloatParser())
        case .float64: return fixed(DoubleParser())
        case .decimal(let precision, let scale) where precision <= 18:
            return fixed(Decimal64Parser(precision: precision, scale: scale))
        case .decimal(let precision, let scale): return fixed(Decimal128Parser(precision: precision, scale: scale))
        case .date32: return fixed(DateParser())
        case .time64: return fixed(TimeParser())
        case .timestamp(let zone): return fixed(TimestampParser(hasZone: zone != nil))
        case .utf8:
            if isRequired { noteNulls(of: cells, &failures) }
            return cells
        case .binary, .json: return texts(cells, type, isRequired: isRequired, &failures)
        case .list(let element): return lists(cells, type, element, isRequired: isRequired, &failures)
        case .struct: preconditionFailure("texts are not read as \(type)")
        }
    }

    private static func noteNulls(of cells: ColumnVector, _ failures: inout [CellFailure]) {
        guard cells.nullCount > 0 else { return }
        for row in 0..<cells.count where !cells.isValid(row) {
            failures.append(CellFailure(row: Int32(truncatingIfNeeded: row), problem: .missing))
        }
    }

    private static func fixed<Parser: CellParser>(
        _ parser: Parser, _ type: DataType, _ cells: ColumnVector, isRequired: Bool, _ failures: inout [CellFailure]
    ) -> ColumnVector {
        let view = cells.unsafeView
        let builder = PrimitiveBuilder<Parser.Value>(type, capacity: cells.count)
        for row in 0..<cells.count {
            let bytes = view.bytes(row)
            if let base = bytes.baseAddress, !bytes.isEmpty, view.isValid(row) {
                let parsed = parser.parse(base, bytes.count)
                if parsed.problem == .none {
                    builder.append(parsed.value)
                    continue
                }
            }
            let (value, problem) = slowly(parser, trimmed(bytes))
            if let value { builder.append(value) } else { builder.appendNull() }
            if let problem {
                failures.append(CellFailure(row: Int32(truncatingIfNeeded: row), problem: problem))
            } else if value == nil, isRequired {
                failures.append(CellFailure(row: Int32(truncatingIfNeeded: row), problem: .missing))
            }
        }
        return builder.finish()
    }

    @inline(never)
    private static func slowly<Parser: CellParser>(
        _ parser: Parser, _ bytes: UnsafeRawBufferPointer
    ) -> (Parser.Value?, CellProblem?) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return (nil, nil) }
        let parsed = parser.parse(base, bytes.count)
        if parsed.problem == .none { return (parsed.value, nil) }
        return (nil, parser.explain(parsed.problem, base, bytes.count))
    }

    /// Without the blanks of XML at both ends.
    static func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var start = 0
        var end = bytes.count
        while start < end, isBlank(bytes[start]) { start += 1 }
        while start < end, isBlank(bytes[end - 1]) { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D }

    private static func booleans(
        _ cells: ColumnVector, isRequired: Bool, _ failures: inout [CellFailure]
    ) -> ColumnVector {
        let bytes = fixed(BooleanParser(), .uint8, cells, isRequired: isRequired, &failures)
        let view = bytes.unsafeView
        let flags = view.values(as: UInt8.self)
        let builder = BooleanBuilder(capacity: cells.count)
        for row in 0..<cells.count {
            if view.isValid(row) { builder.append(flags[row] == 1) } else { builder.appendNull() }
        }
        return withExtendedLifetime(bytes) { builder.finish() }
    }

    /// JSON documents and bytes in hexadecimal digits.
    private static func texts(
        _ cells: ColumnVector, _ type: DataType, isRequired: Bool, _ failures: inout [CellFailure]
    ) -> ColumnVector {
        let view = cells.unsafeView
        let builder = BytesBuilder(type, capacity: cells.count)
        for row in 0..<cells.count {
            let bytes = trimmed(view.bytes(row))
            if bytes.isEmpty || !view.isValid(row) {
                builder.appendNull()
                if isRequired { failures.append(CellFailure(row: Int32(truncatingIfNeeded: row), problem: .missing)) }
            } else if let value = type == .json ? json(bytes) : HexText.bytes(bytes) {
                value.withUnsafeBytes { builder.append($0) }
            } else {
                builder.appendNull()
                let problem = type == .json ? CellProblem.notJSON : .notHexadecimal
                failures.append(CellFailure(row: Int32(truncatingIfNeeded: row), problem: problem))
            }
        }
        return builder.finish()
    }

    /// One document as it stands, several as an array; nil for text that is none.
    private static func json(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let mark = bytes.first, mark == Pieces.value || mark == Pieces.null else {
            return JSONTokenizer.isDocument(bytes) ? Array(bytes) : nil
        }
        var pieces: [[UInt8]] = []
        Pieces.forEach(in: bytes) { pieces.append($0.map { Array($0) } ?? Array("null".utf8)) }
        if pieces.count == 1 { return pieces[0] }
        return Array("[".utf8) + Array(pieces.joined(separator: ",".utf8)) + Array("]".utf8)
    }

    /// Lists of the pieces of each cell. The elements are decoded as a column of their own.
    private static func lists(
        _ cells: ColumnVector, _ type: DataType, _ element: Field, isRequired: Bool, _ failures: inout [CellFailure]
    ) -> ColumnVector {
        let view = cells.unsafeView
        let texts = BytesBuilder(.utf8, capacity: cells.count)
        let offsets = PrimitiveBuilder<Int32>(.int32, capacity: cells.count + 1)
        let nulls = PrimitiveBuilder<UInt8>(.uint8, capacity: cells.count)
        var rows: [Int32] = []
        offsets.append(0)
        for row in 0..<cells.count {
            if view.isValid(row) {
                Pieces.forEach(in: view.bytes(row)) { piece in
                    if let piece { texts.append(piece) } else { texts.appendNull() }
                    rows.append(Int32(truncatingIfNeeded: row))
                }
                nulls.append(0)
            } else {
                nulls.appendNull()
                if isRequired { failures.append(CellFailure(row: Int32(truncatingIfNeeded: row), problem: .missing)) }
            }
            offsets.append(Int32(truncatingIfNeeded: rows.count))
        }
        var inner: [CellFailure] = []
        let values = decode(texts.finish(), as: element, &inner)
        var last: Int32 = -1
        for failure in inner where rows[Int(failure.row)] != last {
            last = rows[Int(failure.row)]
            failures.append(CellFailure(row: last, problem: failure.problem))
        }
        let flags = nulls.finish()
        return ColumnVector(
            type: type, count: cells.count, nullCount: flags.nullCount, validity: flags.validity,
            offsets: offsets.finish().values, children: [values])
    }
}
