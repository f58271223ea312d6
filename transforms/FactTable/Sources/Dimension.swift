public import HeadraceColumnar
public import HeadraceCore

/// A dimension of a star schema: how fact rows find its members and what becomes of new and changed ones.
public struct Dimension: Sendable {
    /// What a change of an attribute does to the member.
    public enum Change: Sendable, Hashable {
        /// The value of the member's first row stays.
        case fixed
        /// Type 1: the member takes the new value, the old one is gone.
        case overwrite
        /// Type 2: the member's current version ends and a new one begins.
        case version
    }

    /// An attribute: the row's column, the dimension's column and what a change does.
    public struct Attribute: Sendable, Hashable {
        /// The incoming row's column that the value is taken from.
        public let column: String
        /// The dimension's column that it goes to.
        public let member: String
        /// What happens when a row brings another value than the member has; null counts as a value.
        public let change: Change
        /// An attribute; without `member` its column has the same name in the row and in the dimension.
        public init(_ column: String, as member: String? = nil, on change: Change = .fixed) {
            self.column = column
            self.member = member ?? column
            self.change = change
        }
    }

    /// What becomes of fact rows whose natural key has no member.
    public enum Missing: Sendable {
        /// A member is made of the row; with a flag column it is marked as inferred until its own row arrives.
        case inserted(inferredFlag: String? = nil)
        /// The rows point to this member, which is made when it is not there; also the fate of null natural keys.
        case unknown(key: Scalar, attributes: [(member: String, value: Scalar)])
        /// The rows are rejects.
        case rejected
    }

    /// The columns that bound a version in time, for `Change.version`.
    public struct Validity: Sendable, Hashable {
        /// The column that says since when a version holds; taken from the row's `effective` column.
        public let from: String
        /// The column that says when a version ended; null while it is open. It equals the `from` of the next one.
        public let until: String
        /// The boolean column that is true for the open version alone; nil where the table has none.
        public let current: String?
        /// The row's column that says since when its values hold.
        public let effective: String
        /// Names the columns of the dimension that bound a version, and the row's column that dates it.
        public init(from: String, until: String, current: String?, effective: String) {
            self.from = from
            self.until = until
            self.current = current
            self.effective = effective
        }
    }

    /// The dimension's table; a load makes it when it is not there.
    public let table: TableDefinition
    /// The key column of the table, referenced by facts.
    public let key: String
    /// How a new member's key is made.
    public let newKey: SurrogateKey
    /// The fact's column that holds the key.
    public let factColumn: String
    /// Pairs of the row's column and the dimension's column that find a member.
    public let naturalKey: [(column: String, member: String)]
    /// What the dimension keeps of a row besides its natural key.
    public let attributes: [Attribute]
    /// Columns of new members with the same value in every row: timestamps of the run.
    public let constants: [(member: String, value: Scalar)]
    /// Columns set when a member changes, such as `updated_at`.
    public let touched: [(member: String, value: Scalar)]
    /// What becomes of fact rows that find no member.
    public let missing: Missing
    /// Where versions are dated; needed when an attribute changes by `Change.version`, else nil.
    public let validity: Validity?

    /// - Parameters:
    ///   - naturalKey: pairs of the row's column and the dimension's column that find a member.
    ///   - newKey: how a new member's key is made from the row.
    ///   - factColumn: the fact's foreign key column; by default the key's own name.
    public init(
        _ table: TableDefinition, key: String, newKey: SurrogateKey, factColumn: String? = nil,
        naturalKey: [(column: String, member: String)], attributes: [Attribute] = [],
        constants: [(member: String, value: Scalar)] = [], touched: [(member: String, value: Scalar)] = [],
        missing: Missing = .inserted(), validity: Validity? = nil
    ) {
        self.table = table
        self.key = key
        self.newKey = newKey
        self.factColumn = factColumn ?? key
        self.naturalKey = naturalKey
        self.attributes = attributes
        self.constants = constants
        self.touched = touched
        self.missing = missing
        self.validity = validity
    }

    var versioned: [Attribute] { attributes.filter { $0.change == .version } }
    var overwritten: [Attribute] { attributes.filter { $0.change == .overwrite } }

    func check(_ schema: Schema) throws {
        for name in naturalKey.map(\.column) + attributes.map(\.column) where schema[name] == nil {
            throw HeadraceError(
                .schemaMismatch, "dimension \(table.name) needs column \"\(name)\"",
                fields: [("columns", schema.names.joined(separator: ", "))])
        }
        for name in naturalKey.map(\.member) + attributes.map(\.member) + [key] where table.schema[name] == nil {
            throw HeadraceError(.schemaMismatch, "dimension \(table.name) has no column \"\(name)\"")
        }
        guard versioned.isEmpty || validity != nil else {
            throw HeadraceError(
                .schemaMismatch, "dimension \(table.name) keeps versions but says not between which columns",
                hint: "give it a validity")
        }
        _ = try newKey.type(over: schema)
    }
}
