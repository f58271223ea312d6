/// The members of a JSON object in the order they were written, repeated names included.
///
/// Looking a name up finds its last member, as most readers do, and takes time in proportion to the number of members.
/// Equality regards order.
public struct JSONObject: Sendable, Hashable {
    /// One name and its value.
    public struct Member: Sendable, Hashable {
        /// The name; it may be empty and need not be unique.
        public var name: String
        /// The value.
        public var value: JSONValue

        /// Creates a member.
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// All members, in order.
    public var members: [Member]

    /// Creates an object of members, in their order; names may repeat.
    public init(_ members: [Member] = []) { self.members = members }

    /// The value of the last member of that name. Setting replaces this value in its place, or appends a member;
    /// setting nil removes every member of the name.
    public subscript(name: String) -> JSONValue? {
        get { members.last { $0.name == name }?.value }
        set {
            guard let newValue else { return members.removeAll { $0.name == name } }
            if let index = members.lastIndex(where: { $0.name == name }) {
                members[index].value = newValue
            } else {
                members.append(Member(name, newValue))
            }
        }
    }

    /// The names in order, repeated where they repeat.
    public var names: [String] { members.map(\.name) }

    /// The number of members, counting repeated names each time.
    public var count: Int { members.count }

    /// Whether there is no member.
    public var isEmpty: Bool { members.isEmpty }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Keeps the literal's order and repeated names.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        members = elements.map { Member($0, $1) }
    }
}
