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
