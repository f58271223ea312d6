public import HeadraceColumnar
public import HeadraceCore

/// A fact table with its dimensions: what one row means, how it finds its members, what a repeated load replaces.
///
/// Compiled into lookups, inserts and merges of a `Warehouse`; everything happens in the sink's transaction.
public struct FactTable: FactLoad {
    /// Which rows are the latest of their kind.
    public struct Current: Sendable, Hashable {
        /// The boolean column that marks them.
        public let flag: String
        /// The column whose highest value is the latest.
        public let order: String
        /// The columns that make rows of one kind.
        public let keys: [String]
        /// Sets `flag` on the row with the highest `order` among those with equal `keys`, and clears it on the others;
        /// facts of earlier loads take part.
        public init(flag: String, latest order: String, of keys: [String]) {
            self.flag = flag
            self.order = order
            self.keys = keys
        }
    }

    /// The fact table itself; its columns that nothing below makes are taken from the rows by name.
    public let table: TableDefinition
    /// The dimensions that a fact points to, in the order in which their members are found and made.
    public let dimensions: [Dimension]
    /// The columns that make a fact unique: what one row means.
    public let grain: [String]
    /// The fact's own key column and how it is made, where it has one.
    public let key: (column: String, from: SurrogateKey)?
    /// Columns whose values name a part of the table that a load replaces whole; empty merges on the grain.
    public let replacing: [String]
    /// Which facts are marked as the latest at the end of a load; nil marks none.
    public let current: Current?
    /// Columns with the same value in every row: the time of the run.
    public let constants: [(column: String, value: Scalar)]
    /// Tables without facts that must be there, such as parents of dimensions.
    public let others: [TableDefinition]

    /// - Parameters:
    ///   - grain: the columns of the fact that make a row unique.
    ///   - key: the fact's own key column and how it is made from the row.
    ///   - replacing: fact columns whose values name the part of the table that this load replaces.
    public init(
        _ table: TableDefinition, dimensions: [Dimension], grain: [String],
        key: (column: String, from: SurrogateKey)? = nil,
        replacing: [String] = [], current: Current? = nil, constants: [(column: String, value: Scalar)] = [],
        others: [TableDefinition] = []
    ) {
        self.table = table
        self.dimensions = dimensions
        self.grain = grain
        self.key = key
        self.replacing = replacing
        self.current = current
        self.constants = constants
        self.others = others
    }

    public var tables: [TableDefinition] { others + dimensions.map(\.table) + [table] }

    public func check(_ schema: Schema) throws {
        for dimension in dimensions { try dimension.check(schema) }
        let made = Set(dimensions.map(\.factColumn) + constants.map(\.column) + (key.map { [$0.column] } ?? []))
        for field in table.schema.fields where !made.contains(field.name) && field.name != current?.flag {
            guard let column = schema[field.name] else {
                if field.isNullable { continue }
                throw HeadraceError(
                    .schemaMismatch, "fact table \(table.name) needs column \"\(field.name)\"",
                    fields: [("columns", schema.names.joined(separator: ", "))])
            }
            guard column.type == field.type else {
                throw HeadraceError(
                    .schemaMismatch, "column \"\(field.name)\" is \(column.type), the fact table wants \(field.type)",
                    hint: "cast it before the load")
            }
        }
        for name in grain + replacing + (current.map { $0.keys + [$0.order, $0.flag] } ?? [])
        where table.schema[name] == nil {
            throw HeadraceError(.schemaMismatch, "fact table \(table.name) has no column \"\(name)\"")
        }
        if let key { _ = try key.from.type(over: schema) }
    }

    public func makeLoader(for schema: Schema, in context: RunContext) throws -> any FactLoader {
        try check(schema)
        return FactTableLoader(self, context: context)
    }

    public var summary: [String] {
        var lines = dimensions.map { dimension in
            "\(dimension.table.name): find members by \(dimension.naturalKey.map(\.member).joined(separator: ", "))"
        }
        lines.append(
            replacing.isEmpty
                ? "\(table.name): merge on \(grain.joined(separator: ", "))"
                : "\(table.name): replace the rows of each \(replacing.joined(separator: ", ")) loaded")
        if let current {
            lines.append(
                "\(table.name): \(current.flag) marks the latest \(current.order) of each \(current.keys.joined(separator: ", "))"
            )
        }
        return lines
    }
}
