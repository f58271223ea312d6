public import HeadraceColumnar
public import HeadraceCore

/// A warehouse's tables in memory, row by row: the reference that fact loads are tested against.
public actor MemoryWarehouse: Warehouse {
    /// A row by column name.
    public typealias Row = [String: Scalar]

    private var tables: [String: [Row]] = [:]
    private var definitions: [String: TableDefinition] = [:]

    /// A warehouse without tables; `ensure` makes them. It knows no transactions: every call shows at once.
    public init() {}

    /// The rows of a table, in the order in which they were inserted.
    public func rows(of table: String) -> [Row] { tables[table] ?? [] }

    public func ensure(_ table: TableDefinition) {
        definitions[table.name] = table
        if tables[table.name] == nil { tables[table.name] = [] }
    }

    private static func rows(_ batch: RecordBatch) -> [Row] {
        (0..<batch.count).map { index in Dictionary(uniqueKeysWithValues: zip(batch.schema.names, batch.row(at: index)))
        }
    }

    /// Equality as SQL has it: null equals nothing.
    private static func matches(_ row: Row, _ key: Row) -> Bool {
        key.allSatisfy { name, value in !value.isNull && row[name] == value }
    }

    public func lookup(_ table: String, keys: RecordBatch, returning: [String]) throws -> RecordBatch {
        guard let definition = definitions[table] else { throw HeadraceError(.notFound, "there is no table \(table)") }
        let wanted = Self.rows(keys)
        let names = keys.schema.names + returning.filter { !keys.schema.names.contains($0) }
        let found = (tables[table] ?? []).filter { row in wanted.contains { Self.matches(row, $0) } }
        let fields = names.compactMap { definition.schema[$0] }
        guard let batch = RecordBatch(schema: Schema(fields), rows: found.map { row in names.map { row[$0] ?? .null } })
        else {
            throw HeadraceError(.schemaMismatch, "rows of \(table) do not fit their columns")
        }
        return batch
    }

    public func insert(_ rows: RecordBatch, into table: String) throws -> WriteCounts {
        for row in Self.rows(rows) {
            let key = definitions[table]?.primaryKey ?? []
            let isThere =
                !key.isEmpty && (tables[table] ?? []).contains { old in key.allSatisfy { old[$0] == row[$0] } }
            guard !isThere else { throw HeadraceError(.unexpected, "the key \(key) is there already in \(table)") }
            tables[table, default: []].append(row)
        }
        return WriteCounts(inserted: rows.count)
    }

    public func merge(_ rows: RecordBatch, into table: String, on keys: [String], updating columns: [String])
        -> WriteCounts
    {
        var counts = WriteCounts()
        for row in Self.rows(rows) {
            let key = row.filter { keys.contains($0.key) }
            guard let index = (tables[table] ?? []).firstIndex(where: { Self.matches($0, key) }) else {
                tables[table, default: []].append(row)
                counts.inserted += 1
                continue
            }
            let old = tables[table]?[index] ?? [:]
            if columns.allSatisfy({ old[$0] == row[$0] }) {
                counts.unchanged += 1
            } else {
                for column in columns { tables[table]?[index][column] = row[column] }
                counts.updated += 1
            }
        }
        return counts
    }

    public func delete(from table: String, matching partitions: RecordBatch) -> Int {
        let gone = Self.rows(partitions)
        let before = tables[table]?.count ?? 0
        // A partition without a value is a partition like others.
        tables[table]?.removeAll { row in
            gone.contains { $0.allSatisfy { name, value in row[name, default: .null] == value } }
        }
        return before - (tables[table]?.count ?? 0)
    }

    public func markLatest(in table: String, flag: String, by order: String, for keys: RecordBatch) -> Int {
        var changed = 0
        for key in Self.rows(keys) {
            let indices = (tables[table] ?? []).indices.filter { Self.matches(tables[table]?[$0] ?? [:], key) }
            let latest = indices.compactMap { Self.number(tables[table]?[$0][order]) }.max()
            for index in indices {
                let value = Scalar.bool(Self.number(tables[table]?[index][order]) == latest)
                if tables[table]?[index][flag] != value { changed += 1 }
                tables[table]?[index][flag] = value
            }
        }
        return changed
    }

    /// The place of a date, time or integer in its order.
    private static func number(_ scalar: Scalar?) -> Int128? {
        switch scalar {
        case .date(let days)?: Int128(days)
        case .timestamp(let time)?, .time(let time)?: Int128(time)
        case .integer(let value)?: value
        default: nil
        }
    }

    public func closeIntervals(
        in table: String, keys: [String], until: String, flag: String?, rows: RecordBatch
    ) -> Int {
        var changed = 0
        for row in Self.rows(rows) {
            let key = row.filter { keys.contains($0.key) }
            for index in (tables[table] ?? []).indices {
                guard let old = tables[table]?[index], Self.matches(old, key), old[until, default: .null].isNull else {
                    continue
                }
                tables[table]?[index][until] = row[until]
                if let flag { tables[table]?[index][flag] = .bool(false) }
                changed += 1
            }
        }
        return changed
    }
}
