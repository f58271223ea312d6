import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

/// A table of 20,000 rows that the `mariadb` program made.
private struct WrittenTable: SourceHarness {
    let bench: Bench

    init() throws {
        bench = try Bench()
        try bench.mariadb(
            """
            CREATE TABLE t (id bigint PRIMARY KEY, name text);
            INSERT INTO t SELECT seq, CASE WHEN seq % 7 <> 3 THEN CONCAT('name ', seq) END FROM seq_0_to_19999
            """)
    }

    func makeSource() throws -> MySQLTableSource { try bench.source("t") }
    var expectedSchema: Schema { NamedRows.schema }
    var expectedRows: [[Scalar]] { NamedRows.rows(0..<20_000) }
    func leftovers() async throws -> [String] { try await bench.openConnections() }
}

/// The table `t` of a database of its own, read back by the `mariadb` program.
private struct TargetTable: SinkHarness {
    let bench: Bench

    init() throws { bench = try Bench() }

    func makeSink() throws -> MySQLSink { try bench.sink("t") }

    func rows(_ columns: [String]) async throws -> [[String?]] {
        guard try bench.tables().contains("t") else { return [] }
        let names = columns.map { $0.quoted(by: "`") }
        return try bench.mariadb("SELECT \(names.joined(separator: ", ")) FROM t").map { line in
            line.split(separator: "\t").map { $0 == "NULL" ? nil : String($0) }
        }
    }

    func leftovers() async throws -> [String] {
        try bench.tables().filter { $0 != "t" } + (try await bench.openConnections())
    }
}

extension Bench {
    /// Other connections to the database, waiting a while for the server to note that they have closed.
    func openConnections() async throws -> [String] {
        try await settled {
            try mariadb(
                "SELECT CONCAT(ID, ' ', COMMAND) FROM information_schema.PROCESSLIST WHERE DB = '\(database)' AND ID <> CONNECTION_ID()"
            )
        }
    }
}

@Suite struct MySQLContractTests {
    @Test("What the engine demands of every source", arguments: SourceContract<WrittenTable>.checks)
    private func source(_ check: Check<WrittenTable>) async throws { try await check.run(on: try WrittenTable()) }

    @Test("What the engine demands of every sink", arguments: SinkContract<TargetTable>.checks)
    private func sink(_ check: Check<TargetTable>) async throws { try await check.run(on: try TargetTable()) }
}
