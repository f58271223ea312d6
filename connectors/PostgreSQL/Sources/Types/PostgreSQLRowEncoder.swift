import HeadraceColumnar
import HeadraceCore

/// Rows in the form of a binary COPY, without header and trailer, and the rows that were left out.
struct PostgreSQLEncodedRows: Sendable {
    /// The rows one after another.
    let bytes: Buffer
    /// Where each row ends in `bytes`.
    let ends: [Int32]
    /// The row of the batch that each encoded row was; nil when they are all there in order.
    let rows: [Int32]?
    /// Rows that have no place in the table, with the names of the columns that refuse them.
    let misfits: [(column: String, misfit: PostgreSQLMisfit)]

    /// How many rows are in `bytes`.
    var count: Int { ends.count }

    /// The row of the batch that encoded row `index` was.
    func batchRow(_ index: Int) -> Int { rows.map { Int($0[index]) } ?? index }

    /// The rows of several batches as those of one, numbered through.
    static func joined(_ pieces: [PostgreSQLEncodedRows]) -> PostgreSQLEncodedRows {
        let total = pieces.reduce(0) { $0 + Int($1.ends.last ?? 0) }
        let bytes = MutableBuffer(capacity: max(total, 1))
        var ends: [Int32] = []
        ends.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
        var offset = 0
        for piece in pieces {
            let count = Int(piece.ends.last ?? 0)
            (bytes.base + offset).copyMemory(from: piece.bytes.base, byteCount: count)
            for end in piece.ends { ends.append(end + Int32(truncatingIfNeeded: offset)) }
            offset += count
        }
        return PostgreSQLEncodedRows(bytes: bytes.finish(byteCount: total), ends: ends, rows: nil, misfits: [])
    }

    /// The encoded row that a row of the batch is, which must be among them.
    func index(ofBatchRow row: Int) -> Int {
        guard let rows else { return row }
        var (low, high) = (0, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if Int(rows[middle]) < row { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The bytes of the encoded rows `range`.
    func withBytes<R>(of range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        let start = range.lowerBound == 0 ? 0 : Int(ends[range.lowerBound - 1])
        let end = range.isEmpty ? start : Int(ends[range.upperBound - 1])
        return try body(UnsafeRawBufferPointer(start: bytes.base + start, count: end - start))
    }

    /// What a binary COPY begins with: signature, flags, no extension.
    static let header: [UInt8] =
        Array("PGCOPY\n".utf8) + [0xff] + Array("\r\n".utf8) + [UInt8](repeating: 0, count: 9)
    /// What it ends with.
    static let trailer: [UInt8] = [0xff, 0xff]
}

/// Turns batches into rows of a binary COPY. Used by many workers at once.
struct PostgreSQLRowEncoder: Sendable {
    let schema: Schema
    let columns: [PostgreSQLColumnEncoder]

    /// An encoder of rows of `schema` into columns of `types`, in the same order.
    /// - Throws: `schemaMismatch` for a field that can never go into its column.
    init(_ schema: Schema, into types: [(type: PostgreSQLType, isNullable: Bool)]) throws {
        self.schema = schema
        columns = try zip(schema.fields, types).map { field, target in
            guard let encoder = PostgreSQLColumnEncoder(field.type, into: target.type, isNullable: target.isNullable)
            else {
                throw HeadraceError(
                    .schemaMismatch,
                    "\(field.type) has no place in column \"\(field.name)\" of type \(target.type.name)",
                    hint: "convert it before, or give the column another type")
            }
            return encoder
        }
    }

    /// The rows of a batch that have a place in the table, encoded, and those that have none.
    func encode(_ batch: RecordBatch) -> PostgreSQLEncodedRows {
        var misfits: [(column: String, misfit: PostgreSQLMisfit)] = []
        var prepared: [ColumnVector] = []
        prepared.reserveCapacity(columns.count)
        for (index, encoder) in columns.enumerated() {
            var found: [PostgreSQLMisfit] = []
            prepared.append(encoder.prepare(batch.columns[index], misfits: &found))
            for misfit in found { misfits.append((schema.fields[index].name, misfit)) }
        }
        var rows: [Int32]?
        if !misfits.isEmpty {
            var isBad = [Bool](repeating: false, count: batch.count)
            for entry in misfits { isBad[entry.misfit.row] = true }
            let kept = (0..<Int32(truncatingIfNeeded: batch.count)).filter { !isBad[Int($0)] }
            prepared = kept.withUnsafeBufferPointer { indices in prepared.map { Kernels.take($0, indices: indices) } }
            rows = kept
            misfits = Self.firstOfEachRow(misfits)
        }
        let (bytes, ends) = lay(out: prepared, count: rows?.count ?? batch.count)
        return PostgreSQLEncodedRows(bytes: bytes, ends: ends, rows: rows, misfits: misfits)
    }

    /// One reason a row, in the order of rows.
    private static func firstOfEachRow(
        _ misfits: [(column: String, misfit: PostgreSQLMisfit)]
    ) -> [(column: String, misfit: PostgreSQLMisfit)] {
        var seen: Set<Int> = []
        return misfits.filter { seen.insert($0.misfit.row).inserted }.sorted { $0.misfit.row < $1.misfit.row }
    }

    private func lay(out prepared: [ColumnVector], count: Int) -> (Buffer, [Int32]) {
        var ends = [Int32](repeating: 2, count: count)
        ends.withUnsafeMutableBufferPointer { sizes in
            guard let sizes = sizes.baseAddress else { return }
            for (encoder, column) in zip(columns, prepared) { encoder.writer.measure(column, sizes) }
        }
        var total: Int32 = 0
        var cursors: [Int32] = []
        cursors.reserveCapacity(count)
        for row in 0..<count {
            cursors.append(total)
            let (sum, overflow) = total.addingReportingOverflow(ends[row])
            precondition(!overflow, "a batch passed 2 GiB")
            total = sum
            ends[row] = total
        }
        let bytes = MutableBuffer(capacity: max(Int(total), 1))
        let base = bytes.base
        cursors.withUnsafeMutableBufferPointer { cursors in
            guard let starts = cursors.baseAddress else { return }
            let head = Int16(truncatingIfNeeded: columns.count).bigEndian
            for row in 0..<count {
                (base + Int(starts[row])).storeBytes(of: head, as: Int16.self)
                starts[row] &+= 2
            }
            for (encoder, column) in zip(columns, prepared) { encoder.writer.write(column, base, starts) }
        }
        return (bytes.finish(byteCount: Int(total)), ends)
    }
}

/// The values of one column as they stand in arrays: each a length and its bytes.
struct PostgreSQLEncodedValues {
    private let bytes: [UInt8]
    private let ends: [Int32]

    init(_ encoder: PostgreSQLColumnEncoder, _ column: ColumnVector, misfits: inout [PostgreSQLMisfit]) {
        let prepared = encoder.prepare(column, misfits: &misfits)
        var ends = [Int32](repeating: 0, count: prepared.count)
        ends.withUnsafeMutableBufferPointer {
            if let sizes = $0.baseAddress { encoder.writer.measure(prepared, sizes) }
        }
        var cursors: [Int32] = []
        var total: Int32 = 0
        for index in ends.indices {
            cursors.append(total)
            total += ends[index]
            ends[index] = total
        }
        self.ends = ends
        bytes = [UInt8](unsafeUninitializedCapacity: Int(total)) { buffer, count in
            if let base = UnsafeMutableRawPointer(buffer.baseAddress) {
                cursors.withUnsafeMutableBufferPointer {
                    if let starts = $0.baseAddress { encoder.writer.write(prepared, base, starts) }
                }
            }
            count = Int(total)
        }
    }

    /// The values `range` with their lengths.
    func bytes(of range: Range<Int>) -> ArraySlice<UInt8> {
        let start = range.lowerBound == 0 ? 0 : Int(ends[range.lowerBound - 1])
        return bytes[start..<Int(ends[range.upperBound - 1])]
    }
}
