public import HeadraceColumnar

/// A table that a fact load needs: its columns, keys and indexes.
public struct TableDefinition: Sendable, Hashable {
    /// A column whose values must be there in a column of another table.
    public struct ForeignKey: Sendable, Hashable {
        /// The column of this table that refers; a null in it refers to nothing.
        public let column: String
        /// The table that is referred to, which must be made first.
        public let table: String
        /// The column of that table, which must be its key or unique.
        public let references: String
        /// A reference from `column` to the column `key` of `table`.
        public init(_ column: String, references table: String, _ key: String) {
            self.column = column
            self.table = table
            self.references = key
        }
    }

    /// The table's name as an identifier, never quoted.
    public var name: String
    /// The columns in order with their types; a field that is not nullable becomes a column that is not.
    public var schema: Schema
    /// The columns of the primary key in order, none of which takes nulls; empty for a table without one.
    public var primaryKey: [String]
    /// Groups of columns whose values together may occur once only, one constraint each.
    public var unique: [[String]]
    /// References to other tables, which must be there before this one.
    public var foreignKeys: [ForeignKey]
    /// Groups of columns, one index each, to look rows up by without being unique.
    public var indexes: [[String]]
    /// The longest text of a column in characters, where the table bounds it.
    public var widths: [String: Int]

    /// A table; every column named in keys, indexes and widths must be in the schema.
    public init(
        _ name: String, _ schema: Schema, primaryKey: [String] = [], unique: [[String]] = [],
        foreignKeys: [ForeignKey] = [], indexes: [[String]] = [], widths: [String: Int] = [:]
    ) {
        self.name = name
        self.schema = schema
        self.primaryKey = primaryKey
        self.unique = unique
        self.foreignKeys = foreignKeys
        self.indexes = indexes
        self.widths = widths
    }
}

/// Looks rows up by key in a table, for foreign keys, previous values and dimensions.
public protocol TableLookup: Sendable {
    /// The rows of `table` whose `columns` equal one of the rows of `keys` (same names), with `columns` and `returning`.
    /// Keys that are not there give no row; the order is not defined.
    func lookup(_ table: String, keys: RecordBatch, returning: [String], in context: RunContext) async throws
        -> RecordBatch
}

/// A warehouse's tables inside one transaction. All calls take effect together at the writer's commit.
///
/// Names are identifiers, never SQL; implementations quote them.
public protocol Warehouse: AnyObject, Sendable {
    /// Makes the table with its keys and indexes when it is not there; checks its columns when it is.
    func ensure(_ table: TableDefinition) async throws
    /// The rows of `table` whose key columns equal a row of `keys`, with the key columns and `returning`.
    func lookup(_ table: String, keys: RecordBatch, returning: [String]) async throws -> RecordBatch
    /// Adds rows; every column of the batch must exist.
    func insert(_ rows: RecordBatch, into table: String) async throws -> WriteCounts
    /// Inserts rows whose `keys` are not there and updates `columns` of those that are and differ in one of them.
    func merge(_ rows: RecordBatch, into table: String, on keys: [String], updating columns: [String]) async throws
        -> WriteCounts
    /// Deletes the rows of `table` that equal a row of `partitions` in its columns. Returns how many.
    func delete(from table: String, matching partitions: RecordBatch) async throws -> Int
    /// Among the rows of `table` with each key of `keys`, sets `flag` where `order` is highest and clears it elsewhere.
    /// Returns how many rows changed.
    func markLatest(in table: String, flag: String, by order: String, for keys: RecordBatch) async throws -> Int
    /// Ends open intervals of a type 2 dimension: where the keys match and `until` is null, sets `until` to the row's value
    /// and clears `flag`. Returns how many rows changed.
    func closeIntervals(in table: String, keys: [String], until: String, flag: String?, rows: RecordBatch) async throws
        -> Int
}

/// What `.load(into:mode: .facts(…))` runs inside the warehouse's transaction; knows no SQL.
public protocol FactLoad: Sendable {
    /// Every table that the load reads or writes, dimensions first.
    var tables: [TableDefinition] { get }
    /// The fields that rows must have; checked before any row moves.
    func check(_ schema: Schema) throws
    /// Begins a load; called once a transaction.
    func makeLoader(for schema: Schema, in context: RunContext) throws -> any FactLoader
    /// What the load does to each table, one line each, for `plan`.
    var summary: [String] { get }
}

/// One run of a fact load inside a transaction.
public protocol FactLoader: AnyObject, Sendable {
    /// Loads a batch: dimensions first, then facts.
    /// - Returns: rows refused (unknown members where the load rejects them).
    func load(_ batch: Batch, into warehouse: any Warehouse) async throws -> [Reject]
    /// Runs what needs all rows: current flags, interval ends.
    /// - Returns: what became of the fact rows.
    func finish(in warehouse: any Warehouse) async throws -> WriteCounts
}
