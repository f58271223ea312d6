import HeadraceCore
import HeadraceTesting

@testable import HeadracePostgreSQL

extension Bench: WarehouseHarness {
    func makeWarehouse() throws -> PostgreSQLSink { PostgreSQLSink(try configuration) }
    func makeLookup() throws -> any TableLookup { PostgreSQLLookup(try configuration) }
    var beforeCommit: String { "postgresql.beforeCommit" }

    func rows(of table: String, _ columns: [String]) throws -> [[String?]] {
        guard try psql("SELECT to_regclass('\"\(table)\"') IS NOT NULL") == ["t"] else { return [] }
        return try psql("SELECT \(columns.joined(separator: ", ")) FROM \"\(table)\" ORDER BY 1").map { line in
            line.split(separator: "|").map { $0 == "␀" ? nil : String($0) }
        }
    }
}

extension Bench: ModeHarness {
    func makePeople() throws -> PostgreSQLSink { PostgreSQLSink(try configuration, table: "people") }
    func run(_ sql: String) throws { try psql(sql) }

    func people(_ columns: [String]) throws -> [[String?]] {
        // Booleans as words, where psql prints a letter.
        let list = columns.map { $0 == "is_current" ? "is_current::text" : $0 }
        return try rows(of: "people", list)
    }

    func stages() throws -> [String] {
        try psql(
            "SELECT relname FROM pg_class WHERE relname ~ '^_headrace_' AND relkind = 'r' AND relname <> '_headrace_state'"
        )
    }
}
