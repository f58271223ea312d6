import HeadraceColumnar
import HeadraceCore

/// A lookup checked against a schema.
struct LookupProgram: Sendable {
    let specification: LookupSpecification
    let schema: Schema
    let keyColumns: [Int]

    init(_ specification: LookupSpecification, over input: Schema) throws {
        self.specification = specification
        keyColumns = try specification.keys.map { name in
            guard let index = input.index(of: name) else {
                throw HeadraceError(
                    .schemaMismatch, "there is no column \"\(name)\" to look up by",
                    fields: [("columns", input.names.joined(separator: ", "))])
            }
            return index
        }
        guard specification.keys.count == specification.tableKeys.count, !specification.keys.isEmpty else {
            throw HeadraceError(.schemaMismatch, "a lookup needs as many columns as table keys, and at least one")
        }
        let added = specification.missing == .keptAlone ? [] : specification.returning.map(\.field)
        guard let schema = Schema(unique: input.fields + added) else {
            throw HeadraceError(
                .schemaMismatch, "a lookup adds a column that is there already",
                fields: [("adds", added.map(\.name).joined(separator: ", "))])
        }
        self.schema = schema
    }
}

/// Looks the keys of each batch up in a table. Calls may wait for a database: it runs on an engine thread.
final class LookupStage: Stage {
    private let program: LookupProgram
    private let context: RunContext

    init(_ program: LookupProgram, in context: RunContext) {
        self.program = program
        self.context = context
    }

    func process(_ batch: Batch) throws -> StageResult {
        let specification = program.specification
        let keys = program.keyColumns.map { batch.records.columns[$0] }
        let found = try lookUp(keys, batch)
        let returned = specification.returning.map(\.column)
        let rows = try match(keys, found, batch)
        var extra: [ColumnVector] = []
        if specification.missing != .keptAlone {
            for (name, item) in zip(returned, specification.returning) {
                guard let column = found[name] else {
                    throw HeadraceError(.schemaMismatch, "table \(specification.table) gave no column \"\(name)\"")
                }
                let taken = rows.withUnsafeBufferPointer { Kernels.takeNullable(column, indices: $0) }
                let cast = try Kernels.cast(taken, to: item.field.type)
                guard cast.failures.isEmpty else {
                    throw HeadraceError(
                        .schemaMismatch, "values of \(specification.table).\(name) do not fit \(item.field.type)")
                }
                extra.append(cast.column)
            }
        }
        let joined = batch.with(
            RecordBatch(schema: program.schema, columns: batch.records.columns + extra, count: batch.count))
        let missing = rows.indices.filter { rows[$0] < 0 }
        switch specification.missing {
        case .null: return StageResult(joined)
        case .filtered: return StageResult(joined.keeping { rows[$0] >= 0 }, filtered: missing.count)
        case .keptAlone: return StageResult(joined.keeping { rows[$0] < 0 }, filtered: batch.count - missing.count)
        case .rejected(let rule):
            var output = joined.keeping { rows[$0] >= 0 }
            output.rejects += missing.map {
                batch.reject(
                    row: $0, rule: rule, code: "notInTable", field: specification.keys.first,
                    message: "the key is not in table \(specification.table)")
            }
            return StageResult(output)
        }
    }

    /// The table's rows for the distinct keys of the batch that are not null.
    private func lookUp(_ keys: [ColumnVector], _ batch: Batch) throws -> RecordBatch {
        let specification = program.specification
        let hashes = Kernels.hash(keys)
        var seen: [UInt64: [Int32]] = [:]
        var distinct: [Int32] = []
        let equality = RowEquality(keys, keys)
        for row in 0..<batch.count where keys.allSatisfy({ $0.isValid(row) }) {
            let same = seen[hashes[row], default: []].contains { equality(row, Int($0)) }
            if same { continue }
            seen[hashes[row], default: []].append(Int32(row))
            distinct.append(Int32(row))
        }
        let fields = zip(specification.tableKeys, keys).map { Field($0, $1.type) }
        let columns = keys.map { key in distinct.withUnsafeBufferPointer { Kernels.take(key, indices: $0) } }
        let wanted = RecordBatch(schema: Schema(fields), columns: columns, count: distinct.count)
        let context = self.context
        return try BlockingWork.wait {
            try await specification.lookup.lookup(
                specification.table, keys: wanted, returning: specification.returning.map(\.column), in: context)
        }
    }

    /// For each row of the batch the row of `found` with its key, -1 where there is none.
    private func match(_ keys: [ColumnVector], _ found: RecordBatch, _ batch: Batch) throws -> [Int32] {
        let table = try zip(program.specification.tableKeys, keys).map { name, key in
            guard let column = found[name] else {
                throw HeadraceError(.schemaMismatch, "table \(program.specification.table) gave no column \"\(name)\"")
            }
            let cast = try Kernels.cast(column, to: key.type)
            return cast.column
        }
        let tableHashes = Kernels.hash(table)
        var index: [UInt64: [Int32]] = [:]
        for row in 0..<found.count { index[tableHashes[row], default: []].append(Int32(row)) }
        let hashes = Kernels.hash(keys)
        let equality = RowEquality(keys, table)
        return (0..<batch.count).map { row in
            guard keys.allSatisfy({ $0.isValid(row) }) else { return -1 }
            return index[hashes[row], default: []].first { equality(row, Int($0)) } ?? -1
        }
    }
}

extension Batch {
    /// The rows for which `keep` is true.
    func keeping(_ keep: (Int) -> Bool) -> Batch {
        let kept = (0..<count).filter(keep).map { Int32($0) }
        if kept.count == count { return self }
        return kept.withUnsafeBufferPointer { taking($0) }
    }
}
