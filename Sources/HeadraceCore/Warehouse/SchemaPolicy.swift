public import HeadraceColumnar

/// What becomes of a table that is there when rows come with other columns than it has.
public enum SchemaPolicy: String, Sendable, Hashable, CaseIterable {
    /// The table takes the rows: columns that it lacks are added, nullable, and types that are too narrow are widened where
    /// every value stays what it is. Nothing is ever removed or narrowed.
    case evolve
    /// The table stays as it is: what it has no column for is left out, and the log says so once.
    case freeze
    /// A load whose rows have a column that the table lacks fails before a row is written.
    case refuse

    /// The option that sinks of tables take for it, by one name in all of them. `schema` is a source's.
    public static let option = ConnectorOption(
        "schemaPolicy", "evolve|freeze|refuse", "what to do when the table lacks columns of the rows (refuse)",
        isTuning: true)

    /// What the location's option `schemaPolicy` says; `refuse` where it is not given.
    /// - Throws: `badOption` for any other word.
    public init(option: String?) throws(HeadraceError) {
        guard let option else {
            self = .refuse
            return
        }
        guard let policy = SchemaPolicy(rawValue: option) else {
            throw HeadraceError(
                .badOption, "schemaPolicy=\(option) is no way to treat a table whose columns differ from the rows'",
                fields: [("schemaPolicy", Self.allCases.map(\.rawValue).joined(separator: ", "))],
                hint: "write schemaPolicy=evolve to have missing columns added")
        }
        self = policy
    }
}

/// A sink whose table may differ in columns from the rows.
public protocol SchemaPolicySink: Sink {
    /// What becomes of the table then.
    var schemaPolicy: SchemaPolicy { get }
}

/// What a policy makes of the columns of rows and of a table that is there: decided once, for all sinks.
public struct SchemaFit: Sendable, Hashable {
    /// A column whose type is too narrow.
    public struct Widening: Sendable, Hashable {
        /// The column's name.
        public let column: String
        /// The type that it has.
        public let from: DataType
        /// The type that holds the values of both.
        public let to: DataType
    }

    /// The places of the rows' fields that are written, in their order; all of them unless a table is frozen.
    public let written: [Int]
    /// Columns to be added, as nullable fields.
    public let added: [Field]
    /// Columns to be widened.
    public let widened: [Widening]
    /// The rows' fields that are left out.
    public let ignored: [Field]

    /// Holds the fields of rows against those of a table, by name.
    /// - Parameters:
    ///   - table: the table's columns that can be written, in the types that they are read as.
    ///   - name: the table's name, for messages.
    ///   - keys: columns that the table must have whatever the policy: a key that is added would be null in every row.
    /// - Throws: `schemaMismatch` for columns that the table lacks, where the policy does not deal with them.
    public init(
        rows: Schema, table: Schema, called name: String, keys: [String] = [], policy: SchemaPolicy
    ) throws(HeadraceError) {
        let missing = rows.fields.filter { table[$0.name] == nil }
        let hopeless = policy == .refuse ? missing : missing.filter { keys.contains($0.name) }
        guard hopeless.isEmpty else { throw Self.lacking(hopeless, table, name, keys, policy) }
        ignored = policy == .freeze ? missing : []
        let kept = policy == .freeze ? rows.fields.indices.filter { table[rows.fields[$0].name] != nil } : []
        written = policy == .freeze ? kept : Array(rows.fields.indices)
        guard !written.isEmpty else { throw Self.lacking(missing, table, name, [], policy) }
        guard policy == .evolve else {
            (added, widened) = ([], [])
            return
        }
        added = missing.map { Field($0.name, $0.type, metadata: $0.metadata) }
        widened = rows.fields.compactMap { field in
            guard let column = table[field.name], let wide = Self.widening(column.type, toHold: field.type) else {
                return nil
            }
            return Widening(column: field.name, from: column.type, to: wide)
        }
    }

    /// Says once which of the rows' fields are left out, where any are.
    public static func note(_ ignored: [Field], of table: String, in log: EventLog) {
        guard !ignored.isEmpty else { return }
        log.warning(
            "columns that the table lacks are left out",
            [("table", table), ("columns", ignored.map(\.name).joined(separator: ", "))])
    }

    /// What a plan says of fields that are left out, one line each.
    public static func lines(of ignored: [Field]) -> [String] {
        ignored.map { "leave out column \"\($0.name)\", which the table lacks" }
    }

    private static func lacking(
        _ missing: [Field], _ table: Schema, _ name: String, _ keys: [String], _ policy: SchemaPolicy
    ) -> HeadraceError {
        let columns = missing.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let isKey = missing.contains { keys.contains($0.name) }
        return HeadraceError(
            .schemaMismatch, "table \(name) has no column \(columns)",
            fields: [
                ("columns of the table", table.names.joined(separator: ", ")),
                ("the rows have", missing.map { "\($0.name): \($0.type)" }.joined(separator: ", ")),
            ],
            hint: isKey
                ? "names are case-sensitive here; a key must be there already"
                : policy == .freeze
                    ? "names are case-sensitive here; nothing would be left to write, so name another table, or rename the columns"
                    : "names are case-sensitive here; schemaPolicy=evolve adds the columns, schemaPolicy=freeze leaves them out"
        )
    }

    /// The type that a column of type `column` must become so that it holds every value of type `rows` as well and keeps its
    /// own unchanged; nil where it holds them already, and where no type would.
    ///
    /// Whole and exact numbers get more digits, a 32-bit float or a whole number of up to 32 bits becomes a 64-bit float
    /// for the sake of floats. Nothing becomes text, and no exact number a binary one.
    public static func widening(_ column: DataType, toHold rows: DataType) -> DataType? {
        guard column != rows, column.isNumeric, rows.isNumeric, let wide = common(column, rows), wide != column else {
            return nil
        }
        return wide
    }

    private static func common(_ column: DataType, _ rows: DataType) -> DataType? {
        switch (column, rows) {
        case (.decimal, .float32), (.decimal, .float64), (.float32, .decimal), (.float64, .decimal): return nil
        case (.float64, _), (.float32, .int8), (.float32, .int16), (.float32, .uint8), (.float32, .uint16):
            return column
        case (_, .float32), (_, .float64), (.float32, _):
            return holdsInDouble(column) && holdsInDouble(rows) ? .float64 : nil
        case (.decimal, _), (_, .decimal): return exact(column, rows)
        default: return Kernels.commonType(column, rows)
        }
    }

    private static func holdsInDouble(_ type: DataType) -> Bool {
        type.integerRange.map { $0.lowest >= Int128(Int32.min) && $0.highest <= Int128(UInt32.max) } ?? true
    }

    /// The decimal that loses no digit of either; nil beyond 38 digits.
    private static func exact(_ one: DataType, _ other: DataType) -> DataType? {
        guard let one = DecimalShape(exact: one), let other = DecimalShape(exact: other) else { return nil }
        let scale = max(one.scale, other.scale)
        let precision = max(one.integerDigits, other.integerDigits) + scale
        return precision <= 38 ? .decimal(precision: precision, scale: scale) : nil
    }
}

extension Schema {
    /// The fields at `places`, in that order.
    package func picking(_ places: [Int]) -> Schema { Schema(places.map { fields[$0] }) }
}

extension RecordBatch {
    /// The columns at `places`, in that order.
    package func picking(_ places: [Int]) -> RecordBatch {
        RecordBatch(schema: schema.picking(places), columns: places.map { columns[$0] }, count: count)
    }
}
