import HeadraceColumnar
import HeadraceCore
import HeadraceTesting

@testable import HeadraceMySQL

extension Bench {
    func sink(_ table: String? = nil) throws -> MySQLSink {
        MySQLSink(configuration: try configuration, table: table)
    }

    /// The names of all tables that are there, Headrace's state apart.
    func tables() throws -> [String] {
        try mariadb(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '\(database)' ORDER BY 1"
        ).filter { !["_headrace_state", "_headrace_swap", "_headrace_mirror"].contains($0) }
    }
}

extension Bench: WarehouseHarness {
    func makeWarehouse() throws -> MySQLSink { try sink() }
    func makeLookup() throws -> any TableLookup { MySQLLookup(configuration: try configuration) }
    var beforeCommit: String { "mysql.beforeCommit" }

    func rows(of table: String, _ columns: [String]) throws -> [[String?]] {
        guard try tables().contains(table) else { return [] }
        return try mariadb("SELECT \(columns.joined(separator: ", ")) FROM `\(table)` ORDER BY 1").map { line in
            line.split(separator: "\t").map { $0 == "NULL" ? nil : String($0) }
        }
    }
}

extension Bench: ModeHarness {
    func makePeople() throws -> MySQLSink { try sink("people") }
    func run(_ sql: String) throws { try mariadb(sql) }

    func people(_ columns: [String]) throws -> [[String?]] {
        let list = columns.map { $0 == "is_current" ? "IF(is_current, 'true', 'false')" : $0 }
        return try rows(of: "people", list)
    }

    func stages() throws -> [String] { try tables().filter { $0.hasPrefix("_headrace_") } }
}
