/// A typed attribute of an item, after DynamoDB's attribute values.
public indirect enum AttributeValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A number as exact text of at most 38 significant digits.
    case number(String)
    case string(String)
    case binary([UInt8])
    case list([AttributeValue])
    case map([String: AttributeValue])
    case stringSet([String])
    case numberSet([String])
    case binarySet([[UInt8]])
}

/// An item: attributes by name, key attributes included.
public typealias Item = [String: AttributeValue]

/// The type of a key attribute.
public enum KeyType: String, Sendable, Hashable {
    case string = "S"
    case number = "N"
    case binary = "B"
}

/// The key of a table: a partition attribute and, where items share it, a sort attribute, each of one type.
public struct KeySchema: Sendable, Hashable {
    public var partition: String
    public var partitionType: KeyType
    public var sort: String?
    public var sortType: KeyType
    public init(
        partition: String, partitionType: KeyType = .string, sort: String? = nil, sortType: KeyType = .string
    ) {
        self.partition = partition
        self.partitionType = partitionType
        self.sort = sort
        self.sortType = sortType
    }

    /// The key attributes in order.
    public var names: [String] { [partition] + (sort.map { [$0] } ?? []) }
}

/// A condition on the item that is there, checked together with the write.
public enum WriteCondition: Sendable, Hashable {
    case notExists
    case exists
    /// The attribute is absent or less than the value (numbers and strings).
    case lessThan(attribute: String, AttributeValue)
    case equals(attribute: String, AttributeValue)
}

/// One write of a batch.
public enum KeyValueWrite: Sendable, Hashable {
    case put(Item)
    case delete(key: Item)
}

/// A key-value store in DynamoDB's terms: tables of items under a partition key and an optional sort key.
///
/// The embedded store and DynamoDB are held to the same contract: same inputs, same stored items, same errors.
public protocol KeyValueStore: Sendable {
    var name: String { get }
    /// Makes the table when it is not there; `ttl` names the attribute of seconds since 1970 after which items expire.
    func ensureTable(_ table: String, key: KeySchema, ttl: String?) async throws
    func get(_ table: String, key: Item) async throws -> Item?
    /// Writes one item when `condition` holds; false when it does not.
    func put(_ table: String, _ item: Item, if condition: WriteCondition?) async throws -> Bool
    /// Writes at most 25 puts and deletes, no key twice; returns those not done, to be tried again.
    func batchWrite(_ table: String, _ writes: [KeyValueWrite]) async throws -> [KeyValueWrite]
    /// Items in key order, at most `limit`, after the key `start`; expired items are left out.
    func scan(_ table: String, after start: Item?, limit: Int) async throws -> (items: [Item], last: Item?)
    /// Items of one partition in sort order.
    func query(_ table: String, partition: AttributeValue, after start: Item?, limit: Int) async throws -> (
        items: [Item], last: Item?
    )
    func close() async
}
