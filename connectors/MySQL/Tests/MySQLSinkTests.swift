import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

private let people = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])

private func rows(_ range: Range<Int>) throws -> RecordBatch {
    try .of(people, range.map { [.integer(Int128($0)), .utf8("row \($0)")] })
}

/// How rows go to the server.
enum Way: CaseIterable {
    case file, inserts
}

/// A server that takes no `LOAD DATA LOCAL`.
enum Closed {
    static let server = Result { try MariaDBServer(settings: ["--local-infile=0"]) }
}

@Suite struct MySQLSinkTests {
    private func bench(_ way: Way = .file) throws -> Bench {
        switch way {
        case .file: try Bench()
        case .inserts: try Bench(Closed.server.get())
        }
    }

    // MARK: - Every type

    @Test("Every type is written, read back by the client as it is, and read again as it was", arguments: Way.allCases)
    func types(way: Way) async throws {
        let bench = try bench(way)
        let cases: [(DataType, Scalar, String)] = [
            (.bool, .bool(true), "1"), (.int8, .integer(-128), "-128"), (.int16, .integer(-32768), "-32768"),
            (.int32, .integer(-2_147_483_648), "-2147483648"),
            (.int64, .integer(Int128(Int64.min)), "-9223372036854775808"), (.uint8, .integer(255), "255"),
            (.uint16, .integer(65535), "65535"), (.uint32, .integer(4_294_967_295), "4294967295"),
            (.uint64, .integer(Int128(UInt64.max)), "18446744073709551615"),
            (.float32, .double(Double(Float(0.1))), "0.1"),
            (.float64, .double(-2.2250738585072014e-308), "-2.2250738585072014e-308"),
            (.decimal(precision: 18, scale: 4), decimal("-99999999999999.9999"), "-99999999999999.9999"),
            (
                .decimal(precision: 38, scale: 10), decimal("9999999999999999999999999999.9999999999"),
                "9999999999999999999999999999.9999999999"
            ),
            (.utf8, .utf8("a\tb\nc\\d\u{0}e\r žluť 😀 '`\" "), "a\\tb\\nc\\\\d\\0e\r žluť 😀 '`\" "),
            (.json, .utf8("{\"a\":[1,null]}"), "{\"a\":[1,null]}"),
            (.binary, .binary([0, 255, 9, 10, 92, 39]), "00FF090A5C27"), (.date32, .date(2_932_896), "9999-12-31"),
            (.time64, .time(86_399_999_999), "23:59:59.999999"),
            (.timestamp(zone: nil), .timestamp(-1), "1969-12-31 23:59:59.999999"),
            (.instant, .timestamp(1_700_000_000_500_000), "2023-11-14 22:13:20.500000"),
            (.timestamp(zone: "Europe/Paris"), .timestamp(0), "1970-01-01 00:00:00.000000"),
        ]
        let schema = Schema(cases.enumerated().map { Field("c\($0)", $1.0) })
        let sink = try bench.sink("t")
        let values = try RecordBatch.of(schema, [cases.map(\.1), cases.map { _ in .null }])
        let lines = LogLines()
        let result = try await sink.load([values], schema: schema, mode: .append, in: .testing(log: lines.log))
        #expect(result.counts == WriteCounts(inserted: 2))
        #expect(result.rejects.isEmpty)
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.contains(way == .file ? "LOAD DATA LOCAL" : "prepared inserts") == true)
        let list = cases.indices.map { cases[$0].0 == .binary ? "HEX(c\($0))" : "c\($0)" }.joined(separator: ", ")
        let printed = try bench.mariadb("SELECT \(list) FROM t")
        let row = printed.dropLast().joined(separator: "\n")
        #expect(row == cases.map(\.2).joined(separator: "\t"))
        #expect(printed.last == cases.map { _ in "NULL" }.joined(separator: "\t"))
        let source = try bench.source("t")
        let back = try await source.schema(in: .testing())
        #expect(back.fields.map(\.type) == schema.fields.map(\.type))
        let read = try await source.readAll()
        #expect(read.batches.rejects.isEmpty)
        #expect(read.batches.rows == [cases.map(\.1), cases.map { _ in .null }])
        #expect(try await sink.targetSchema(in: .testing())?.names == schema.names)
    }

    // MARK: - Append

    @Test(
        "An append makes the table and writes every row, and a second one adds", arguments: Way.allCases,
        [0, 1, 64, 65, 5000])
    func appends(way: Way, count: Int) async throws {
        let bench = try bench(way)
        let sink = try bench.sink("people")
        let first = try await sink.load([try rows(0..<count)], schema: people, mode: .append)
        #expect(first.counts == WriteCounts(inserted: count))
        try await sink.load([try rows(count..<count + 2)], schema: people, mode: .append)
        #expect(
            try bench.mariadb("SELECT COUNT(*), SUM(id) FROM people")
                == ["\(count + 2)\t\((count + 2) * (count + 1) / 2)"])
        #expect(try bench.tables() == ["people"])
    }

    @Test("A row that the server refuses is a reject with its words, and the others arrive", arguments: Way.allCases)
    func refusals(way: Way) async throws {
        let bench = try bench(way)
        try bench.mariadb(
            """
            CREATE TABLE parents (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO parents VALUES (1);
            CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(3) CHARACTER SET latin1, n TINYINT NOT NULL, e ENUM('a','b'),
              p INT, CHECK (n <> 7), FOREIGN KEY (p) REFERENCES parents (id)) ENGINE=InnoDB
            """)
        let schema = Schema([
            Field("id", .int64), Field("v", .utf8), Field("n", .int64), Field("e", .utf8), Field("p", .int64),
        ])
        var data: [[Scalar]] = (0..<2000).map { [.integer(Int128($0)), .utf8("ok"), .integer(1), .utf8("a"), .null] }
        data[10][0] = .integer(3)
        data[20][1] = .utf8("long")
        data[30][1] = .utf8("日本")
        data[40][2] = .integer(7)
        data[50][2] = .integer(999)
        data[60][2] = .null
        data[70][3] = .utf8("z")
        data[75][3] = .utf8("1")
        data[80][4] = .integer(9)
        data[90][4] = .integer(1)
        let result = try await bench.sink("t").load([try .of(schema, data)], schema: schema, mode: .append)
        let bad = [10, 20, 30, 40, 50, 60, 70, 75, 80]
        #expect(result.rejects.map { $0.place.row - 1 }.sorted() == bad)
        #expect(result.counts == WriteCounts(inserted: 2000 - bad.count))
        #expect(
            try bench.mariadb("SELECT COUNT(*), SUM(id), SUM(v = 'ok'), SUM(p) FROM t")
                == ["\(2000 - bad.count)\t\(1999 * 1000 - bad.reduce(0, +))\t\(2000 - bad.count)\t1"])
        func reject(_ row: Int) -> Reject? { result.rejects.first { $0.place.row == row + 1 } }
        #expect(reject(10)?.code == "notUnique")
        #expect(reject(10)?.message.contains("Duplicate entry '3' for key 'PRIMARY'") == true)
        #expect(reject(20)?.code == "doesNotFit" && reject(20)?.field == "v")
        #expect(reject(30)?.message.contains("Incorrect string value") == true)
        #expect(reject(40)?.code == "check")
        #expect(reject(50)?.field == "n")
        #expect(reject(60)?.code == "missing")
        #expect(reject(70)?.message.contains("truncated") == true)
        #expect(reject(75)?.field == "e")
        #expect(reject(80)?.code == "foreignKey")
        #expect(reject(80)?.original == Array("original 80".utf8))
    }

    @Test(
        "What a column would alter without a word is refused before the server sees it",
        arguments: [
            ("DECIMAL(10,2)", "1.234"), ("DATETIME", "2020-01-01 00:00:00.5"), ("TIME(3)", "10:00:00.0001"),
            ("CHAR(5)", "a "), ("BINARY(4)", "ab"), ("YEAR", "70"), ("VARCHAR(2)", "ab "), ("BIT(3)", "8"),
            ("DECIMAL(65,30)", "0.1234567890123456789012345678901"), ("DECIMAL(40,0)", "1.5"), ("ENUM('a','b')", "2"),
            ("DATE", "0000-00-00"), ("INT", "1.5"), ("TINYINT(1)", "2"), ("TINYINT UNSIGNED", "256"), ("DOUBLE", "NaN"),
        ])
    func altered(declared: String, text: String) async throws {
        let bench = try Bench()
        try bench.mariadb("CREATE TABLE t (v \(declared)) ENGINE=InnoDB")
        let schema = Schema([Field("v", .utf8)])
        let result = try await bench.sink("t").load(
            [try .of(schema, [[.utf8(text)]])], schema: schema, mode: .append)
        #expect(result.rejects.map(\.code) == ["doesNotFit"])
        #expect(try bench.mariadb("SELECT COUNT(*) FROM t") == ["0"])
    }

    @Test("A wide decimal, a year, a set and an address are written from text as they are")
    func words() async throws {
        let bench = try Bench()
        try bench.mariadb(
            "CREATE TABLE t (d DECIMAL(65,30), y YEAR, s SET('x','y'), i INET6, b BIT(3), j INT AS (1) STORED) ENGINE=InnoDB"
        )
        let schema = Schema(["d", "y", "s", "i", "b"].map { Field($0, .utf8) })
        let text = "-99999999999999999999999999999999999.999999999999999999999999999999"
        let result = try await bench.sink("t").load(
            [try .of(schema, [[.utf8(text), .utf8("2024"), .utf8("x,y"), .utf8("::1"), .utf8("5")]])], schema: schema,
            mode: .append)
        #expect(result.rejects.map(\.message) == [])
        #expect(try bench.mariadb("SELECT d, y, s, i, b + 0 FROM t") == ["\(text)\t2024\tx,y\t::1\t5"])
    }

    @Test("What cannot go into the table at all is refused before any row moves")
    func mismatches() async throws {
        let bench = try Bench()
        try bench.mariadb(
            """
            CREATE TABLE a (id BIGINT) ENGINE=InnoDB; CREATE TABLE b (id BIGINT, name TEXT, need INT NOT NULL) ENGINE=InnoDB;
            CREATE TABLE c (id BIGINT, name TEXT) ENGINE=MyISAM; CREATE VIEW v AS SELECT * FROM b;
            CREATE TABLE g (id BIGINT, name INT AS (1) STORED) ENGINE=InnoDB
            """)
        for (table, code) in [
            ("a", "schemaMismatch"), ("b", "schemaMismatch"), ("c", "unsupported"), ("v", "unsupported"),
            ("g", "schemaMismatch"), ("_headrace_state", "badOption"), ("", "badOption"),
        ] {
            let error = await #expect(throws: HeadraceError.self) {
                _ = try await bench.sink(table).openWriter(for: people, mode: .append, in: .testing())
            }
            #expect(error?.code.rawValue == code, "table \(table)")
        }
    }

    // MARK: - Checkpoints

    @Test("The checkpoint is committed with the rows, and an abort leaves neither, nor a table")
    func checkpoints() async throws {
        let bench = try Bench()
        let sink = try bench.sink("people")
        #expect(try await sink.committed(in: .testing()) == nil)
        let checkpoint = Checkpoint.testing(epoch: 3, positions: ["s": 7, "t": ["a": 1]])
        try await sink.load([try rows(0..<3)], schema: people, mode: .append, checkpoint: checkpoint)
        #expect(try await sink.committed(in: .testing()) == checkpoint)
        #expect(try await sink.committed(in: .testing(job: "other")) == nil)
        await #expect(throws: HeadraceError.self) {
            try await sink.load(
                [try rows(3..<9)], schema: people, mode: .append,
                in: .testing(faults: Faults(failingAt: "mysql.beforeCommit")), checkpoint: .testing(epoch: 4))
        }
        #expect(try bench.mariadb("SELECT COUNT(*) FROM people") == ["3"])
        #expect(try await sink.committed(in: .testing()) == checkpoint)
        let other = try bench.sink("others")
        await #expect(throws: HeadraceError.self) {
            try await other.load(
                [try rows(3..<9)], schema: people, mode: .append,
                in: .testing(faults: Faults(failingAt: "mysql.beforeCommit")))
        }
        #expect(try bench.tables() == ["people"])
    }

    @Test("A run that was overtaken is refused when it begins and when it commits")
    func fences() async throws {
        let bench = try Bench()
        let sink = try bench.sink("people")
        let writer = try await sink.openWriter(for: people, mode: .append, in: .testing(fence: 1))
        _ = try await writer.write(try writer.encode(.testing(try rows(0..<2))))
        _ = try await writer.settle()
        try await bench.sink("more").load([try rows(0..<1)], schema: people, mode: .append, in: .testing(fence: 2))
        let late = await #expect(throws: HeadraceError.self) { try await writer.commit(.testing()) }
        #expect(late?.code == .leaseLost)
        await writer.abort()
        let again = await #expect(throws: HeadraceError.self) {
            try await sink.load([try rows(0..<1)], schema: people, mode: .append, in: .testing(fence: 1))
        }
        #expect(again?.code == .leaseLost)
        #expect(try bench.tables() == ["more"])
    }

    // MARK: - Replace

    @Test("A replace swaps the new rows in and keeps indexes; a table that is tied to others is emptied instead")
    func replaces() async throws {
        let bench = try Bench()
        try bench.mariadb(
            """
            CREATE TABLE people (id BIGINT NOT NULL, name VARCHAR(20), KEY by_name (name)) ENGINE=InnoDB;
            INSERT INTO people VALUES (99, 'old');
            CREATE TABLE tied (id BIGINT NOT NULL, name VARCHAR(20)) ENGINE=InnoDB; INSERT INTO tied VALUES (99, 'old');
            CREATE TRIGGER tr BEFORE INSERT ON tied FOR EACH ROW SET NEW.name = UPPER(NEW.name)
            """)
        for (table, name) in [("people", "row 1"), ("tied", "ROW 1"), ("fresh", "row 1")] {
            let result = try await bench.sink(table).load(
                [try rows(1..<2), try rows(2..<3)], schema: people, mode: .replace)
            #expect(result.counts == WriteCounts(inserted: 2))
            #expect(try bench.mariadb("SELECT COUNT(*), MIN(name), MAX(id) FROM \(table)") == ["2\t\(name)\t2"])
            #expect(try await bench.sink(table).committed(in: .testing()) == .testing())
        }
        #expect(
            try bench.mariadb(
                "SELECT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_NAME = 'people' AND TABLE_SCHEMA = DATABASE()"
            )
                == ["by_name"])
        #expect(try bench.tables() == ["fresh", "people", "tied"])
    }

    @Test(
        "A replace that stops anywhere leaves the old rows or the new, and the next run clears up",
        arguments: ["mysql.beforeCommit", "mysql.prepared", "mysql.swapped", "mysql.afterCommit"], [true, false])
    func interruptedReplace(point: String, aborts: Bool) async throws {
        let bench = try Bench()
        try bench.mariadb(
            "CREATE TABLE people (id BIGINT, name TEXT) ENGINE=InnoDB; INSERT INTO people VALUES (99, 'old')")
        let sink = try bench.sink("people")
        let context = RunContext.testing(faults: Faults(failingAt: point))
        var open: MySQLSinkWriter? = try await sink.openWriter(for: people, mode: .replace, in: context)
        if let writer = open {
            _ = try await writer.write(try writer.encode(.testing(try rows(0..<5))))
            #expect(try bench.mariadb("SELECT id FROM people") == ["99"])
            _ = try await writer.settle()
            await #expect(throws: HeadraceError.self) { try await writer.commit(.testing()) }
        }
        let isSwapped = point == "mysql.swapped" || point == "mysql.afterCommit"
        #expect(try bench.mariadb("SELECT COUNT(*) FROM people") == [isSwapped ? "5" : "1"])
        if aborts {
            await open?.abort()
            #expect(try await sink.committed(in: .testing()) == (isSwapped ? .testing() : nil))
        }
        // Without an abort the connection just ends, as when a process dies.
        open = nil
        try await sink.load([try rows(0..<7)], schema: people, mode: .replace, in: .testing(fence: 2))
        #expect(try bench.mariadb("SELECT COUNT(*) FROM people") == ["7"])
        #expect(try bench.tables() == ["people"])
        #expect(try bench.mariadb("SELECT COUNT(*) FROM _headrace_swap") == ["0"])
    }

    // MARK: - Upsert

    @Test("An upsert inserts, updates and leaves alone, in the rows' order, and counts each", arguments: Way.allCases)
    func upserts(way: Way) async throws {
        let bench = try bench(way)
        let sink = try bench.sink("people")
        let mode = SinkMode.upsert(on: ["id"])
        let first = try await sink.load([try rows(0..<1000)], schema: people, mode: mode)
        #expect(first.counts == WriteCounts(inserted: 1000))
        let second = try RecordBatch.of(
            people,
            [
                [.integer(1), .utf8("ROW 1")], [.integer(2), .utf8("row 2")], [.integer(2000), .utf8("new")],
                [.integer(2000), .utf8("newer")], [.integer(2000), .utf8("newer")], [.integer(3), .null],
            ])
        let result = try await sink.load([second], schema: people, mode: mode)
        #expect(result.counts == WriteCounts(inserted: 1, updated: 3, unchanged: 2))
        #expect(
            try bench.mariadb("SELECT id, name FROM people WHERE id IN (1, 2, 3, 2000) ORDER BY id")
                == ["1\tROW 1", "2\trow 2", "3\tNULL", "2000\tnewer"])
        #expect(try bench.mariadb("SELECT COUNT(*) FROM people") == ["1001"])
    }

    @Test("Rows that an upsert may not store are rejects, and a table without a key over the columns gets one")
    func upsertRefusals() async throws {
        let bench = try Bench()
        try bench.mariadb(
            """
            CREATE TABLE people (id BIGINT NOT NULL, name VARCHAR(20) UNIQUE, CHECK (name <> 'bad')) ENGINE=InnoDB;
            INSERT INTO people VALUES (1, 'a'), (2, 'b')
            """)
        let batch = try RecordBatch.of(
            people,
            [
                [.integer(1), .utf8("c")], [.integer(2), .utf8("bad")], [.integer(3), .utf8("c")],
                [.integer(4), .utf8("d")],
                [.integer(5), .utf8(String(repeating: "x", count: 21))],
            ])
        let result = try await bench.sink("people").load([batch], schema: people, mode: .upsert(on: ["id"]))
        #expect(result.rejects.map { $0.place.row }.sorted() == [2, 3, 5])
        #expect(result.rejects.map(\.code).sorted() == ["check", "doesNotFit", "notUnique"])
        #expect(result.counts == WriteCounts(inserted: 1, updated: 1))
        #expect(try bench.mariadb("SELECT id, name FROM people ORDER BY id") == ["1\tc", "2\tb", "4\td"])
        try bench.mariadb(
            "CREATE TABLE twice (id BIGINT, name TEXT) ENGINE=InnoDB; INSERT INTO twice VALUES (1, 'a'), (1, 'b')")
        let error = await #expect(throws: HeadraceError.self) {
            try await bench.sink("twice").load([try rows(0..<1)], schema: people, mode: .upsert(on: ["id"]))
        }
        #expect(error?.code.rawValue == "constraintViolated")
    }

    @Test("A plan shows what a run would do and changes nothing")
    func plans() async throws {
        let bench = try Bench()
        for mode in [SinkMode.append, .replace, .upsert(on: ["id"])] {
            let lines = try await bench.sink("people").plan(for: people, mode: mode, in: .testing())
            #expect(lines.first?.hasPrefix("CREATE TABLE `") == true)
            #expect(lines.contains { $0.hasPrefix("LOAD DATA LOCAL") })
        }
        #expect(try bench.mariadb("SHOW TABLES") == [])
    }
}
