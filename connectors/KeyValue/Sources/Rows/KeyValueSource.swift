public import HeadraceColumnar
public import HeadraceCore

/// The items of a table as rows, in key order; reading goes on after any key.
public struct KeyValueSource: ResumableSource {
    /// What a row holds.
    public enum Shape: String, Sendable, Hashable {
        /// A column for each attribute.
        case columns
        /// One column `item` with the item as plain JSON.
        case item
    }

    public let name: String
    /// The table that is read.
    public let table: String
    /// What a row holds.
    public let shape: Shape
    /// Columns to read; nil finds them by looking at items.
    public let declared: Schema?
    private let provider: KeyValueStoreProvider
    private let key: KeySchema

    /// Items that are looked at to find columns and types.
    static let sampleSize = 10_000
    static let pageSize = 1000

    /// - Parameters:
    ///   - key: the table's key, whose columns come first.
    ///   - declared: columns and types; attributes that it leaves out are not read.
    public init(
        _ name: String, table: String, key: KeySchema, shape: Shape = .columns, declared: Schema? = nil,
        store: @escaping KeyValueStoreProvider
    ) {
        self.name = "\(name)#\(table)"
        self.table = table
        self.key = key
        self.shape = shape
        self.declared = declared
        provider = store
    }

    public func schema(in context: RunContext) async throws -> Schema {
        if let declared { return declared }
        guard shape == .columns else { return Schema([Field("item", .json, nullable: false)]) }
        let store = try provider(context)
        do {
            var columns = ItemColumns()
            var (seen, last) = (0, Item?.none)
            repeat {
                try context.cancellation.check()
                let page = try await store.scan(table, after: last, limit: Self.pageSize)
                for item in page.items { columns.see(item) }
                seen += page.items.count
                last = page.last
            } while last != nil && seen < Self.sampleSize
            await store.close()
            return columns.schema(key)
        } catch {
            await store.close()
            throw error
        }
    }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws
        -> KeyValueReader
    {
        var after: Item?
        var rows = 0
        if let position {
            guard let found = position.value["after"], let count = position.value["rows"]?.integerValue else {
                throw HeadraceError(
                    .malformedInput, "the position of \(name) cannot be read", hint: "start over with --restart")
            }
            after = try ItemJSON.item(typed: found)
            rows = Int(count)
        }
        return KeyValueReader(
            try provider(context), self, schema, KeyValueReader.Start(after: after, rows: rows), key,
            context.cancellation)
    }
}

/// Reads the items of a `KeyValueSource`.
///
/// - Invariant (`@unchecked Sendable`): the mutable state is used by one caller of `next` at a time, as `SourceReader`
///   promises; `decode` touches only the chunk.
public final class KeyValueReader: SourceReader, @unchecked Sendable {
    /// A page of items and how many rows came before it.
    public struct Chunk: Sendable {
        let items: [Item]
        let rowsBefore: Int
    }

    struct Start {
        let after: Item?
        let rows: Int
    }

    private let store: any KeyValueStore
    private let source: KeyValueSource
    private let schema: Schema
    private let key: KeySchema
    private let cancellation: Cancellation
    private var after: Item?
    private var rows: Int
    private var isAtEnd = false

    init(
        _ store: any KeyValueStore, _ source: KeyValueSource, _ schema: Schema, _ start: Start, _ key: KeySchema,
        _ cancellation: Cancellation
    ) {
        self.store = store
        self.source = source
        self.schema = schema
        self.key = key
        self.cancellation = cancellation
        after = start.after
        rows = start.rows
    }

    public func next() async throws -> Read<Chunk> {
        while !isAtEnd {
            try cancellation.check()
            let page = try await store.scan(source.table, after: after, limit: KeyValueSource.pageSize)
            isAtEnd = page.last == nil
            // A page may be empty and not the last: a remote store gives up a page at its size, seen or not.
            after = page.last ?? page.items.last.map { item in item.filter { key.names.contains($0.key) } } ?? after
            guard !page.items.isEmpty, let after else { continue }
            let chunk = Chunk(items: page.items, rowsBefore: rows)
            rows += page.items.count
            return .chunk(
                chunk, Position(["after": ItemJSON.typed(after), "rows": .integer(rows)]))
        }
        return .end
    }

    public func decode(_ chunk: Chunk, sequence: UInt64) throws -> Batch {
        let origin = ItemOrigin(source: source.name, items: chunk.items, rowsBefore: chunk.rowsBefore)
        let builders = schema.fields.map { makeBuilder(for: $0.type, capacity: chunk.items.count) }
        var kept: [Int32] = []
        var problems: [(row: Int, problem: Problem)] = []
        for (row, item) in chunk.items.enumerated() {
            switch values(item) {
            case .success(let values):
                kept.append(Int32(row))
                for (builder, value) in zip(builders, values) { _ = builder.append(value) }
            case .failure(let problem): problems.append((row, problem))
            }
        }
        let records = RecordBatch(schema: schema, columns: builders.map { $0.finish() }, count: kept.count)
        let whole = Provenance(origin)
        let provenance =
            problems.isEmpty ? whole : kept.withUnsafeBufferPointer { whole.selecting($0) }
        let rejects = problems.map { row, problem in
            Reject(
                rule: "decode", code: problem.code, field: problem.field, value: problem.value,
                message: problem.message, place: whole.place(of: row), original: whole.original(of: row))
        }
        return Batch(
            records, provenance: provenance, rejects: rejects, stream: source.stream, sequence: sequence,
            recordsRead: chunk.items.count)
    }

    private struct Problem: Error {
        let code: String
        let field: String
        let value: String
        let message: String
    }

    private func values(_ item: Item) -> Result<[Scalar], Problem> {
        if source.shape == .item, source.declared == nil {
            return .success([.utf8(ItemJSON.plain(item).compactText)])
        }
        var values: [Scalar] = []
        values.reserveCapacity(schema.count)
        var found = 0
        for field in schema.fields {
            let attribute = item[field.name]
            if attribute != nil { found += 1 }
            guard let value = ItemColumns.scalar(attribute, field.type), !value.isNull || field.isNullable else {
                return .failure(
                    Problem(
                        code: attribute == nil ? "missing" : "wrongType", field: field.name,
                        value: attribute.map { ItemJSON.typed($0).compactText } ?? "",
                        message: "the attribute does not fit the column \(field)"))
            }
            values.append(value)
        }
        // Columns that were found by a look at some items must not hide what others have besides.
        if source.declared == nil, found < item.count,
            let extra = ItemJSON.ordered(item.keys).first(where: { schema[$0] == nil })
        {
            return .failure(
                Problem(
                    code: "unknownAttribute", field: extra,
                    value: item[extra].map { ItemJSON.typed($0).compactText } ?? "",
                    message: "the attribute was in none of the items that the columns were found from"))
        }
        return .success(values)
    }

    public func close() async { await store.close() }
}

/// Places of items: their ordinal in key order, and the item itself as typed JSON.
final class ItemOrigin: Origin {
    private let source: String
    private let items: [Item]
    private let rowsBefore: Int

    init(source: String, items: [Item], rowsBefore: Int) {
        self.source = source
        self.items = items
        self.rowsBefore = rowsBefore
    }

    func place(of row: Int) -> Place { Place(source: source, row: rowsBefore + row + 1) }
    func original(of row: Int) -> [UInt8]? { ItemJSON.typed(items[row]).compactBytes }
}
