public import HeadraceCore

/// What DynamoDB demands of items and keys, so that the embedded store takes and refuses the same.
///
/// Numbers are brought to the one form in which they are given back; nothing else is changed.
public enum ItemRules {
    /// The largest item, names and values together.
    public static let largestItem = 400 << 10
    /// The most writes of a batch.
    public static let largestBatch = 25
    /// How deep lists and maps may stand in each other.
    static let deepest = 32
    private static let longestPartition = 2048
    private static let longestSort = 1024

    /// The item as a table of this key stores it.
    ///
    /// - Throws: `invalidItem` or `itemTooLarge`.
    public static func checked(_ item: Item, key: KeySchema) throws(HeadraceError) -> Item {
        var result: Item = [:]
        result.reserveCapacity(item.count)
        for (name, value) in item {
            guard !name.isEmpty else { throw .invalidItem("an attribute has an empty name") }
            result[name] = try checked(value, name, depth: 1)
        }
        try checkKey(result, key)
        let size = result.reduce(0) { $0 + $1.key.utf8.count + Self.size($1.value) }
        guard size <= largestItem else {
            throw HeadraceError(
                .itemTooLarge, "an item of \(size) bytes is larger than the \(largestItem) allowed",
                fields: keyFields(result, key), hint: "keep large values elsewhere and store where they are")
        }
        return result
    }

    /// Exactly the key attributes, as a table of this key wants them.
    ///
    /// - Throws: `invalidItem` when one is missing, of another type, empty or too long, or another attribute is there.
    public static func checkedKey(_ key: Item, _ schema: KeySchema) throws(HeadraceError) -> Item {
        var result: Item = [:]
        for (name, value) in key {
            guard schema.names.contains(name) else {
                throw .invalidItem("the attribute is not part of the key", attribute: name)
            }
            result[name] = try checked(value, name, depth: 1)
        }
        try checkKey(result, schema)
        return result
    }

    private static func checkKey(_ item: Item, _ key: KeySchema) throws(HeadraceError) {
        _ = try orderedKey(item, key)
    }

    /// The key as bytes whose order is the order of keys: the partition, and the sort key or nothing.
    static func orderedKey(_ item: Item, _ key: KeySchema) throws(HeadraceError) -> (partition: [UInt8], sort: [UInt8])
    {
        let partition = try ordered(item[key.partition], key.partition, key.partitionType, longestPartition)
        guard let name = key.sort else { return (partition, []) }
        return (partition, try ordered(item[name], name, key.sortType, longestSort))
    }

    static func ordered(
        _ value: AttributeValue?, _ name: String, _ type: KeyType, _ longest: Int = longestPartition
    ) throws(HeadraceError) -> [UInt8] {
        let bytes: [UInt8]
        switch (value, type) {
        case (nil, _): throw .invalidItem("the item has no value for a key attribute", attribute: name)
        case (.string(let text), .string): bytes = Array(text.utf8)
        case (.binary(let value), .binary): bytes = value
        case (.number(let text), .number):
            do {
                return try AttributeNumber(text).orderedBytes
            } catch {
                throw problem(error, text, name)
            }
        case (.some(let other), _):
            throw .invalidItem(
                "the key attribute is of type \(Self.type(of: other)), not \(type.rawValue)", attribute: name)
        }
        guard !bytes.isEmpty else { throw .invalidItem("a key attribute is empty", attribute: name) }
        guard bytes.count <= longest else {
            throw .invalidItem(
                "a key attribute of \(bytes.count) bytes is longer than the \(longest) allowed", attribute: name)
        }
        return bytes
    }

    // MARK: - Values

    private static func checked(
        _ value: AttributeValue, _ name: String, depth: Int
    ) throws(HeadraceError) -> AttributeValue {
        switch value {
        case .null, .bool, .string, .binary: return value
        case .number(let text): return .number(try number(text, name))
        case .list(let values):
            try checkDepth(depth, name)
            var list: [AttributeValue] = []
            list.reserveCapacity(values.count)
            for element in values { list.append(try checked(element, name, depth: depth + 1)) }
            return .list(list)
        case .map(let members):
            try checkDepth(depth, name)
            var map: Item = [:]
            for (member, element) in members { map[member] = try checked(element, name, depth: depth + 1) }
            return .map(map)
        case .stringSet(let texts):
            try checkSet(texts, name)
            return value
        case .binarySet(let sets):
            try checkSet(sets, name)
            return value
        case .numberSet(let texts):
            var numbers: [String] = []
            for text in texts { numbers.append(try number(text, name)) }
            try checkSet(numbers, name)
            return .numberSet(numbers)
        }
    }

    private static func checkDepth(_ depth: Int, _ name: String) throws(HeadraceError) {
        guard depth <= deepest else {
            throw .invalidItem("lists and maps stand more than \(deepest) deep in each other", attribute: name)
        }
    }

    private static func checkSet(_ values: [some Hashable], _ name: String) throws(HeadraceError) {
        guard !values.isEmpty else { throw .invalidItem("a set is empty", attribute: name) }
        guard Set(values).count == values.count else {
            throw .invalidItem("a set holds a value twice", attribute: name)
        }
    }

    private static func number(_ text: String, _ name: String) throws(HeadraceError) -> String {
        do {
            return try AttributeNumber(text).text
        } catch {
            throw problem(error, text, name)
        }
    }

    private static func problem(_ problem: AttributeNumber.Problem, _ text: String, _ name: String) -> HeadraceError {
        let shown = text.utf8.count <= 60 ? text : text.prefix(60) + "…"
        return switch problem {
        case .notANumber: .invalidItem("\"\(shown)\" is not a number", attribute: name)
        case .tooManyDigits: .invalidItem("\(shown) has more than 38 significant digits", attribute: name)
        case .tooLarge: .invalidItem("\(shown) is beyond the largest number, below 1E+126", attribute: name)
        case .tooSmall: .invalidItem("\(shown) is nearer to zero than 1E-130", attribute: name)
        }
    }

    /// The size that DynamoDB counts for a value.
    static func size(_ value: AttributeValue) -> Int {
        switch value {
        case .null, .bool: 1
        case .number(let text): (try? AttributeNumber(text))?.byteCount ?? text.utf8.count
        case .string(let text): text.utf8.count
        case .binary(let bytes): bytes.count
        case .list(let values): values.reduce(3) { $0 + 1 + size($1) }
        case .map(let members): members.reduce(3) { $0 + 1 + $1.key.utf8.count + size($1.value) }
        case .stringSet(let texts): texts.reduce(0) { $0 + $1.utf8.count }
        case .numberSet(let texts): texts.reduce(0) { $0 + size(.number($1)) }
        case .binarySet(let sets): sets.reduce(0) { $0 + $1.count }
        }
    }

    /// DynamoDB's letters for a value's type.
    static func type(of value: AttributeValue) -> String {
        switch value {
        case .null: "NULL"
        case .bool: "BOOL"
        case .number: "N"
        case .string: "S"
        case .binary: "B"
        case .list: "L"
        case .map: "M"
        case .stringSet: "SS"
        case .numberSet: "NS"
        case .binarySet: "BS"
        }
    }

    static func keyFields(_ item: Item, _ key: KeySchema) -> [(name: String, value: String)] {
        key.names.map { name in (name, item[name].map { ItemJSON.plain($0).compactText } ?? "") }
    }

    // MARK: - Conditions and batches

    /// Whether a condition holds for the item that is there; nil stands for none.
    static func holds(_ condition: WriteCondition, for item: Item?) throws(HeadraceError) -> Bool {
        switch condition {
        case .notExists: return item == nil
        case .exists: return item != nil
        case .equals(let name, let value):
            let wanted = try checked(value, name, depth: 1)
            return item?[name].map { ItemJSON.typed($0) == ItemJSON.typed(wanted) } ?? false
        case .lessThan(let name, let value):
            guard let found = item?[name] else { return true }
            switch (found, try checked(value, name, depth: 1)) {
            case (.number(let left), .number(let right)):
                let keys = [try ordered(.number(left), name, .number), try ordered(.number(right), name, .number)]
                return keys[0].lexicographicallyPrecedes(keys[1])
            case (.string(let left), .string(let right)): return left.utf8.lexicographicallyPrecedes(right.utf8)
            case (.binary(let left), .binary(let right)): return left.lexicographicallyPrecedes(right)
            default: return false
            }
        }
    }

    /// The writes of a batch, each checked, with their keys.
    ///
    /// - Throws: `invalidBatch` for none, more than 25 or a key twice, and what `checked` throws.
    static func checked(
        _ writes: [KeyValueWrite], key: KeySchema
    ) throws(HeadraceError) -> [(write: KeyValueWrite, partition: [UInt8], sort: [UInt8])] {
        guard !writes.isEmpty, writes.count <= largestBatch else {
            throw HeadraceError(.invalidBatch, "a batch has 1 to \(largestBatch) writes, not \(writes.count)")
        }
        var seen: Set<[[UInt8]]> = []
        var result: [(write: KeyValueWrite, partition: [UInt8], sort: [UInt8])] = []
        for write in writes {
            let checked: (write: KeyValueWrite, item: Item)
            switch write {
            case .put(let item):
                let item = try Self.checked(item, key: key)
                checked = (.put(item), item)
            case .delete(let itemKey):
                let itemKey = try checkedKey(itemKey, key)
                checked = (.delete(key: itemKey), itemKey)
            }
            let (partition, sort) = try orderedKey(checked.item, key)
            guard seen.insert([partition, sort]).inserted else {
                throw HeadraceError(
                    .invalidBatch, "a batch writes to one key twice", fields: keyFields(checked.item, key))
            }
            result.append((checked.write, partition, sort))
        }
        return result
    }
}
