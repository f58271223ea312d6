import HeadraceColumnar
import HeadraceCore

/// Finds the members of a dimension for a batch of rows; makes, changes and versions them.
struct DimensionLoader {
    let dimension: Dimension
    let context: RunContext

    init(_ dimension: Dimension, context: RunContext) {
        self.dimension = dimension
        self.context = context
    }

    /// The member's key for each row and the rows that have none and are to be refused.
    func keys(for rows: RecordBatch, in warehouse: any Warehouse) async throws -> (keys: ColumnVector, refused: [Int]) {
        let natural = try rows.picking(dimension.naturalKey.map { ($0.column, $0.member) })
        let distinct = DistinctRows(natural.columns, count: rows.count)
        let members = distinct.rows(of: rows)
        let memberKeys = distinct.rows(of: natural)
        let hasKey = (0..<members.count).map { row in memberKeys.columns.allSatisfy { $0.isValid(row) } }
        var keys = try await find(memberKeys, hasKey, members, in: warehouse)
        var refused: Set<Int> = []
        let missing = (0..<members.count).filter { keys[$0] == .null }
        if !missing.isEmpty {
            switch dimension.missing {
            case .inserted(let flag):
                let new = missing.filter { hasKey[$0] }
                if !new.isEmpty {
                    for (row, key) in zip(new, try await insert(new, of: members, inferred: flag, in: warehouse)) {
                        keys[row] = key
                    }
                }
                refused = Set(missing.filter { !hasKey[$0] })
            case .unknown(let key, let attributes):
                try await ensureUnknown(key, attributes, in: warehouse)
                for row in missing { keys[row] = key }
            case .rejected: refused = Set(missing)
            }
        }
        guard let keyType = dimension.table.schema[dimension.key]?.type, let column = ColumnVector.of(keyType, keys)
        else {
            throw HeadraceError(
                .schemaMismatch, "the keys of dimension \(dimension.table.name) do not fit their column")
        }
        let spread = distinct.group.map { Int32($0) }.withUnsafeBufferPointer { Kernels.take(column, indices: $0) }
        return (spread, (0..<rows.count).filter { refused.contains(distinct.group[$0]) })
    }

    /// The keys of the members that are there, null for others; changed ones are overwritten or get a new version.
    private func find(
        _ memberKeys: RecordBatch, _ hasKey: [Bool], _ members: RecordBatch, in warehouse: any Warehouse
    ) async throws -> [Scalar] {
        let asked = hasKey.indices.filter { hasKey[$0] }.map { Int32($0) }
        guard !asked.isEmpty else { return Array(repeating: .null, count: members.count) }
        let wanted = asked.withUnsafeBufferPointer { Kernels.take(memberKeys, indices: $0) }
        let compared = (dimension.versioned + dimension.overwritten).map(\.member)
        var returning = [dimension.key] + compared
        if let current = dimension.validity?.current { returning.append(current) }
        var found = try await warehouse.lookup(
            dimension.table.name, keys: wanted, returning: returning.filter { wanted[$0] == nil })
        if let current = dimension.validity?.current, let flags = found[current] {
            found = Kernels.filter(found, where: flags)
        }
        guard let foundKeys = found[dimension.key] else {
            throw HeadraceError(.schemaMismatch, "dimension \(dimension.table.name) gave no \(dimension.key)")
        }
        let natural = try found.picking(dimension.naturalKey.map { ($0.member, $0.member) })
        let matches = DistinctRows.match(
            memberKeys.columns, count: members.count, in: natural.columns, count: found.count)
        var keys = matches.map { $0 < 0 ? Scalar.null : foundKeys.scalar(at: Int($0)) }
        try await overwrite(matches, found, members, in: warehouse)
        for (row, key) in try await version(matches, found, members, in: warehouse) { keys[row] = key }
        return keys
    }

    /// Rows of `members` whose attributes differ from the member found.
    private func changed(
        _ attributes: [Dimension.Attribute], _ matches: [Int32], _ found: RecordBatch, _ members: RecordBatch
    ) throws -> [Int] {
        guard !attributes.isEmpty else { return [] }
        let new = try members.picking(attributes.map { ($0.column, $0.member) })
        let old = try found.picking(attributes.map { ($0.member, $0.member) })
        let equality = RowEquality(new.columns, old.columns)
        return matches.indices.filter { matches[$0] >= 0 && !equality($0, Int(matches[$0])) }
    }

    private func overwrite(
        _ matches: [Int32], _ found: RecordBatch, _ members: RecordBatch, in warehouse: any Warehouse
    ) async throws {
        let rows = try changed(dimension.overwritten, matches, found, members)
        guard !rows.isEmpty else { return }
        let picked = rows.map { Int32($0) }.withUnsafeBufferPointer { Kernels.take(members, indices: $0) }
        let columns =
            dimension.naturalKey.map { ($0.column, $0.member) } + dimension.overwritten.map { ($0.column, $0.member) }
        var update = try picked.picking(columns)
        for (member, value) in dimension.touched {
            update = try update.setting(member, to: value, dimension.table.schema[member]?.type ?? .utf8)
        }
        let natural = dimension.naturalKey.map(\.member)
        _ = try await warehouse.merge(
            update, into: dimension.table.name, on: natural,
            updating: update.schema.names.filter { !natural.contains($0) })
    }

    /// Ends the current versions of changed members and begins new ones; gives the new keys.
    private func version(
        _ matches: [Int32], _ found: RecordBatch, _ members: RecordBatch, in warehouse: any Warehouse
    ) async throws -> [(row: Int, key: Scalar)] {
        guard let validity = dimension.validity else { return [] }
        let rows = try changed(dimension.versioned, matches, found, members)
        guard !rows.isEmpty else { return [] }
        let picked = rows.map { Int32($0) }.withUnsafeBufferPointer { Kernels.take(members, indices: $0) }
        let ending = try picked.picking(
            dimension.naturalKey.map { ($0.column, $0.member) } + [(validity.effective, validity.until)])
        _ = try await warehouse.closeIntervals(
            in: dimension.table.name, keys: dimension.naturalKey.map(\.member), until: validity.until,
            flag: validity.current,
            rows: ending)
        return Array(zip(rows, try await insert(rows, of: members, inferred: nil, in: warehouse)))
    }

    /// Makes members of the rows and gives their keys.
    private func insert(
        _ rows: [Int], of members: RecordBatch, inferred flag: String?, in warehouse: any Warehouse
    ) async throws -> [Scalar] {
        let picked = rows.map { Int32($0) }.withUnsafeBufferPointer { Kernels.take(members, indices: $0) }
        let keys = try dimension.newKey.keys(of: picked)
        var columns = dimension.naturalKey.map { ($0.column, $0.member) }
        columns += dimension.attributes.map { ($0.column, $0.member) }.filter { pair in
            !columns.contains { $0.1 == pair.1 }
        }
        var new = try picked.picking(columns).setting(dimension.key, keys)
        for (member, value) in dimension.constants {
            new = try new.setting(member, to: value, dimension.table.schema[member]?.type ?? .utf8)
        }
        if let flag { new = try new.setting(flag, to: .bool(true), .bool) }
        if let validity = dimension.validity {
            guard let since = picked[validity.effective] else {
                throw HeadraceError(
                    .schemaMismatch, "versions of \(dimension.table.name) need column \"\(validity.effective)\"")
            }
            new = new.setting(validity.from, since)
            if let current = validity.current { new = try new.setting(current, to: .bool(true), .bool) }
        }
        _ = try await warehouse.insert(new, into: dimension.table.name)
        return keys.scalars
    }

    private func ensureUnknown(
        _ key: Scalar, _ attributes: [(member: String, value: Scalar)], in warehouse: any Warehouse
    ) async throws {
        let columns = [(member: dimension.key, value: key)] + attributes + dimension.constants
        let fields = columns.compactMap { dimension.table.schema[$0.member] }
        guard fields.count == columns.count, let row = RecordBatch(schema: Schema(fields), rows: [columns.map(\.value)])
        else {
            throw HeadraceError(
                .schemaMismatch, "the unknown member of \(dimension.table.name) does not fit its columns")
        }
        _ = try await warehouse.merge(row, into: dimension.table.name, on: [dimension.key], updating: [])
    }
}
