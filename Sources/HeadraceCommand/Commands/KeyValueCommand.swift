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
    let store: any KeyValueStore
    let table: String
    let key: String

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
        key = location["key"] ?? "Id"
    }
}

struct KeyValueGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "get", abstract: "Print the item of a key.")
    @Argument(help: "kv:FILE?table=NAME[&key=ATTRIBUTE]") var location: String
    @Argument(help: "The key's value.") var value: String

    func run() async throws {
        let table = try KeyValueTable(location)
        let item = try await table.store.get(table.table, key: [table.key: .string(value)])
        await table.store.close()
        guard let item else {
            throw HeadraceError(.notFound, "there is no item \(table.key) = \(value) in \(table.table)")
        }
        StandardStreams.output(ItemText.json(item).compactText + "\n")
    }
}

struct KeyValueScan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "scan", abstract: "Print all items, in key order.")
    @Argument(help: "kv:FILE?table=NAME") var location: String
    @Option(help: "At most this many.") var limit: Int?

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
