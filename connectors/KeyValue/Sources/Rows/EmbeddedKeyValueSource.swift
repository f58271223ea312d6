public import HeadraceColumnar
public import HeadraceCore

/// The items of a table of a store file as rows; the table's key is read from the file.
public struct EmbeddedKeyValueSource: ResumableSource {
    /// The store's file.
    public let path: String
    /// The table that is read.
    public let table: String
    /// What a row holds.
    public let shape: KeyValueSource.Shape

    /// A table of the store at `path`, which must be there when reading starts.
    public init(path: String, table: String, shape: KeyValueSource.Shape = .columns) {
        self.path = path
        self.table = table
        self.shape = shape
    }

    public var name: String { "kv:\(path)#\(table)" }

    public func schema(in context: RunContext) async throws -> Schema {
        try await source(in: context).schema(in: context)
    }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws
        -> KeyValueReader
    {
        try await source(in: context).openReader(for: schema, from: position, in: context)
    }

    private func source(in context: RunContext) async throws -> KeyValueSource {
        let store = EmbeddedKeyValueStore(at: path, clock: context.clock, creates: false)
        let key: KeySchema
        do {
            key = try await store.key(of: table)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
        return KeyValueSource("kv:\(path)", table: table, key: key, shape: shape) { [path] context in
            EmbeddedKeyValueStore(at: path, clock: context.clock, creates: false)
        }
    }
}
