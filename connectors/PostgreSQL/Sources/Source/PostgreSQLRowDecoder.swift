import HeadraceColumnar
import HeadraceCore

/// Turns rows of a binary COPY, as the server sent them, into columns.
struct PostgreSQLRowDecoder: Sendable {
    let schema: Schema
    private let columns: [PostgreSQLDecoder]
    /// Columns behind those of the schema, which are passed over: the place of the row.
    private let trailing: Int

    init(_ schema: Schema, types: [PostgreSQLType], checksText: Bool, trailing: Int = 0) {
        self.schema = schema
        self.trailing = trailing
        columns = types.map { PostgreSQLDecoder($0, checksText: checksText) }
    }

    /// Decodes `rows` rows.
    /// - Returns: a batch of all rows, in which misfits hold null, and the misfits with the names of their columns.
    /// - Throws: `malformedInput` when the bytes are not that many rows of these columns.
    func decode(_ bytes: UnsafeRawBufferPointer, rows: Int) throws -> (RecordBatch, [(String, PostgreSQLMisfit)]) {
        guard rows > 0, let base = bytes.baseAddress else { return (RecordBatch(empty: schema), []) }
        return try withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(rows * (columns.count + trailing), 1)) {
            places in
            guard let table = places.baseAddress else { return (RecordBatch(empty: schema), []) }
            try Self.find(base, bytes.count, rows, columns.count + trailing, table)
            var found: [(String, PostgreSQLMisfit)] = []
            var vectors: [ColumnVector] = []
            vectors.reserveCapacity(columns.count)
            for (index, column) in columns.enumerated() {
                var misfits: [PostgreSQLMisfit] = []
                let cells = PostgreSQLCells(base: base, places: table + index * rows, count: rows)
                vectors.append(try column.decode(cells, misfits: &misfits))
                for misfit in misfits { found.append((schema.fields[index].name, misfit)) }
            }
            return (RecordBatch(schema: schema, columns: vectors, count: rows), found)
        }
    }

    /// Writes down where each value starts, one column after another, and checks every length against the end.
    private static func find(
        _ base: UnsafeRawPointer, _ size: Int, _ rows: Int, _ columns: Int, _ places: UnsafeMutablePointer<Int32>
    ) throws {
        var place = 0
        for row in 0..<rows {
            guard place &+ 2 <= size,
                Int(Int16(bigEndian: (base + place).loadUnaligned(as: Int16.self))) == columns
            else { throw broken }
            place &+= 2
            var slot = row
            for _ in 0..<columns {
                guard place &+ 4 <= size else { throw broken }
                places[slot] = Int32(truncatingIfNeeded: place)
                let length = Int(Int32(bigEndian: (base + place).loadUnaligned(as: Int32.self)))
                guard length >= -1 else { throw broken }
                place &+= 4 &+ max(length, 0)
                slot &+= rows
            }
            guard place <= size else { throw broken }
        }
        guard place == size else { throw broken }
    }

    private static var broken: HeadraceError {
        HeadraceError(.malformedInput, "the rows that PostgreSQL sent do not have the shape of their columns")
    }
}
