import HeadraceColumnar
import HeadraceCore

/// Turns rows as the server sent them into columns. Used by many workers at once.
struct MySQLRowDecoder: Sendable {
    struct Misfit {
        let row: Int
        let field: Field
        let value: String?
        let message: String
    }

    let schema: Schema
    private let types: [MySQLColumnType]
    private let options: MySQLReadingOptions
    /// The place of each field's column among the rows'.
    private let columns: [Int]

    /// A decoder of the columns `columns` of every row, the first ones without it, as the fields of `schema`.
    init(_ schema: Schema, types: [MySQLColumnType], columns: [Int]? = nil, options: MySQLReadingOptions) {
        self.schema = schema
        self.columns = columns ?? Array(schema.fields.indices)
        self.types = types
        self.options = options
    }

    /// The rows that fit, and for each of the others the first value that does not.
    func decode(_ rows: MySQLRows) -> (records: RecordBatch, misfits: [Misfit]) {
        var misfits: [Int: Misfit] = [:]
        let vectors = schema.fields.indices.map { index in
            let (field, place) = (schema.fields[index], columns[index])
            var failed: [Int] = []
            let column = rows.bytes.withUnsafeBytes { bytes in
                rows.cells.withUnsafeBufferPointer { cells in
                    decode(
                        MySQLCells(
                            bytes: bytes, cells: cells, column: place, stride: rows.columnCount, count: rows.count),
                        field.type, types[index], &failed)
                }
            }
            for row in failed where misfits[row] == nil {
                misfits[row] = Misfit(
                    row: row, field: field, value: rows.text(row, place),
                    message: message(rows.text(row, place), field, types[index]))
            }
            return column
        }
        let records = RecordBatch(schema: schema, columns: vectors, count: rows.count)
        guard !misfits.isEmpty else { return (records, []) }
        let kept = (0..<rows.count).filter { misfits[$0] == nil }.map { Int32($0) }
        return (
            kept.withUnsafeBufferPointer { Kernels.take(records, indices: $0) },
            misfits.values.sorted { $0.row < $1.row }
        )
    }

    private func message(_ value: String?, _ field: Field, _ type: MySQLColumnType) -> String {
        if case .time64 = field.type {
            return "a TIME outside of a day in column \"\(field.name)\"; times=text reads such columns as text"
        }
        if case .temporal = type.kind, let value, value.hasPrefix("0000") || value.contains("-00") {
            return "a date with a zero in column \"\(field.name)\"; zeroDates=null reads such dates as null"
        }
        return "the value in column \"\(field.name)\" (\(type.declared)) does not fit \(field.type)"
    }

    private func decode(
        _ cells: MySQLCells, _ type: DataType, _ column: MySQLColumnType, _ failed: inout [Int]
    ) -> ColumnVector {
        if case .bits = column.kind { return bits(cells, type, &failed) }
        switch type {
        case .bool:
            let builder = BooleanBuilder(capacity: cells.count)
            for row in 0..<cells.count {
                guard let (base, count) = cells[row] else {
                    builder.appendNull()
                    continue
                }
                let byte = count == 1 ? base.load(as: UInt8.self) : 0
                if byte == 0x30 || byte == 0x31 {
                    builder.append(byte == 0x31)
                } else {
                    builder.appendNull()
                    failed.append(row)
                }
            }
            return builder.finish()
        case .int8: return integers(cells, type, Int8.self, &failed)
        case .int16: return integers(cells, type, Int16.self, &failed)
        case .int32: return integers(cells, type, Int32.self, &failed)
        case .int64: return integers(cells, type, Int64.self, &failed)
        case .uint8: return integers(cells, type, UInt8.self, &failed)
        case .uint16: return integers(cells, type, UInt16.self, &failed)
        case .uint32: return integers(cells, type, UInt32.self, &failed)
        case .uint64: return integers(cells, type, UInt64.self, &failed)
        case .float32:
            return fill(cells, type, &failed) { base, count in
                DoubleText.parse(base, count: count).valid.map { Float($0) }
            }
        case .float64:
            return fill(cells, type, &failed) { base, count in DoubleText.parse(base, count: count).valid }
        case .decimal(let precision, let scale) where precision <= 18:
            return fill(cells, type, &failed) { base, count in
                DecimalText.parse64(base, count: count, precision: precision, scale: scale).valid
            }
        case .decimal(let precision, let scale):
            return fill(cells, type, &failed) { base, count in
                DecimalText.parse128(base, count: count, precision: precision, scale: scale).valid
            }
        case .date32:
            return temporal(cells, type, &failed) { base, count in DateText.parse(base, count: count).valid }
        case .time64: return fill(cells, type, &failed) { base, count in TimeText.parse(base, count: count).valid }
        case .timestamp:
            return temporal(cells, type, &failed) { base, count in
                let parsed = TimestampText.parse(base, count: count)
                return parsed.isValid ? parsed.microseconds : nil
            }
        case .utf8, .json, .binary, .list, .struct: return bytes(cells, type, &failed)
        }
    }

    @inline(__always)
    private func fill<Value: BitwiseCopyable & Sendable>(
        _ cells: MySQLCells, _ type: DataType, _ failed: inout [Int], _ parse: (UnsafeRawPointer, Int) -> Value?
    ) -> ColumnVector {
        let builder = PrimitiveBuilder<Value>(type, capacity: cells.count)
        for row in 0..<cells.count {
            guard let (base, count) = cells[row] else {
                builder.appendNull()
                continue
            }
            if let value = parse(base, count) {
                builder.append(value)
            } else {
                builder.appendNull()
                failed.append(row)
            }
        }
        return builder.finish()
    }

    private func integers<Value: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ cells: MySQLCells, _ type: DataType, _ value: Value.Type, _ failed: inout [Int]
    ) -> ColumnVector {
        fill(cells, type, &failed) { base, count in IntegerText.parse(base, count: count, as: Value.self).valid }
    }

    /// Dates with zeros are no dates: null where that was asked for, else refused.
    private func temporal<Value: BitwiseCopyable & Sendable>(
        _ cells: MySQLCells, _ type: DataType, _ failed: inout [Int], _ parse: (UnsafeRawPointer, Int) -> Value?
    ) -> ColumnVector {
        var refused: [Int] = []
        let column = fill(cells, type, &refused, parse)
        for row in refused {
            guard options.zeroDatesAreNull, let (base, count) = cells[row], Self.isZeroDate(base, count) else {
                failed.append(row)
                continue
            }
        }
        return column
    }

    /// `0000-…`, `yyyy-00-dd`, `yyyy-mm-00`.
    private static func isZeroDate(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
        guard count >= 10 else { return false }
        let text = UnsafeRawBufferPointer(start: base, count: count)
        func isZero(_ range: Range<Int>) -> Bool { range.allSatisfy { text[$0] == 0x30 } }
        return isZero(0..<4) || isZero(5..<7) || isZero(8..<10)
    }

    /// Bits come as bytes, the highest first.
    private func bits(_ cells: MySQLCells, _ type: DataType, _ failed: inout [Int]) -> ColumnVector {
        let numbers = fill(cells, .uint64, &failed) { base, count -> UInt64? in
            guard count <= 8 else { return nil }
            return UnsafeRawBufferPointer(start: base, count: count).reduce(0) { $0 << 8 | UInt64($1) }
        }
        return type == .uint64 ? numbers : (try? Kernels.cast(numbers, to: type).column) ?? numbers
    }

    private func bytes(_ cells: MySQLCells, _ type: DataType, _ failed: inout [Int]) -> ColumnVector {
        let isText = type != .binary
        let builder = BytesBuilder(type, capacity: cells.count)
        for row in 0..<cells.count {
            guard let (base, count) = cells[row] else {
                builder.appendNull()
                continue
            }
            if !isText || Self.isUTF8(base, count) {
                builder.append(base, count: count)
            } else {
                builder.appendNull()
                failed.append(row)
            }
        }
        return builder.finish()
    }

    static func isUTF8(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
        var index = 0
        while index &+ 8 <= count {
            guard base.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 else { break }
            index &+= 8
        }
        while index < count, base.load(fromByteOffset: index, as: UInt8.self) < 0x80 { index &+= 1 }
        if index == count { return true }
        let rest = UnsafeRawBufferPointer(start: base + index, count: count - index).bindMemory(to: UInt8.self)
        return (try? UTF8Span(validating: rest.span)) != nil
    }
}

/// One column of rows as the server sent them.
struct MySQLCells {
    let bytes: UnsafeRawBufferPointer
    let cells: UnsafeBufferPointer<MySQLRows.Cell>
    let column: Int
    let stride: Int
    let count: Int

    /// A place for empty values to point to.
    nonisolated(unsafe) static let empty: UnsafeRawPointer = {
        UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8))
    }()

    /// The bytes of a value; nil for null.
    @inline(__always)
    subscript(row: Int) -> (UnsafeRawPointer, Int)? {
        let cell = cells[row &* stride &+ column]
        guard cell.count >= 0 else { return nil }
        guard let base = bytes.baseAddress else { return (Self.empty, 0) }
        return (base + Int(cell.start), Int(cell.count))
    }
}
