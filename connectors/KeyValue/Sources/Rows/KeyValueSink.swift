public import HeadraceColumnar
public import HeadraceCore

/// Makes the store for a run.
public typealias KeyValueStoreProvider = @Sendable (_ context: RunContext) throws -> any KeyValueStore

/// Rows put as items into a table of a key-value store, by key.
///
/// With a `TransactionalKeyValueStore`, such as the embedded one, nothing is seen before the commit, the checkpoint is
/// committed with the items, and counts tell inserted, updated and unchanged items apart. Other stores show items as they
/// are written; a run that fails is put right by the next one, since a put by key may be repeated. Their counts
/// call every put an update.
public struct KeyValueSink: UpsertingSink {
    public let name: String
    /// The table, made when it is not there.
    public let table: String
    /// Attributes of the key: the partition's, and the sort key's where the table has one.
    public let key: [String]
    /// The attribute after whose time, in seconds since 1970, an item expires.
    public let ttl: String?
    /// How rows become items.
    public let mapping: ItemMapping
    /// Attributes that an item keeps from the one it replaces, such as the time it was first made.
    public let keeping: [String]
    private let provider: KeyValueStoreProvider

    /// - Parameters:
    ///   - name: the store's name in messages and state.
    ///   - key: one or two columns.
    /// - Throws: `badOption` for another number of key columns.
    public init(
        _ name: String, table: String, key: [String], ttl: String? = nil, mapping: ItemMapping = ItemMapping(),
        keeping: [String] = [], store: @escaping KeyValueStoreProvider
    ) throws(HeadraceError) {
        guard (1...2).contains(key.count) else {
            throw HeadraceError(
                .badOption, "a key-value table has one or two key attributes, not \(key.count)",
                hint: "write key=Id, or key=Partition,Sort")
        }
        self.name = "\(name)#\(table)"
        self.table = table
        self.key = key
        self.ttl = ttl
        self.mapping = mapping
        self.keeping = keeping
        provider = store
    }

    /// The key of the table for rows of a schema.
    func keySchema(_ schema: Schema) throws(HeadraceError) -> KeySchema {
        var types: [KeyType] = []
        for name in key {
            guard let field = schema[name] else {
                throw HeadraceError(
                    .schemaMismatch, "the key column \(name) is not among the rows' columns",
                    fields: [("columns", schema.names.joined(separator: ", "))])
            }
            guard let type = mapping.keyType(of: field.type) else {
                throw HeadraceError(
                    .schemaMismatch, "the column \(name) of type \(field.type) cannot be a key",
                    hint: "a key is text, a whole or exact number, binary, a date or a time")
            }
            types.append(type)
        }
        return KeySchema(
            partition: key[0], partitionType: types[0], sort: key.count == 2 ? key[1] : nil,
            sortType: key.count == 2 ? types[1] : .string)
    }

    private func check(_ mode: SinkMode) throws(HeadraceError) {
        guard case .upsert(let columns) = mode else {
            throw HeadraceError(
                .unsupported, "a key-value store cannot be written by \(mode.name)", fields: [("modes", "upsert")],
                hint: "use --mode upsert --key \(key.joined(separator: ","))")
        }
        guard columns.isEmpty || Set(columns) == Set(key) else {
            throw HeadraceError(
                .badOption, "rows of \(table) are matched by the table's key",
                fields: [("expected", key.joined(separator: ", ")), ("found", columns.joined(separator: ", "))])
        }
    }

    public func openWriter(for schema: Schema, mode: SinkMode, in context: RunContext) async throws
        -> KeyValueSinkWriter
    {
        try check(mode)
        let keySchema = try keySchema(schema)
        let store = try provider(context)
        do {
            try await store.ensureTable(table, key: keySchema, ttl: ttl)
            if let transactional = store as? any TransactionalKeyValueStore {
                let transaction = try await transactional.beginTransaction(
                    table, sink: name, keeping: keeping, in: context)
                return KeyValueSinkWriter(mapping, keySchema, store, .transaction(transaction))
            }
            guard keeping.isEmpty else {
                throw HeadraceError(
                    .unsupported, "\(store.name) cannot keep attributes of items that are replaced",
                    fields: [("attributes", keeping.joined(separator: ", "))])
            }
            let putter = BatchPutter(store, table: table, key: keySchema, in: context)
            return KeyValueSinkWriter(mapping, keySchema, store, .puts(putter))
        } catch {
            await store.close()
            throw error
        }
    }

    public func committed(in context: RunContext) async throws -> Checkpoint? {
        let store = try provider(context)
        let checkpoint: Checkpoint?
        do {
            checkpoint = try await (store as? any TransactionalKeyValueStore)?.committed(sink: name, in: context)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
        return checkpoint
    }

    public func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String] {
        try check(mode)
        let keySchema = try keySchema(schema)
        return [
            "make the table \(table) with key \(KeyValueTable.describe(keySchema)) in \(name) unless it is there",
            "put an item for each row, in batches of \(ItemRules.largestBatch) or in one transaction",
        ]
    }
}
