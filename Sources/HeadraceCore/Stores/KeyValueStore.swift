/// A typed attribute of an item, after DynamoDB's attribute values.
public indirect enum AttributeValue: Sendable, Hashable {
    /// A null that is stored, unlike an attribute that is not there.
    case null
    /// A truth value; not for keys.
    case bool(Bool)
    /// A number as exact text of at most 38 significant digits.
    case number(String)
    /// UTF-8 text, ordered by its bytes.
    case string(String)
    /// Bytes of any kind, ordered as unsigned numbers.
    case binary([UInt8])
    /// Values in order, of different types if need be.
    case list([AttributeValue])
    /// Values by name, in no order.
    case map([String: AttributeValue])
    /// Different texts in no order, at least one.
    case stringSet([String])
    /// Different numbers in no order, at least one, each as exact text.
    case numberSet([String])
    /// Different byte strings in no order, at least one.
    case binarySet([[UInt8]])
}

/// An item: attributes by name, key attributes included.
public typealias Item = [String: AttributeValue]

/// The type of a key attribute.
public enum KeyType: String, Sendable, Hashable {
    /// Text, ordered by its UTF-8 bytes.
    case string = "S"
    /// Numbers, ordered by value: 10 follows 9.
    case number = "N"
    /// Bytes, ordered as unsigned numbers.
    case binary = "B"
}

/// The key of a table: a partition attribute and, where items share it, a sort attribute, each of one type.
public struct KeySchema: Sendable, Hashable {
    /// The attribute that every item has and that says which items belong together.
    public var partition: String
    /// The one type of the partition attribute; items with another are refused.
    public var partitionType: KeyType
    /// The attribute that orders the items of a partition; nil allows one item a partition.
    public var sort: String?
    /// The one type of the sort attribute; without meaning while `sort` is nil.
    public var sortType: KeyType
    /// A key of text attributes unless told otherwise, with one item a partition unless `sort` is given.
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
    /// No item has the key yet: the write only inserts.
    case notExists
    /// An item has the key: the write only replaces.
    case exists
    /// The attribute is absent or less than the value (numbers and strings).
    case lessThan(attribute: String, AttributeValue)
    /// The attribute is there and has this value and type.
    case equals(attribute: String, AttributeValue)
}

/// One write of a batch.
public enum KeyValueWrite: Sendable, Hashable {
    /// Puts the item in the place of the one with its key, all attributes of which go.
    case put(Item)
    /// Removes the item with this key, which holds the key attributes only; does nothing when there is none.
    case delete(key: Item)
}

/// A key-value store in DynamoDB's terms: tables of items under a partition key and an optional sort key.
///
/// The embedded store and DynamoDB are held to the same contract: same inputs, same stored items, same errors.
public protocol KeyValueStore: Sendable {
    /// The store's name in messages; never holds a secret.
    var name: String { get }
    /// Makes the table when it is not there; `ttl` names the attribute of seconds since 1970 after which items expire.
    func ensureTable(_ table: String, key: KeySchema, ttl: String?) async throws
    /// The item with this key, which holds the key attributes only; nil when there is none or it has expired.
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
    /// Lets go of files and connections; the last call to a store.
    func close() async
}
