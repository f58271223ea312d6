import HeadraceCodecs
public import HeadraceCore

/// Items as JSON: in DynamoDB's typed form (`{"S": "…"}`), and plain for people.
public enum ItemJSON {
    /// The item in the typed form, attributes and map members in byte order of their names, sets in order.
    public static func typed(_ item: Item) -> JSONValue {
        .object(ordered(item.keys).compactMap { name in item[name].map { (name, typed($0)) } })
    }

    /// A value in the typed form.
    public static func typed(_ value: AttributeValue) -> JSONValue {
        switch value {
        case .null: ["NULL": true]
        case .bool(let value): ["BOOL": .bool(value)]
        case .number(let text): ["N": .string(text)]
        case .string(let text): ["S": .string(text)]
        case .binary(let bytes): ["B": .string(Base64.encode(bytes))]
        case .list(let values): ["L": .array(values.map { typed($0) })]
        case .map(let members): ["M": typed(members)]
        case .stringSet(let texts): ["SS": .array(ordered(texts).map(JSONValue.string))]
        case .numberSet(let texts): ["NS": .array(numerically(texts).map(JSONValue.string))]
        case .binarySet(let sets):
            ["BS": .array(sets.sorted { $0.lexicographicallyPrecedes($1) }.map { .string(Base64.encode($0)) })]
        }
    }

    /// The item as plain JSON: numbers as numbers with all their digits, binary as Base64, sets as arrays.
    public static func plain(_ item: Item) -> JSONValue {
        .object(ordered(item.keys).compactMap { name in item[name].map { (name, plain($0)) } })
    }

    /// A value as plain JSON.
    public static func plain(_ value: AttributeValue) -> JSONValue {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number(let text): JSONNumber(text).map(JSONValue.number) ?? .string(text)
        case .string(let text): .string(text)
        case .binary(let bytes): .string(Base64.encode(bytes))
        case .list(let values): .array(values.map { plain($0) })
        case .map(let members): plain(members)
        case .stringSet(let texts): .array(ordered(texts).map(JSONValue.string))
        case .numberSet(let texts): .array(numerically(texts).map { plain(.number($0)) })
        case .binarySet(let sets): .array(sets.map { .string(Base64.encode($0)) })
        }
    }

    /// The item that JSON in the typed form stands for.
    ///
    /// - Throws: `invalidItem` for anything else.
    public static func item(typed json: JSONValue) throws(HeadraceError) -> Item {
        guard let object = json.objectValue else { throw .invalidItem("an item is a JSON object of typed attributes") }
        return try members(object)
    }

    private static func members(_ object: JSONObject) throws(HeadraceError) -> Item {
        var item: Item = [:]
        for member in object.members { item[member.name] = try value(member.value, member.name) }
        return item
    }

    private static func value(_ json: JSONValue, _ name: String) throws(HeadraceError) -> AttributeValue {
        guard let object = json.objectValue, object.count == 1, let member = object.members.first else {
            throw wrong(name)
        }
        let texts = member.value.arrayValue?.compactMap(\.stringValue)
        let isTexts = texts?.count == member.value.arrayValue?.count
        switch (member.name, member.value) {
        case ("NULL", .bool(true)): return .null
        case ("BOOL", .bool(let value)): return .bool(value)
        case ("N", .string(let text)): return .number(text)
        case ("S", .string(let text)): return .string(text)
        case ("B", .string(let text)):
            guard let bytes = Base64.decode(text) else { throw wrong(name) }
            return .binary(bytes)
        case ("L", .array(let values)):
            var list: [AttributeValue] = []
            for element in values { list.append(try value(element, name)) }
            return .list(list)
        case ("M", .object(let object)): return .map(try members(object))
        case ("SS", .array) where isTexts: return .stringSet(texts ?? [])
        case ("NS", .array) where isTexts: return .numberSet(texts ?? [])
        case ("BS", .array) where isTexts:
            let sets = (texts ?? []).compactMap { Base64.decode($0) }
            guard sets.count == texts?.count else { throw wrong(name) }
            return .binarySet(sets)
        default: throw wrong(name)
        }
    }

    private static func wrong(_ name: String) -> HeadraceError {
        .invalidItem(
            "the attribute is not written as a typed value", attribute: name, hint: #"write it like {"S": "text"}"#)
    }

    static func ordered(_ texts: some Sequence<String>) -> [String] {
        texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func numerically(_ texts: [String]) -> [String] {
        texts.sorted { left, right in
            let keys = [left, right].map { (try? AttributeNumber($0))?.orderedBytes ?? [] }
            return keys[0].lexicographicallyPrecedes(keys[1])
        }
    }
}
