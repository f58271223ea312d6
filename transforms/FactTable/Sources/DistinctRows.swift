import HeadraceColumnar
import HeadraceCore

/// The distinct rows of some columns and which of them each row is.
struct DistinctRows {
    /// The first row of each distinct key, in row order.
    let first: [Int32]
    /// For each row the position of its key in `first`.
    let group: [Int]

    init(_ columns: [ColumnVector], count: Int) {
        let hashes = Kernels.hash(columns)
        let equality = RowEquality(columns, columns)
        var buckets: [UInt64: [Int]] = [:]
        var first: [Int32] = []
        var group: [Int] = []
        group.reserveCapacity(count)
        for row in 0..<count {
            if let known = buckets[hashes[row], default: []].first(where: { equality(row, Int(first[$0])) }) {
                group.append(known)
            } else {
                buckets[hashes[row], default: []].append(first.count)
                group.append(first.count)
                first.append(Int32(row))
            }
        }
        self.first = first
        self.group = group
    }

    /// The distinct rows of `batch`, which has the columns that were given.
    func rows(of batch: RecordBatch) -> RecordBatch {
        first.withUnsafeBufferPointer { Kernels.take(batch, indices: $0) }
    }

    /// For each of `keys` the row of `table` that equals it, -1 where there is none.
    static func match(_ keys: [ColumnVector], count: Int, in table: [ColumnVector], count tableCount: Int) -> [Int32] {
        let tableHashes = Kernels.hash(table)
        var index: [UInt64: [Int32]] = [:]
        for row in 0..<tableCount { index[tableHashes[row], default: []].append(Int32(row)) }
        let hashes = Kernels.hash(keys)
        let equality = RowEquality(keys, table)
        return (0..<count).map { row in index[hashes[row], default: []].first { equality(row, Int($0)) } ?? -1 }
    }
}

extension RecordBatch {
    /// Some columns of the batch under other names; throws for one that is not there.
    func picking(_ columns: [(name: String, as: String)]) throws -> RecordBatch {
        var fields: [Field] = []
        var vectors: [ColumnVector] = []
        for (name, alias) in columns {
            guard let column = self[name], let field = schema[name] else {
                throw HeadraceError(.schemaMismatch, "there is no column \"\(name)\"")
            }
            fields.append(Field(alias, column.type, nullable: field.isNullable))
            vectors.append(column)
        }
        return RecordBatch(schema: Schema(fields), columns: vectors, count: count)
    }

    /// The batch with a column added or replaced.
    func setting(_ name: String, _ column: ColumnVector) -> RecordBatch {
        var fields = schema.fields
        var vectors = columns
        if let index = schema.index(of: name) {
            fields[index] = Field(name, column.type)
            vectors[index] = column
        } else {
            fields.append(Field(name, column.type))
            vectors.append(column)
        }
        return RecordBatch(schema: Schema(fields), columns: vectors, count: count)
    }

    /// The batch with the same value in every row of a column of `type`.
    func setting(_ name: String, to value: Scalar, _ type: DataType) throws -> RecordBatch {
        guard let column = ColumnVector.of(type, Array(repeating: value, count: count)) else {
            throw HeadraceError(.schemaMismatch, "\(value) does not fit column \"\(name)\" of \(type)")
        }
        return setting(name, column)
    }
}
