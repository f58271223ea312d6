public import HeadraceCore

/// Key-value stores in a file for the command line: `kv:store.db?table=Prices&key=Id`.
public struct KeyValueConnector: RowConnector {
    /// The connector; it holds no state and opens nothing by itself.
    public init() {}

    public let name = "kv"
    public let schemes = ["kv"]
    public let options = [
        ConnectorOption("table", "NAME", "the table"),
        ConnectorOption("key", "NAME[,NAME]", "partition attribute and sort attribute; needed to write"),
        ConnectorOption("ttl", "NAME", "attribute of seconds since 1970 after which an item expires"),
        ConnectorOption("decimals", "number|string", "how exact decimals are written (number)"),
        ConnectorOption("nulls", "absent|null", "what becomes of nulls (absent)"),
        ConnectorOption("keep", "NAME[,NAME…]", "attributes that an item keeps from the one it replaces"),
        ConnectorOption(
            "as", "columns|item", "read a column for each attribute, or one with the item as JSON (columns)"),
    ]

    public func source(at location: Location) throws -> any Source {
        let table = try table(location)
        let path = try path(location)
        let shape = try choice(location, "as", KeyValueSource.Shape.columns)
        return EmbeddedKeyValueSource(path: path, table: table, shape: shape)
    }

    public func sink(at location: Location) throws -> any Sink {
        let path = try path(location)
        guard let key = location["key"] else {
            throw HeadraceError(
                .badOption, "a key is needed to write to \(location)", hint: "add key=COLUMN, or key=PARTITION,SORT")
        }
        let mapping = ItemMapping(
            decimals: try choice(location, "decimals", .number), nulls: try choice(location, "nulls", .absent))
        return try KeyValueSink(
            "kv:\(path)", table: try table(location), key: Self.names(key), ttl: location["ttl"], mapping: mapping,
            keeping: location["keep"].map(Self.names) ?? [],
            store: { EmbeddedKeyValueStore(at: path, clock: $0.clock) })
    }

    /// The store of a location, for reading single items; it is not made when it is not there.
    ///
    /// - Throws: `badLocation` for a location without a path.
    public func store(at location: Location, in context: RunContext) throws -> EmbeddedKeyValueStore {
        EmbeddedKeyValueStore(at: try path(location), clock: context.clock, creates: false)
    }

    public func check(_ location: Location, in context: RunContext) async throws -> String {
        let store = try store(at: location, in: context)
        do {
            var found: [String] = []
            for table in try await store.tables() where location["table"] == nil || location["table"] == table.name {
                let count = try await store.count(table.name)
                found.append("\(table.name) with key \(KeyValueTable.describe(table.key)), \(count) items")
            }
            // A table that was named and is not there is an error, with the names of those that are.
            if found.isEmpty, let name = location["table"] { _ = try await store.count(name) }
            await store.close()
            return found.isEmpty ? "\(store.path): no tables" : "\(store.path): \(found.joined(separator: "; "))"
        } catch {
            await store.close()
            throw error
        }
    }

    private func path(_ location: Location) throws(HeadraceError) -> String {
        let known = options.map(\.name)
        for option in location.options where !known.contains(option.name) {
            throw HeadraceError(
                .badOption, "\(option.name) is no option of the kv connector",
                fields: [("options", known.joined(separator: ", "))])
        }
        guard !location.address.isEmpty else {
            throw HeadraceError(.badLocation, "the location names no file", hint: "write kv:FILE.db?table=NAME")
        }
        return location.address
    }

    private func table(_ location: Location) throws(HeadraceError) -> String {
        guard let table = location["table"], !table.isEmpty else {
            throw HeadraceError(.badOption, "the location \(location) names no table", hint: "add table=NAME")
        }
        return table
    }

    private static func names(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }

    private func choice<T: RawRepresentable<String>>(
        _ location: Location, _ option: String, _ usual: T
    ) throws(HeadraceError) -> T {
        guard let text = location[option] else { return usual }
        guard let value = T(rawValue: text) else {
            let form = options.first { $0.name == option }?.form ?? ""
            throw HeadraceError(.badOption, "\(option)=\(text) is not understood", fields: [("values", form)])
        }
        return value
    }
}
