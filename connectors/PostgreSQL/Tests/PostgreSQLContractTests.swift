import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

/// A table of 20,000 rows that `psql` made.
private struct WrittenTable: SourceHarness {
    let bench: Bench

    init() throws {
        bench = try Bench()
        try bench.psql(
            """
            CREATE TABLE t (id bigint PRIMARY KEY, name text);
            INSERT INTO t SELECT i, CASE WHEN i % 7 <> 3 THEN 'name ' || i END FROM generate_series(0, 19999) i
            """)
    }

    func makeSource() throws -> PostgreSQLTableSource {
        try PostgreSQLTableSource(try bench.configuration, table: "t")
    }
    var expectedSchema: Schema { NamedRows.schema }
    var expectedRows: [[Scalar]] { NamedRows.rows(0..<20_000) }
    func leftovers() async throws -> [String] { try await bench.openConnections() }
}

/// The table `t` of a database of its own, read back by `psql`.
private struct TargetTable: SinkHarness {
    let bench: Bench

    init() throws { bench = try Bench() }

    func makeSink() throws -> PostgreSQLSink { PostgreSQLSink(try bench.configuration, table: "t") }

    func rows(_ columns: [String]) async throws -> [[String?]] {
        guard try bench.psql("SELECT to_regclass('t') IS NOT NULL") == ["t"] else { return [] }
        let names = columns.map { $0.quoted(by: "\"") }
        return try bench.psql("SELECT json_build_array(\(names.joined(separator: ", "))) FROM t").map { line in
            (try JSONValue.parse(line).arrayValue ?? []).map { $0.isNull ? nil : $0.stringValue ?? $0.compactText }
        }
    }

    func leftovers() async throws -> [String] {
        let tables = try bench.psql(
            """
            SELECT relname FROM pg_class WHERE relkind = 'r'
            AND (relnamespace = 'public'::regnamespace OR relnamespace::regnamespace::text LIKE 'pg_temp%')
            """)
        return tables.filter { $0 != "t" && $0 != "_headrace_state" }
            + (try await bench.openConnections())
    }
}

extension Bench {
    /// Other connections to the database, waiting a while for the server to note that they have closed.
    func openConnections() async throws -> [String] {
        try await settled {
            try psql(
                "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        }
    }
}

@Suite struct PostgreSQLContractTests {
    @Test("What the engine demands of every source", arguments: SourceContract<WrittenTable>.checks)
    private func source(_ check: Check<WrittenTable>) async throws { try await check.run(on: try WrittenTable()) }

    @Test("What the engine demands of every sink", arguments: SinkContract<TargetTable>.checks)
    private func sink(_ check: Check<TargetTable>) async throws { try await check.run(on: try TargetTable()) }
}
