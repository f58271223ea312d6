import HeadraceColumnar
public import HeadraceCore

/// What a warehouse's checks need: an empty database of its own for each check, and a client that is not the connector's.
public protocol WarehouseHarness: Sendable {
    /// The sink whose fact loads are tried.
    associatedtype Warehouses: TransactionalSink
    /// A sink over the harness's database.
    func makeWarehouse() throws -> Warehouses
    /// Lookups in that database outside of any load.
    func makeLookup() throws -> any TableLookup
    /// The rows of a table as another program reads them, as texts, nil for null, in the order of the first column; none
    /// when there is no such table.
    func rows(of table: String, _ columns: [String]) throws -> [[String?]]
    /// The fault point that the sink reaches last before it commits.
    var beforeCommit: String { get }
}

/// What fact loads demand of every warehouse, whatever database is under it.
///
/// Everything runs through the sink's fact mode, as in a job, and through its public interface only.
public enum WarehouseContract<Harness: WarehouseHarness> {
    /// All checks; each wants a harness of its own.
    public static var checks: [Check<Harness>] {
        [
            Check("Tables are planned, made by a load and found again by the next", foundAgain),
            Check("A lookup by a column with an index gives the rows of each key once") {
                try await lookups($0, $1, by: "product_id")
            },
            Check("A lookup by a column without an index gives the rows of each key once") {
                try await lookups($0, $1, by: "brand")
            },
            Check("A lookup by several columns keeps types, and one by nothing that fits finds nothing", typedLookups),
            Check("A lookup of what is not there is an error", unknownNames),
            Check("A lookup outside of a load sees what was committed, and nothing else", outsideLookups),
            Check("A row that a table refuses fails the load, and nothing of it stays", refusedRows),
            Check("A merge inserts, updates and leaves, by any columns, and counts each row once", merges),
            Check("A delete takes the rows of each partition, nulls included") {
                try await deletes($0, $1, repeats: 1)
            },
            Check("A delete takes the rows of many partitions") { try await deletes($0, $1, repeats: 30) },
            Check("The flag marks the rows of the latest day of each key asked for") {
                try await marks($0, $1, by: "day")
            },
            Check("The flag marks the rows of the latest time of each key asked for") {
                try await marks($0, $1, by: "seen")
            },
            Check("Open intervals of the keys are ended, ended ones stay", intervals),
            Check("A load commits rows, rejects and checkpoint together", factLoads),
            Check("A load that fails just before its commit leaves nothing", failedLoads),
            Check("A load whose rows lack a field is refused before anything is opened", uncheckedRows),
        ]
    }

    static var products: TableDefinition {
        TableDefinition(
            "dim products",
            Schema([
                Field("product_id", .utf8, nullable: false), Field("name", .utf8, nullable: false),
                Field("brand", .utf8), Field("valid_until", .timestamp(zone: nil)), Field("is_current", .bool),
            ]), primaryKey: ["product_id"], indexes: [["name"]], widths: ["name": 10])
    }

    static var prices: TableDefinition {
        TableDefinition(
            "fact_prices",
            Schema([
                Field("price_id", .int64, nullable: false), Field("product_id", .utf8, nullable: false),
                Field("source", .utf8), Field("price", .decimal(precision: 10, scale: 2)), Field("day", .date32),
                Field("seen", .instant), Field("is_current", .bool),
            ]), primaryKey: ["price_id"], unique: [["product_id", "source", "day"]],
            foreignKeys: [.init("product_id", references: "dim products", "product_id")], indexes: [["day"]])
    }

    /// Rows for some columns of a table.
    static func batch(_ table: TableDefinition, _ columns: [String], _ rows: [[Scalar]]) throws -> RecordBatch {
        try .of(Schema(columns.compactMap { table.schema[$0] }), rows)
    }

    static func decimal(_ text: String) -> Scalar { DecimalValue(text).map(Scalar.decimal) ?? .null }

    /// Adds the products `p0`, `p1` … called `name 0`, `name 1` …
    static func addProducts(_ count: Int, to warehouse: any Warehouse) async throws -> WriteCounts {
        try await warehouse.insert(
            batch(products, ["product_id", "name"], (0..<count).map { [.utf8("p\($0)"), .utf8("name \($0)")] }),
            into: products.name)
    }

    /// Makes the checks' tables by a load without rows, or finds them, so that a connector's own tests can look at their DDL:
    /// `dim products` and `fact_prices`, which refers to it.
    public static func makeTables(in harness: Harness) async throws { try await load(harness) { _ in } }

    /// Runs `body` in a load that makes both tables, and commits.
    static func load(
        _ harness: Harness, _ body: @escaping @Sendable (any Warehouse) async throws -> Void
    ) async throws {
        try await harness.makeWarehouse().load([], schema: Script.schema, mode: .facts(Script(load: nil, finish: body)))
    }

    /// A fact load over both tables that runs what a check tells.
    struct Script: FactLoad {
        var load: (@Sendable (Batch, any Warehouse) async throws -> [Reject])?
        var finish: @Sendable (any Warehouse) async throws -> Void = { _ in }

        /// The fields of the rows that it takes.
        static var schema: Schema {
            Schema([Field("product_id", .utf8, nullable: false), Field("name", .utf8, nullable: false)])
        }

        var tables: [TableDefinition] { [products, prices] }
        var summary: [String] { ["insert products"] }

        func check(_ schema: Schema) throws {
            guard schema["name"] != nil else { throw HeadraceError(.schemaMismatch, "the rows have no name") }
        }

        func makeLoader(for schema: Schema, in context: RunContext) throws -> any FactLoader { Loader(script: self) }
    }

    private final class Loader: FactLoader {
        private let script: Script
        init(script: Script) { self.script = script }

        func load(_ batch: Batch, into warehouse: any Warehouse) async throws -> [Reject] {
            try await script.load?(batch, warehouse) ?? []
        }

        func finish(in warehouse: any Warehouse) async throws -> WriteCounts {
            try await script.finish(warehouse)
            return WriteCounts()
        }
    }
}
