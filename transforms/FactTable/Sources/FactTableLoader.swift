import HeadraceColumnar
import HeadraceCore

/// One load of a fact table inside a warehouse's transaction.
///
/// - Invariant (`@unchecked Sendable`): used by one caller at a time, as `SinkWriter.write` promises.
final class FactTableLoader: FactLoader, @unchecked Sendable {
    private let facts: FactTable
    private let context: RunContext
    private var counts = WriteCounts()
    private var replaced = KeySet()
    private var affected = KeySet()
    private var removed = 0

    init(_ facts: FactTable, context: RunContext) {
        self.facts = facts
        self.context = context
    }

    func load(_ batch: Batch, into warehouse: any Warehouse) async throws -> [Reject] {
        var rows = batch.records
        var rejects: [Reject] = []
        var kept = (0..<Int32(batch.count)).map { $0 }
        for dimension in facts.dimensions {
            let (keys, refused) = try await DimensionLoader(dimension, context: context).keys(for: rows, in: warehouse)
            rows = rows.setting(dimension.factColumn, keys)
            guard !refused.isEmpty else { continue }
            rejects += refused.map { row in
                batch.reject(
                    row: Int(kept[row]), rule: "member of \(dimension.table.name)", code: "noMember",
                    field: dimension.naturalKey.first?.column,
                    message: "dimension \(dimension.table.name) has no member for the row")
            }
            let gone = Set(refused)
            let stay = kept.indices.filter { !gone.contains($0) }.map { Int32($0) }
            rows = stay.withUnsafeBufferPointer { Kernels.take(rows, indices: $0) }
            kept = stay.map { kept[Int($0)] }
        }
        guard rows.count > 0 else { return rejects }
        try await write(try factRows(rows), into: warehouse)
        return rejects
    }

    /// The columns of the fact table, made from the rows.
    private func factRows(_ rows: RecordBatch) throws -> RecordBatch {
        var rows = rows
        if let key = facts.key { rows = rows.setting(key.column, try key.from.keys(of: rows)) }
        for constant in facts.constants {
            rows = try rows.setting(
                constant.column, to: constant.value, facts.table.schema[constant.column]?.type ?? .utf8)
        }
        if let current = facts.current { rows = try rows.setting(current.flag, to: .bool(true), .bool) }
        return try rows.picking(facts.table.schema.names.filter { rows[$0] != nil }.map { ($0, $0) })
    }

    private func write(_ rows: RecordBatch, into warehouse: any Warehouse) async throws {
        if facts.replacing.isEmpty {
            let updated = rows.schema.names.filter { !facts.grain.contains($0) }
            counts =
                counts + (try await warehouse.merge(rows, into: facts.table.name, on: facts.grain, updating: updated))
        } else {
            let partitions = replaced.insert(try rows.picking(facts.replacing.map { ($0, $0) }))
            if partitions.count > 0 { try await replace(partitions, in: warehouse) }
            counts = counts + (try await warehouse.insert(rows, into: facts.table.name))
        }
        if let current = facts.current { _ = affected.insert(try rows.picking(current.keys.map { ($0, $0) })) }
    }

    /// Removes what an earlier load put in the partitions, remembering whose current flags that may change.
    private func replace(_ partitions: RecordBatch, in warehouse: any Warehouse) async throws {
        if let current = facts.current {
            let old = try await warehouse.lookup(
                facts.table.name, keys: partitions, returning: current.keys.filter { partitions[$0] == nil })
            if old.count > 0 { _ = affected.insert(try old.picking(current.keys.map { ($0, $0) })) }
        }
        removed += try await warehouse.delete(from: facts.table.name, matching: partitions)
    }

    func finish(in warehouse: any Warehouse) async throws -> WriteCounts {
        if let current = facts.current {
            for keys in affected.batches {
                _ = try await warehouse.markLatest(
                    in: facts.table.name, flag: current.flag, by: current.order, for: keys)
            }
        }
        context.log.info(
            "facts loaded", [("table", facts.table.name), ("rows", "\(counts.written)"), ("replaced", "\(removed)")])
        return counts
    }
}

/// Distinct keys seen so far, kept as columns.
private struct KeySet {
    private(set) var batches: [RecordBatch] = []
    private var index: [UInt64: [(batch: Int, row: Int32)]] = [:]

    /// Adds the distinct rows of `keys` that are new and gives them back.
    mutating func insert(_ keys: RecordBatch) -> RecordBatch {
        let distinct = DistinctRows(keys.columns, count: keys.count).rows(of: keys)
        let hashes = Kernels.hash(distinct.columns)
        let equalities = batches.map { RowEquality(distinct.columns, $0.columns) }
        let new = (0..<distinct.count).filter { row in
            !index[hashes[row], default: []].contains { equalities[$0.batch](row, Int($0.row)) }
        }
        let added = new.map { Int32($0) }.withUnsafeBufferPointer { Kernels.take(distinct, indices: $0) }
        guard added.count > 0 else { return added }
        for (position, row) in new.enumerated() {
            index[hashes[row], default: []].append((batches.count, Int32(position)))
        }
        batches.append(added)
        return added
    }
}
