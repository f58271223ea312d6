import ArgumentParser
import HeadraceColumnar
import HeadraceCore
import HeadraceKeyValue
import HeadraceRuntime

/// Looks into key-value stores.
struct KeyValueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kv", abstract: "Look into a key-value store; one JSON item a line.",
        subcommands: [KeyValueGet.self, KeyValueScan.self])
}

/// The store and table of a location such as `kv:store.db?table=Prices`.
private struct KeyValueTable {
    let store: EmbeddedKeyValueStore
    let table: String

    init(_ text: String) throws {
        let location = try Location(text) { _ in false }
        guard location.scheme == "kv" else {
            throw HeadraceError(.badLocation, "\(location) is no key-value store", hint: "write kv:FILE?table=NAME")
        }
        guard let table = location["table"] else {
            throw HeadraceError(.badOption, "\(location) names no table", hint: "add ?table=NAME")
        }
        store = EmbeddedKeyValueStore(at: location.address, clock: SystemClock(), creates: false)
        self.table = table
    }

    /// The item whose key attributes have these values; a text that is a number finds numbers too.
    func item(_ values: [String]) async throws -> Item? {
        let key = try await store.tables().first { $0.name == table }?.key
        guard let key else { throw HeadraceError(.notFound, "there is no table \(table) in \(store.name)") }
        guard key.names.count == values.count else {
            throw HeadraceError(
                .badOption, "the key of \(table) is \(key.names.joined(separator: " and "))",
                hint: "give \(key.names.count == 1 ? "one value" : "two values, in this order")")
        }
        var candidates: [Item] = [[:]]
        for (name, value) in zip(key.names, values) {
            let readings = [AttributeValue.string(value)] + (JSONNumber(value) == nil ? [] : [.number(value)])
            candidates = candidates.flatMap { item in readings.map { item.merging([name: $0]) { $1 } } }
        }
        var mismatch: (any Error)?
        for candidate in candidates {
            do {
                if let found = try await store.get(table, key: candidate) { return found }
                mismatch = nil
            } catch let error as HeadraceError where error.code == .init("invalidItem") {
                mismatch = error
            }
        }
        if let mismatch { throw mismatch }
        return nil
    }
}

struct KeyValueGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "get", abstract: "Print the item of a key.")
    @Argument(help: "kv:FILE?table=NAME") var location: String
    @Argument(help: "The value of the partition key, then that of the sort key where the table has one.")
    var values: [String]
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let table = try KeyValueTable(location)
        let item = try await table.item(values)
        await table.store.close()
        guard let item else {
            throw HeadraceError(.notFound, "there is no item \(values.joined(separator: ", ")) in \(table.table)")
        }
        StandardStreams.output(ItemText.json(item).compactText + "\n")
    }
}

struct KeyValueScan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "scan", abstract: "Print all items, in key order.")
    @Argument(help: "kv:FILE?table=NAME") var location: String
    @Option(help: "At most this many.") var limit: Int?
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit takes a number from 1") }
    }

    func run() async throws {
        let table = try KeyValueTable(location)
        var left = limit ?? Int.max
        var after: Item?
        repeat {
            let (items, last) = try await table.store.scan(table.table, after: after, limit: min(left, 500))
            for item in items { StandardStreams.output(ItemText.json(item).compactText + "\n") }
            left -= items.count
            after = last
        } while after != nil && left > 0
        await table.store.close()
    }
}

/// Items as plain JSON: numbers as numbers, binary as hex, sets as arrays, attributes in name order.
enum ItemText {
    static func json(_ item: Item) -> JSONValue {
        .object(item.sorted { $0.key < $1.key }.map { ($0.key, value($0.value)) })
    }

    private static func value(_ attribute: AttributeValue) -> JSONValue {
        switch attribute {
        case .null: .null
        case .bool(let bit): .bool(bit)
        case .number(let text): JSONNumber(text).map(JSONValue.number) ?? .string(text)
        case .string(let text): .string(text)
        case .binary(let bytes): .string(Scalar.binary(bytes).description)
        case .list(let values): .array(values.map(value))
        case .map(let members): json(members)
        case .stringSet(let values): .array(values.map { .string($0) })
        case .numberSet(let values): .array(values.map { JSONNumber($0).map(JSONValue.number) ?? .string($0) })
        case .binarySet(let values): .array(values.map { .string(Scalar.binary($0).description) })
        }
    }
}
