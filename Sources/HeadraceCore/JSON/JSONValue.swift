/// A JSON document as a tree: positions, manifests, metadata and reports, not rows.
///
/// Nothing is lost between text and tree but white space and the spelling of escapes: numbers keep their digits, objects
/// their order and repeated names.
public enum JSONValue: Sendable, Hashable {
    /// `null`
    case null
    /// `true` or `false`
    case bool(Bool)
    /// A number as written.
    case number(JSONNumber)
    /// A string, escapes resolved.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object.
    case object(JSONObject)

    /// What the value is, for messages and for deciding a column's kind.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A `null` that is written, unlike a member that is not there.
        case null
        /// `true` or `false`.
        case bool
        /// Whole or with a fraction: JSON tells the two apart in spelling only.
        case number
        /// Text, and whatever JSON has no kind for: dates, times, bytes.
        case string
        /// Values in order, each of any kind.
        case array
        /// Members by name, in order.
        case object
    }

    /// Which of the six kinds of value this is.
    public var kind: Kind {
        switch self {
        case .null: .null
        case .bool: .bool
        case .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    /// The number that an integer is.
    public static func integer(_ value: some BinaryInteger) -> JSONValue { .number(JSONNumber(value)) }

    /// The shortest number that reads back as `value`, or null for NaN and infinities.
    public static func double(_ value: Double) -> JSONValue { JSONNumber(value).map(JSONValue.number) ?? .null }

    /// An object of the given members, in their order.
    public static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(JSONObject(members.map { JSONObject.Member($0.0, $0.1) }))
    }
}

// MARK: - Looking inside

extension JSONValue {
    /// The value of the last member of that name; nil when there is none or this is not an object.
    ///
    /// Setting turns anything but an object into one; setting nil removes the member.
    public subscript(name: String) -> JSONValue? {
        get { objectValue?[name] }
        set {
            var object = objectValue ?? JSONObject()
            object[name] = newValue
            self = .object(object)
        }
    }

    /// The element at an index; nil when it is out of range or this is not an array.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// Whether this is `null`.
    public var isNull: Bool { self == .null }

    /// The truth value; nil when this is something else.
    public var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The string; nil when this is something else.
    public var stringValue: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    /// The number as written; nil when this is something else.
    public var numberValue: JSONNumber? {
        guard case .number(let value) = self else { return nil }
        return value
    }

    /// The number as a 64-bit integer; nil when this is something else, has a point or exponent, or does not fit.
    public var integerValue: Int64? { numberValue?.integer() }

    /// The number as the nearest double; nil when this is something else.
    public var doubleValue: Double? { numberValue?.double }

    /// The elements; nil when this is something else.
    public var arrayValue: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The object; nil when this is something else.
    public var objectValue: JSONObject? {
        guard case .object(let object) = self else { return nil }
        return object
    }

    /// The same value with the members of every object in order of their names' Unicode scalars; of members with the
    /// same name only the last stays. Two texts that mean the same have equal sorted values, up to the spelling of
    /// numbers.
    public var sorted: JSONValue {
        switch self {
        case .array(let elements): return .array(elements.map(\.sorted))
        case .object(let object):
            var last: [String: JSONValue] = [:]
            for member in object.members { last[member.name] = member.value.sorted }
            let names = last.keys.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
            return .object(JSONObject(names.compactMap { name in last[name].map { .init(name, $0) } }))
        default: return self
        }
    }
}

// MARK: - Literals

extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }

    /// The shortest number that reads back as the literal's double.
    public init(floatLiteral value: Double) { self = .double(value) }

    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }

    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    /// An object in the literal's order.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(elements) }
}
