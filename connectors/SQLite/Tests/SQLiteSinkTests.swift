import Foundation
import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

private let people = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])

private func rows(_ range: Range<Int>) throws -> RecordBatch {
    try .of(people, range.map { [.integer(Int128($0)), .utf8("row \($0)")] })
}

@Suite struct SQLiteSinkTests {
    let bench: Workbench
    var sink: SQLiteSink { SQLiteSink(path: bench.path, table: "people") }

    init() throws { bench = try Workbench() }

    // MARK: - Append

    @Test("An append makes the table and writes every row, whatever the pieces", arguments: [0, 1, 31, 32, 33, 1000])
    func appends(count: Int) async throws {
        let result = try await sink.load([try rows(0..<count)], schema: people, mode: .append)
        #expect(result.counts == WriteCounts(inserted: count))
        #expect(
            try bench.sqlite("SELECT count(*), sum(id) FROM people").first
                == "\(count),\(count == 0 ? "NULL" : "\(count * (count - 1) / 2)")")
        #expect(
            try bench.sqlite("SELECT sql FROM sqlite_schema WHERE name = 'people'")
                == [#"'CREATE TABLE "people" ("id" BIGINT NOT NULL, "name" TEXT)'"#])
    }

    @Test("A second append adds to what is there")
    func appendsAgain() async throws {
        try await sink.load([try rows(0..<3)], schema: people, mode: .append)
        try await sink.load([try rows(3..<5)], schema: people, mode: .append)
        #expect(try bench.sqlite("SELECT group_concat(id) FROM people") == ["'0,1,2,3,4'"])
    }

    @Test("Columns are matched by name; those that the rows lack take their default or null")
    func matchesByName() async throws {
        try bench.sqlite("CREATE TABLE people (note TEXT, NAME VARCHAR(20), level INT DEFAULT 3, id BIGINT NOT NULL)")
        try await sink.load([try rows(0..<1)], schema: people, mode: .append)
        #expect(try bench.sqlite("SELECT * FROM people") == ["NULL,'row 0',3,0"])
    }

    @Test("A column that the table lacks is refused before any row moves, with the valid names")
    func unknownColumn() async throws {
        try bench.sqlite("CREATE TABLE people (id BIGINT, first TEXT)")
        let error = await #expect(throws: HeadraceError.self) {
            try await sink.load([try rows(0..<1)], schema: people, mode: .append)
        }
        #expect(error?.code == .schemaMismatch)
        #expect(error?.message == "table \"people\" has no column \"name\"")
        #expect(error?.fields.first?.value == "id, first")
        #expect(try bench.sqlite("SELECT count(*) FROM people") == ["0"])
    }

    @Test("A column that the table needs and the rows lack is refused before any row moves")
    func neededColumn() async throws {
        try bench.sqlite("CREATE TABLE people (id BIGINT, name TEXT, born DATE NOT NULL)")
        let error = await #expect(throws: HeadraceError.self) {
            try await sink.load([try rows(0..<1)], schema: people, mode: .append)
        }
        #expect(error?.message == "table \"people\" needs a value for \"born\", which the rows lack")
    }

    @Test("A view, a reserved name and a sink without a table are refused")
    func refusedTargets() async throws {
        try bench.sqlite("CREATE TABLE t (id BIGINT, name TEXT); CREATE VIEW people AS SELECT * FROM t")
        for (table, code) in [("people", "unsupported"), ("_headrace_state", "badOption"), ("sqlite_x", "badOption")] {
            let error = await #expect(throws: HeadraceError.self) {
                _ = try await SQLiteSink(path: bench.path, table: table).openWriter(
                    for: people, mode: .append, in: .testing())
            }
            #expect(error?.code.rawValue == code)
        }
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await SQLiteSink(path: bench.path).openWriter(for: people, mode: .append, in: .testing())
        }
        #expect(error?.code == .badOption)
    }

    @Test("The schema of the target is that of the columns that can be written")
    func targetSchema() async throws {
        #expect(try await sink.targetSchema(in: .testing()) == nil)
        try bench.sqlite(
            """
            CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(9) NOT NULL, x, twice INT AS (id * 2));
            INSERT INTO people VALUES (1, 'a', 2.5)
            """)
        #expect(
            try await sink.targetSchema(in: .testing())?.description == "id: int64, name: utf8 not null, x: float64")
        #expect(try await SQLiteSink(path: bench.path, table: "none").targetSchema(in: .testing()) == nil)
        #expect(try await SQLiteSink(path: bench.path).targetSchema(in: .testing()) == nil)
    }

    // MARK: - Rows that are refused

    @Test("Rows that constraints refuse become rejects with SQLite's words, and the others arrive")
    func constraints() async throws {
        try bench.sqlite(
            """
            CREATE TABLE country (code TEXT PRIMARY KEY); INSERT INTO country VALUES ('SE');
            CREATE TABLE people (id BIGINT UNIQUE ON CONFLICT REPLACE, name TEXT NOT NULL CHECK (length(name) < 5),
                country TEXT REFERENCES country)
            """)
        let schema = Schema([Field("id", .int64), Field("name", .utf8), Field("country", .utf8)])
        var values: [[Scalar]] = (0..<100).map { [.integer(Int128($0)), .utf8("n\($0)"), .utf8("SE")] }
        values[10][1] = .null
        values[20][1] = .utf8("too long")
        values[30][0] = .integer(3)
        values[99][2] = .utf8("XX")
        let result = try await sink.load([try .of(schema, values)], schema: schema, mode: .append)
        #expect(result.counts == WriteCounts(inserted: 96))
        #expect(result.rejects.map(\.code) == ["missing", "check", "notUnique", "foreignKey"])
        #expect(result.rejects.map(\.place.row) == [11, 21, 31, 100])
        #expect(result.rejects.map(\.field) == ["name", nil, "id", nil])
        #expect(result.rejects[0].message == "NOT NULL constraint failed: people.name")
        #expect(result.rejects[1].original == Array("original 20".utf8))
        #expect(result.rejects[1].row == #"{"id":20,"name":"too long","country":"SE"}"#)
        #expect(
            try bench.sqlite("SELECT count(*), count(CASE WHEN id IN (10, 20, 30, 99) THEN 1 END) FROM people")
                == ["96,0"])
        #expect(try bench.sqlite("SELECT name FROM people WHERE id = 3") == ["'n3'"])
    }

    @Test("Values that a column's type cannot hold become rejects and are never cut or rounded")
    func misfits() async throws {
        try bench.sqlite("CREATE TABLE people (id TINYINT, name TEXT)")
        let batch = try RecordBatch.of(people, [[.integer(127), .utf8("a")], [.integer(128), .utf8("b")]])
        let result = try await sink.load([batch], schema: people, mode: .append)
        #expect(result.counts == WriteCounts(inserted: 1))
        #expect(result.rejects.map(\.code) == ["doesNotFit"])
        #expect(result.rejects[0].value == "128")
        #expect(try bench.sqlite("SELECT * FROM people") == ["127,'a'"])
    }

    // MARK: - Replace

    @Test("A replace puts the rows in the place of all that were there and keeps indexes, views and triggers")
    func replaces() async throws {
        try bench.sqlite(
            """
            CREATE TABLE people (id BIGINT, name TEXT); CREATE INDEX by_name ON people (name);
            CREATE VIEW names AS SELECT name FROM people; INSERT INTO people VALUES (99, 'old');
            """)
        let result = try await sink.load([try rows(0..<2)], schema: people, mode: .replace)
        #expect(result.counts == WriteCounts(inserted: 2))
        #expect(try bench.sqlite("SELECT * FROM names") == ["'row 0'", "'row 1'"])
        #expect(try bench.sqlite("SELECT count(*) FROM sqlite_schema WHERE name = 'by_name'") == ["1"])
    }

    @Test("A replace with no rows leaves an empty table")
    func replacesWithNothing() async throws {
        try await sink.load([try rows(0..<2)], schema: people, mode: .replace)
        try await sink.load([], schema: people, mode: .replace)
        #expect(try bench.sqlite("SELECT count(*) FROM people") == ["0"])
    }

    // MARK: - Interruption

    @Test("Before the commit others see the old rows, and an abort leaves nothing behind", arguments: [true, false])
    func aborts(isReplace: Bool) async throws {
        try await sink.load([try rows(0..<2)], schema: people, mode: .append)
        let writer = try await sink.openWriter(for: people, mode: isReplace ? .replace : .append, in: .testing())
        _ = try await writer.write(try writer.encode(.testing(try rows(10..<500))))
        #expect(try bench.sqlite("SELECT group_concat(id) FROM people") == ["'0,1'"])
        await writer.abort()
        await writer.abort()
        #expect(try bench.sqlite("SELECT group_concat(id) FROM people") == ["'0,1'"])
        #expect(bench.files == ["w.db"])
    }

    @Test("An abort of a run that made the table leaves no table")
    func abortsNewTable() async throws {
        let writer = try await sink.openWriter(for: people, mode: .append, in: .testing())
        _ = try await writer.write(try writer.encode(.testing(try rows(0..<5))))
        await writer.abort()
        #expect(try bench.sqlite("SELECT name FROM sqlite_schema") == [])
        #expect(bench.files == ["w.db"])
    }

    @Test(
        "A fault before the commit leaves the old state, one after it the new",
        arguments: ["sqlite.beforeCommit", "sqlite.afterCommit"])
    func faults(point: String) async throws {
        try await sink.load([try rows(0..<1)], schema: people, mode: .append)
        let faults = Faults(failingAt: point)
        await #expect(throws: HeadraceError.self) {
            try await sink.load(
                [try rows(1..<3)], schema: people, mode: .append, in: .testing(run: "run-2", faults: faults),
                checkpoint: .testing(run: "run-2"))
        }
        let isDone = point == "sqlite.afterCommit"
        #expect(try bench.sqlite("SELECT count(*) FROM people") == [isDone ? "3" : "1"])
        #expect(try await sink.committed(in: .testing())?.run == (isDone ? "run-2" : "run-1"))
    }

    @Test("A process that is killed before its commit leaves the old rows, and the next run goes on from them")
    func killed() async throws {
        try await sink.load([try rows(0..<2)], schema: people, mode: .append)
        let path = bench.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let sink = SQLiteSink(path: path, table: "people")
            let schema = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])
            // More than SQLite's page cache, so that uncommitted pages are in the log when the process dies.
            let text = Scalar.utf8(String(repeating: "x", count: 500))
            let batch = try RecordBatch.of(schema, (0..<20_000).map { [.integer(Int128($0)), text] })
            let writer = try await sink.openWriter(for: schema, mode: .replace, in: .testing(run: "killed"))
            _ = try await writer.write(try writer.encode(.testing(batch)))
            _ = try await writer.settle()
            kill(getpid(), SIGKILL)
        }
        #expect(bench.files.contains("w.db-wal"))
        #expect(try await sink.committed(in: .testing())?.run == "run-1")
        #expect(try bench.sqlite("PRAGMA integrity_check") == ["'ok'"])
        try await sink.load([try rows(2..<3)], schema: people, mode: .append)
        #expect(try bench.sqlite("SELECT group_concat(id) FROM people") == ["'0,1,2'"])
    }

    @Test("A run that is asked to stop stops a writer that waits for a lock, at once")
    func cancels() async throws {
        try await sink.load([try rows(0..<1)], schema: people, mode: .append)
        let holder = SQLiteDatabase(path: bench.path, options: .writing)
        try await holder.use { try $0.execute("BEGIN IMMEDIATE") }
        let cancellation = Cancellation()
        let writer = try await sink.openWriter(
            for: people, mode: .append, in: .testing(cancellation: cancellation))
        let encoded = try writer.encode(.testing(try rows(1..<2)))
        let waiting = Task { try await writer.write(encoded) }
        try await Task.sleep(for: .milliseconds(50))
        cancellation.cancel()
        let error = await #expect(throws: HeadraceError.self) { try await waiting.value }
        #expect(error?.code == .cancelled)
        await writer.abort()
        await holder.close()
        #expect(try bench.sqlite("SELECT count(*) FROM people") == ["1"])
    }

    @Test("A database that stays locked gives an error that says what to do")
    func busy() async throws {
        try await sink.load([], schema: people, mode: .append)
        let holder = SQLiteDatabase(path: bench.path, options: .writing)
        try await holder.use { try $0.execute("BEGIN IMMEDIATE") }
        let impatient = SQLiteSink(path: bench.path, table: "people", busyTimeout: .milliseconds(20))
        let error = await #expect(throws: HeadraceError.self) {
            try await impatient.load([try rows(0..<1)], schema: people, mode: .append)
        }
        #expect(error?.code == .databaseBusy)
        #expect(error?.retry == .mayHelp)
        await holder.close()
    }

    @Test("Sinks of one run on one file share a transaction; two on one table are refused")
    func shares() async throws {
        let link = bench.folder + "/link.db"
        let first = try await sink.openWriter(for: people, mode: .append, in: .testing())
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: bench.path)
        let second = try await SQLiteSink(path: link, table: "others").openWriter(
            for: people, mode: .append, in: .testing())
        let twice = await #expect(throws: HeadraceError.self) {
            _ = try await sink.openWriter(for: people, mode: .append, in: .testing())
        }
        #expect(twice?.code == .badOption)
        for writer in [first, second] { _ = try await writer.write(try writer.encode(.testing(try rows(0..<3)))) }
        _ = try await first.settle()
        let early = await #expect(throws: HeadraceError.self) { try await first.commit(.testing()) }
        #expect(early?.code == .unsupported)
        _ = try await second.settle()
        try await first.commit(.testing())
        #expect(try bench.sqlite("SELECT count(*) FROM sqlite_schema") == ["0"])
        try await second.commit(.testing())
        #expect(try bench.sqlite("SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM others)") == ["3,3"])
        await first.abort()
        await second.abort()
        #expect(bench.files == ["link.db", "w.db"])
    }

    @Test("An abort of one sink undoes what the others of its run wrote in the same transaction")
    func abortsTogether() async throws {
        let first = try await sink.openWriter(for: people, mode: .append, in: .testing())
        let second = try await SQLiteSink(path: bench.path, table: "others").openWriter(
            for: people, mode: .append, in: .testing())
        for writer in [first, second] {
            _ = try await writer.write(try writer.encode(.testing(try rows(0..<3))))
            _ = try await writer.settle()
        }
        try await first.commit(.testing())
        await second.abort()
        await #expect(throws: HeadraceError.self) { _ = try await first.settle() }
        await first.abort()
        #expect(try bench.sqlite("SELECT count(*) FROM sqlite_schema") == ["0"])
        try await sink.load([try rows(0..<1)], schema: people, mode: .append)
        #expect(try bench.sqlite("SELECT count(*) FROM people") == ["1"])
    }

    // MARK: - Places that are no database

    @Test("A file that is no database and a folder that is not there are told apart")
    func badFiles() async throws {
        try String(repeating: "not a database ", count: 100).write(
            toFile: bench.path, atomically: true, encoding: .utf8)
        let notDatabase = await #expect(throws: HeadraceError.self) {
            try await sink.load([], schema: people, mode: .append)
        }
        #expect(notDatabase?.code == .notADatabase)
        let noFolder = await #expect(throws: HeadraceError.self) {
            try await SQLiteSink(path: bench.folder + "/no/w.db", table: "t").load([], schema: people, mode: .append)
        }
        #expect(noFolder?.code == .notFound)
        #expect(noFolder?.message.contains("the folder of") == true)
    }

    // MARK: - Plan

    @Test("A plan names every statement and changes nothing")
    func plans() async throws {
        let lines = try await sink.plan(for: people, mode: .append, in: .testing())
        #expect(
            lines == [
                "make the database file \(bench.path)",
                #"CREATE TABLE "people" ("id" BIGINT NOT NULL, "name" TEXT)"#,
                #"INSERT OR ABORT INTO "people" ("id", "name") VALUES (?, ?)"#,
                "write the checkpoint of job job into _headrace_state, in the rows' transaction",
            ])
        #expect(bench.files == [])
        try await sink.load([], schema: people, mode: .append)
        let again = try await sink.plan(for: people, mode: .replace, in: .testing())
        #expect(again.first == #"DELETE FROM "people""#)
    }
}
