import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

/// A table of 20,000 rows that the `sqlite3` program made.
private struct WrittenTable: SourceHarness {
    let bench: Workbench

    init() throws {
        bench = try Workbench()
        try bench.sqlite(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
            INSERT INTO t SELECT i, CASE WHEN i % 7 <> 3 THEN 'name ' || i END FROM n
            """)
    }

    func makeSource() throws -> SQLiteTableSource { SQLiteTableSource(path: bench.path, table: "t") }
    var expectedSchema: Schema { NamedRows.schema }
    var expectedRows: [[Scalar]] { NamedRows.rows(0..<20_000) }
    func leftovers() async throws -> [String] { bench.files.filter { $0 != "w.db" } }
}

/// The table `t` of a database of its own, read back by the `sqlite3` program.
private struct TargetTable: SinkHarness {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    func makeSink() throws -> SQLiteSink { SQLiteSink(path: bench.path, table: "t") }

    func rows(_ columns: [String]) async throws -> [[String?]] {
        guard try bench.sqlite("SELECT 1 FROM sqlite_schema WHERE name = 't'") == ["1"] else { return [] }
        let names = columns.map { $0.quoted(by: "\"") }
        let printed = try bench.sqlite("SELECT json_array(\(names.joined(separator: ", "))) FROM t", mode: "-list")
        return try printed.map { line in
            (try JSONValue.parse(line).arrayValue ?? []).map { $0.isNull ? nil : $0.stringValue ?? $0.compactText }
        }
    }

    func leftovers() async throws -> [String] {
        let tables = try bench.sqlite("SELECT name FROM sqlite_schema WHERE type = 'table'", mode: "-list")
        return bench.files.filter { $0 != "w.db" } + tables.filter { $0 != "t" && $0 != "_headrace_state" }
    }
}

@Suite struct SQLiteContractTests {
    @Test("What the engine demands of every source", arguments: SourceContract<WrittenTable>.checks)
    private func source(_ check: Check<WrittenTable>) async throws { try await check.run(on: try WrittenTable()) }

    @Test("What the engine demands of every sink", arguments: SinkContract<TargetTable>.checks)
    private func sink(_ check: Check<TargetTable>) async throws { try await check.run(on: try TargetTable()) }
}
