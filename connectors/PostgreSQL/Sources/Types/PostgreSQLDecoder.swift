import HeadraceColumnar
import HeadraceCore

/// Turns the values of one column of a binary COPY into a column of a batch, a kernel for each type.
struct PostgreSQLDecoder: Sendable {
    let type: PostgreSQLType
    let dataType: DataType
    /// Whether text must be looked at: a database in `SQL_ASCII` holds bytes of any encoding.
    let checksText: Bool

    init(_ type: PostgreSQLType, checksText: Bool = false) {
        self.type = type
        dataType = type.dataType
        self.checksText = checksText
    }

    /// The column; values that have no place in it are added to `misfits` and hold null.
    /// - Throws: `malformedInput` for bytes that are no value of the type.
    func decode(_ cells: PostgreSQLCells, misfits: inout [PostgreSQLMisfit]) throws -> ColumnVector {
        if type.isCastToText { return try text(cells, &misfits) }
        switch type.kind {
        case .bool: return try booleans(cells)
        case .int2: return try fixed(cells) { (value: Int16) in value }
        case .int4: return try fixed(cells) { (value: Int32) in value }
        case .int8: return try fixed(cells) { (value: Int64) in value }
        case .oid: return try fixed(cells) { (value: UInt32) in value }
        case .float4: return try fixed(cells) { (value: UInt32) in value }
        case .float8: return try fixed(cells) { (value: UInt64) in value }
        case .numeric(_, _):
            guard case .decimal(let precision, let scale) = dataType else { return try numericText(cells) }
            return precision <= 18
                ? try decimals(cells, Int64.self, precision, scale, &misfits)
                : try decimals(cells, Int128.self, precision, scale, &misfits)
        case .unboundedNumeric: return try numericText(cells)
        case .text, .enumeration, .json: return try text(cells, &misfits)
        case .bytea: return try bytes(cells, skipping: 0)
        case .jsonb: return try bytes(cells, skipping: 1)
        case .date: return try dates(cells, &misfits)
        case .time: return try fixed(cells) { (value: Int64) in value }
        case .timestamp, .timestampWithZone: return try timestamps(cells, &misfits)
        case .timeWithZone:
            return try printed(cells, most: PostgreSQLTemporalText.capacity, PostgreSQLTemporalText.timeWithZone)
        case .interval:
            return try printed(cells, most: PostgreSQLTemporalText.capacity, PostgreSQLTemporalText.interval)
        case .uuid: return try uuids(cells)
        case .array(let element): return try arrays(cells, element, &misfits)
        case .network, .macAddress, .other: return try text(cells, &misfits)
        }
    }

    var malformed: HeadraceError {
        HeadraceError(
            .malformedInput, "the server sent bytes that are no \(type.name)",
            hint: "run again; if it stays so, read the column as text in a query: column::text")
    }

    // MARK: - Fixed width

    @inline(__always)
    func fixed<Wire: FixedWidthInteger & BitwiseCopyable, Value: BitwiseCopyable>(
        _ cells: PostgreSQLCells, _ convert: (Wire) -> Value
    ) throws -> ColumnVector {
        let width = MemoryLayout<Wire>.size
        let values = MutableBuffer(capacity: max(cells.count, 1) * MemoryLayout<Value>.stride)
        let out = values.base.assumingMemoryBound(to: Value.self)
        var validity = PostgreSQLValidity(count: cells.count)
        for row in 0..<cells.count {
            let length = cells.length(row)
            if length == width {
                out[row] = convert(Wire(bigEndian: cells.start(row).loadUnaligned(as: Wire.self)))
            } else {
                guard length < 0 else { throw malformed }
                out[row] = convert(0)
                validity.setNull(row)
            }
        }
        return column(values, cells.count, MemoryLayout<Value>.stride, validity)
    }

    private func column(
        _ values: consuming MutableBuffer, _ count: Int, _ stride: Int, _ validity: consuming PostgreSQLValidity
    ) -> ColumnVector {
        let (bits, nulls) = validity.finish()
        return ColumnVector(
            type: dataType, count: count, nullCount: nulls, validity: bits,
            values: values.finish(byteCount: count * stride))
    }

    private func booleans(_ cells: PostgreSQLCells) throws -> ColumnVector {
        let size = Bitmap.byteCount(cells.count)
        let values = MutableBuffer(capacity: max(size, 1))
        values.base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        var validity = PostgreSQLValidity(count: cells.count)
        for row in 0..<cells.count {
            switch cells.length(row) {
            case 1: if cells.start(row).load(as: UInt8.self) != 0 { Bitmap.set(values.base, row, true) }
            case -1: validity.setNull(row)
            default: throw malformed
            }
        }
        let (bits, nulls) = validity.finish()
        return ColumnVector(
            type: .bool, count: cells.count, nullCount: nulls, validity: bits, values: values.finish(byteCount: size))
    }

    /// Days from 1970-01-01 to 2000-01-01, where the server counts from.
    static let epochDays: Int32 = 10_957
    /// The same in microseconds.
    static let epochMicroseconds: Int64 = 946_684_800_000_000

    /// The lowest and highest number stand for the infinities on both sides.
    private func dates(_ cells: PostgreSQLCells, _ misfits: inout [PostgreSQLMisfit]) throws -> ColumnVector {
        try fixed(cells) { (value: Int32) -> Int32 in
            value == .max || value == .min ? value : value &+ Self.epochDays
        }
    }

    private func timestamps(_ cells: PostgreSQLCells, _ misfits: inout [PostgreSQLMisfit]) throws -> ColumnVector {
        let limit = Int64.max - Self.epochMicroseconds
        var tooLate = false
        let column = try fixed(cells) { (value: Int64) -> Int64 in
            if value == .max || value == .min { return value }
            tooLate = tooLate || value >= limit
            return value &+ Self.epochMicroseconds
        }
        guard tooLate else { return column }
        var rows: [Int] = []
        for row in 0..<cells.count where cells.length(row) == 8 {
            let value = Int64(bigEndian: cells.start(row).loadUnaligned(as: Int64.self))
            guard value >= limit, value != .max else { continue }
            rows.append(row)
            misfits.append(
                PostgreSQLMisfit(
                    row: row, code: "outOfRange", message: "a timestamp after the year 294246 has no place in 64 bits"))
        }
        return column.nulling(rows)
    }

    // MARK: - Text and bytes

    /// One value after another as they are, from byte `skipping` on.
    private func bytes(_ cells: PostgreSQLCells, skipping prefix: Int) throws -> ColumnVector {
        var total = 0
        for row in 0..<cells.count { total &+= max(cells.length(row) &- prefix, 0) }
        guard total <= Int(Int32.max) else { throw malformed }
        let ends = MutableBuffer(capacity: (cells.count + 1) * 4)
        let out = ends.base.assumingMemoryBound(to: Int32.self)
        let values = MutableBuffer(capacity: max(total, 1))
        var validity = PostgreSQLValidity(count: cells.count)
        var used = 0
        out[0] = 0
        for row in 0..<cells.count {
            let length = cells.length(row)
            if length >= prefix {
                let count = length &- prefix
                (values.base + used).copyMemory(from: cells.start(row) + prefix, byteCount: count)
                used &+= count
            } else {
                guard length < 0 else { throw malformed }
                validity.setNull(row)
            }
            out[row &+ 1] = Int32(truncatingIfNeeded: used)
        }
        let (bits, nulls) = validity.finish()
        return ColumnVector(
            type: dataType, count: cells.count, nullCount: nulls, validity: bits,
            values: values.finish(byteCount: total),
            offsets: ends.finish(byteCount: (cells.count + 1) * 4))
    }

    private func text(_ cells: PostgreSQLCells, _ misfits: inout [PostgreSQLMisfit]) throws -> ColumnVector {
        let column = try bytes(cells, skipping: 0)
        guard checksText else { return column }
        var rows: [Int] = []
        for row in 0..<cells.count {
            guard let bytes = cells.bytes(row), !bytes.isEmpty else { continue }
            let values = bytes.bindMemory(to: UInt8.self)
            if (try? UTF8Span(validating: values.span)) == nil {
                rows.append(row)
                misfits.append(
                    PostgreSQLMisfit(
                        row: row, code: "notUTF8",
                        message: "the text is not UTF-8; the database's encoding is SQL_ASCII"))
            }
        }
        return column.nulling(rows)
    }

    /// Values written as text of at most `most` bytes by `format`, which gives nil for bytes that are no value.
    func printed(
        _ cells: PostgreSQLCells, most: Int, _ format: (UnsafeRawBufferPointer, UnsafeMutableRawPointer) -> Int?
    ) throws -> ColumnVector {
        let builder = BytesBuilder(dataType, capacity: cells.count)
        for row in 0..<cells.count {
            guard let bytes = cells.bytes(row) else {
                builder.appendNull()
                continue
            }
            guard let count = format(bytes, builder.reserve(most)) else { throw malformed }
            builder.commit(count)
        }
        return builder.finish()
    }

    private func uuids(_ cells: PostgreSQLCells) throws -> ColumnVector {
        try printed(cells, most: 40) { bytes, out in
            guard bytes.count == 16 else { return nil }
            var length = 0
            for (index, byte) in bytes.enumerated() {
                if index == 4 || index == 6 || index == 8 || index == 10 {
                    out.storeBytes(of: UInt8(ascii: "-"), toByteOffset: length, as: UInt8.self)
                    length &+= 1
                }
                out.storeBytes(of: Self.hexDigit(byte &>> 4), toByteOffset: length, as: UInt8.self)
                out.storeBytes(of: Self.hexDigit(byte & 15), toByteOffset: length &+ 1, as: UInt8.self)
                length &+= 2
            }
            return length
        }
    }

    @inline(__always)
    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x57 &+ value }
}

extension ColumnVector {
    /// The same values with the rows `rows` null.
    func nulling(_ rows: [Int]) -> ColumnVector {
        guard !rows.isEmpty else { return self }
        let bits = MutableBuffer(capacity: Bitmap.byteCount(count))
        bits.base.initializeMemory(as: UInt8.self, repeating: 0, count: Bitmap.byteCount(count))
        for row in 0..<count where isValid(row) { Bitmap.set(bits.base, row, true) }
        for row in rows { Bitmap.set(bits.base, row, false) }
        precondition(offset == 0, "only whole columns are nulled")
        return ColumnVector(
            type: type, count: count, validity: bits.finish(byteCount: Bitmap.byteCount(count)), values: values,
            offsets: offsets, children: children, dictionary: dictionary)
    }
}
