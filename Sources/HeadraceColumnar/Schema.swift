/// A column's name, type and nullability.
public struct Field: Sendable, Hashable {
    /// What the column is called; unique within a schema.
    public var name: String
    /// The type of its values.
    public var type: DataType
    /// Whether a value may be null.
    public var isNullable: Bool
    /// Annotations that travel with the field and change nothing about its values, such as `{"original": "uuid"}`.
    public var metadata: [String: String]

    /// A field that takes nulls unless told otherwise.
    public init(_ name: String, _ type: DataType, nullable: Bool = true, metadata: [String: String] = [:]) {
        self.name = name
        self.type = type
        self.isNullable = nullable
        self.metadata = metadata
    }
}

extension Field: CustomStringConvertible {
    public var description: String { "\(name): \(type)\(isNullable ? "" : " not null")" }
}

/// The ordered fields of a batch. Names are unique; lookup is exact, case included.
public struct Schema: Sendable, Hashable {
    /// The fields in order.
    public let fields: [Field]
    private let indices: [String: Int]

    /// A schema of `fields`, nil when two of them share a name.
    public init?(unique fields: [Field]) {
        var indices: [String: Int] = [:]
        indices.reserveCapacity(fields.count)
        for (index, field) in fields.enumerated() {
            guard indices.updateValue(index, forKey: field.name) == nil else { return nil }
        }
        self.fields = fields
        self.indices = indices
    }

    /// A schema of `fields` whose names the caller knows to be unique; a repeated name is a programming error.
    public init(_ fields: [Field]) {
        guard let schema = Schema(unique: fields) else {
            preconditionFailure("a schema names a field twice: \(fields.map(\.name))")
        }
        self = schema
    }

    /// The number of fields.
    public var count: Int { fields.count }
    /// The names of the fields in order.
    public var names: [String] { fields.map(\.name) }

    /// The position of the field called `name`.
    public func index(of name: String) -> Int? { indices[name] }

    /// The field called `name`.
    public subscript(name: String) -> Field? { indices[name].map { fields[$0] } }

    public static func == (left: Schema, right: Schema) -> Bool { left.fields == right.fields }
    public func hash(into hasher: inout Hasher) { hasher.combine(fields) }
}

extension Schema: CustomStringConvertible {
    public var description: String { fields.map(\.description).joined(separator: ", ") }
}
