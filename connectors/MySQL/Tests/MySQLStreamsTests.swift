import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

/// A key that a table is split by, and how its rows are made of the numbers from 1 up.
struct KeyCase: Sendable, CustomTestStringConvertible {
    let columns: String
    let key: String
    let values: String
    /// The most rows whose keys are different.
    var rows = 33_000
    var testDescription: String { columns }

    static let all: [KeyCase] = [
        KeyCase(columns: "k BIGINT UNSIGNED", key: "k", values: "IF(seq % 2, seq, 18446744073709551615 - seq)"),
        KeyCase(columns: "k INT", key: "k", values: "CAST(seq AS SIGNED) - 20000"),
        KeyCase(columns: "k DECIMAL(65,30)", key: "k", values: "seq / 7 - 1000"),
        KeyCase(columns: "k DATETIME(6)", key: "k", values: "'0001-01-01' + INTERVAL seq * 7000001 MICROSECOND"),
        KeyCase(columns: "k TIMESTAMP(3)", key: "k", values: "'2020-10-25 00:00:00' + INTERVAL seq SECOND"),
        KeyCase(columns: "k TIME", key: "k", values: "SEC_TO_TIME(CAST(seq AS SIGNED) * 100 - 2500000)"),
        KeyCase(
            columns: "k VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci", key: "k",
            values: "CONCAT(ELT(1 + seq % 6, 'a', 'Z', 'é', 'ß', 'ÿ', ' '), seq, IF(seq % 3, '', 'É'))"),
        KeyCase(
            columns: "k VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", key: "k",
            values: "CONCAT(ELT(1 + seq % 6, 'straße', 'Zoë', '😀', '中', 'ﬁ', ''), HEX(seq), '-')"),
        KeyCase(
            columns: "k VARCHAR(40) CHARACTER SET utf8mb3 COLLATE utf8mb3_czech_ci", key: "k",
            values: "CONCAT(ELT(1 + seq % 5, 'ch', 'c', 'h', 'Č', 'd'), seq)"),
        KeyCase(
            columns: "k VARCHAR(20) CHARACTER SET sjis COLLATE sjis_japanese_ci", key: "k",
            values: "CONCAT(ELT(1 + seq % 4, 'テ', '表', 'ー', '\\\\'), seq)"),
        KeyCase(
            columns: "k VARCHAR(20) CHARACTER SET gbk COLLATE gbk_chinese_ci", key: "k",
            values: "CONCAT(ELT(1 + seq % 4, '誠', '中', 'a', '運'), seq)"),
        KeyCase(
            columns: "k VARCHAR(20) CHARACTER SET utf16", key: "k", values: "CONCAT(ELT(1 + seq % 2, '😀', '￿'), seq)"),
        KeyCase(
            columns: "k CHAR(12) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", key: "k",
            values: "CONCAT(' ', seq)"),
        KeyCase(columns: "k VARBINARY(20)", key: "k", values: "CONCAT(CHAR(seq % 256), CHAR(0), seq)"),
        KeyCase(columns: "k BINARY(8)", key: "k", values: "UNHEX(LPAD(HEX(seq * 11400714819323), 16, '0'))"),
        KeyCase(columns: "k BIT(20)", key: "k", values: "seq"),
        // Keys that differ far behind what a sort looks at by itself.
        KeyCase(
            columns: "k VARCHAR(700) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL", key: "k",
            values: "CONCAT(REPEAT('ä', 600), seq)", rows: 30_001),
        KeyCase(
            columns: "k VARBINARY(1500) NOT NULL", key: "k", values: "CONCAT(REPEAT('x', 1400), seq)", rows: 30_001),
        KeyCase(columns: "k UUID", key: "k", values: "INSERT(INSERT(MD5(seq), 13, 1, '4'), 17, 1, 'a')"),
        KeyCase(
            columns: "e ENUM('z','a','m') NOT NULL, s SET('q','b','c') NOT NULL, n INT NOT NULL", key: "e, s, n",
            values: "1 + seq % 3, seq % 8, seq"),
        KeyCase(
            columns: "y YEAR, d DATE, n INT", key: "y, d, n",
            values: "1901 + seq % 200, '2020-01-01' + INTERVAL seq % 9 DAY, seq"),
        KeyCase(
            columns: "a TINYINT NOT NULL, b VARCHAR(9) COLLATE latin1_german2_ci NOT NULL, n INT UNSIGNED NOT NULL",
            key: "a, b, n", values: "CAST(seq % 3 AS SIGNED) - 1, ELT(1 + seq % 4, 'ä', 'ae', 'AE', 'af'), seq"),
    ]
}

/// One case at a time: each keeps the server busy.
@Suite(.serialized) struct MySQLStreamsTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    private func fill(_ kind: KeyCase, isPrimary: Bool = true) throws {
        let names = kind.columns.split(separator: ", ").map { $0.split(separator: " ")[0] }.joined(separator: ", ")
        try bench.mariadb(
            """
            SET sql_mode = 'STRICT_ALL_TABLES';
            CREATE TABLE t (id INT NOT NULL, \(kind.columns), pad VARCHAR(60) DEFAULT 'some filler, so that chunks end', \(isPrimary ? "PRIMARY KEY" : "UNIQUE KEY `ü``k`") (\(kind.key)))
              CHARACTER SET latin1;
            INSERT INTO t (id, \(names)) SELECT seq, \(kind.values) FROM seq_1_to_\(kind.rows);
            ANALYZE TABLE t
            """)
    }

    @Test(
        "A table is split by any key, each row is read once, and goes on after any interruption", arguments: KeyCase.all
    )
    func splits(kind: KeyCase) async throws {
        try fill(kind)
        let source = try bench.source("t", streams: 3)
        let (batches, positions) = try await source.readAll()
        #expect(batches.rejects.isEmpty || kind.columns.contains("TIME"))
        let all = batches.identifiers + batches.rejects.compactMap(\.place.row).map { _ in 0 }
        #expect(all.count == kind.rows)
        let read = Set(batches.identifiers)
        #expect(read.count == batches.identifiers.count)
        // Rows of three parts, each of about a third, tell their parts by their ordinals.
        let parts = Dictionary(grouping: batches.map { $0.provenance.place(of: 0).row / 1_000_000_000_000 }) {
            $0
        }
        #expect(parts.count == 3)
        for index in [0, positions.count / 2, positions.count - 2] {
            let (rest, _) = try await source.readAll(from: positions[index])
            #expect(
                (Array(batches[...index]).identifiers + rest.identifiers).sorted()
                    == batches.identifiers.sorted(), "after chunk \(index)")
        }
    }

    @Test("A unique index with an odd name over columns that take no nulls splits a table too")
    func uniqueKey() async throws {
        try fill(KeyCase(columns: "k VARCHAR(32) NOT NULL", key: "k", values: "MD5(seq)"), isPrimary: false)
        let (batches, _) = try await bench.source("t", streams: 2).readAll()
        #expect(Set(batches.map { $0.provenance.place(of: 0).row / 1_000_000_000_000 }) == [0, 1])
        #expect(batches.identifiers.sorted() == Array(1...33_000))
    }

    @Test(
        "Long keys of a secondary index are read in their order and go on after any interruption; one kept by a hash is no order"
    )
    func longKeys() async throws {
        try bench.mariadb(
            """
            CREATE TABLE t (id INT NOT NULL, k VARCHAR(700) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL, UNIQUE (k));
            INSERT INTO t SELECT seq, CONCAT(REPEAT('ä', 600), MD5(seq)) FROM seq_1_to_3000;
            CREATE TABLE h (id INT NOT NULL, k TEXT NOT NULL, UNIQUE (k));
            INSERT INTO h SELECT seq, CONCAT(REPEAT('x', 1500), MD5(seq)) FROM seq_1_to_3000
            """)
        let source = try bench.source("t")
        let (batches, positions) = try await source.readAll()
        #expect(batches.identifiers.sorted() == Array(1...3000))
        for index in 0..<positions.count - 1 {
            let (rest, _) = try await source.readAll(from: positions[index])
            #expect((Array(batches[...index]).identifiers + rest.identifiers).sorted() == Array(1...3000))
        }
        let (hashed, ends) = try await bench.source("h", streams: 3).readAll()
        #expect(hashed.identifiers.sorted() == Array(1...3000))
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await bench.source("h").readAll(from: ends.first)
        }
        #expect(error?.code == .unsupported)
    }

    @Test("All connections see one moment, while others write without a pause", arguments: [2, 4])
    func oneMoment(streams: Int) async throws {
        // Every transaction moves one from one end of the table to the other: the sum never changes.
        try bench.mariadb(
            """
            CREATE TABLE t (id INT PRIMARY KEY, n INT, pad CHAR(80));
            INSERT INTO t SELECT seq, 100, 'x' FROM seq_1_to_60000
            """)
        let writer = MySQLSession(try bench.configuration)
        try await writer.use {
            _ = try $0.execute(
                """
                CREATE PROCEDURE churn() BEGIN DECLARE i INT DEFAULT 0; REPEAT START TRANSACTION;
                UPDATE t SET n = n - 1 WHERE id = 1 + i % 100; UPDATE t SET n = n + 1 WHERE id = 60000 - i % 100;
                COMMIT; SET i = i + 1; UNTIL i = 1000000 END REPEAT; END
                """)
        }
        let churning = Task { try await writer.use { _ = try $0.execute("CALL churn()") } }
        for _ in 0..<100 where try bench.mariadb("SELECT n FROM t WHERE id = 1") == ["100"] {
            try await Task.sleep(for: .milliseconds(20))
        }
        let lines = LogLines()
        for _ in 0..<8 {
            let (batches, _) = try await bench.source("t", streams: streams).readAll(in: .testing(log: lines.log))
            let sum = batches.rows.reduce(Int128(0)) { sum, row in
                if case .integer(let n) = row[1] { sum + n } else { sum }
            }
            #expect(sum == 6_000_000)
        }
        #expect(lines.all == [])
        writer.interrupt()
        _ = try? await churning.value
        await writer.close()
    }

    @Test("Where no lock is granted, or no snapshot is to be had, one connection reads, and the log says so")
    func noLock() async throws {
        try fill(KeyCase(columns: "k INT", key: "k", values: "seq"))
        let user = "reader_\(bench.database)"
        try bench.mariadb(
            "CREATE USER '\(user)'@'localhost'; GRANT SELECT ON \(bench.database).* TO '\(user)'@'localhost'")
        var configuration = try bench.configuration
        configuration.user = user
        var lines = LogLines()
        let reader = MySQLTableSource(configuration: configuration, table: "t", streams: 3)
        let (batches, _) = try await reader.readAll(in: .testing(log: lines.log))
        #expect(batches.identifiers == Array(1...33_000))
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.contains("LOCK TABLES") == true)

        lines = LogLines()
        try bench.mariadb("ALTER TABLE t ENGINE = Aria")
        let (aria, _) = try await bench.source("t", streams: 3).readAll(in: .testing(log: lines.log))
        #expect(aria.identifiers == Array(1...33_000))
        #expect(lines.all.first?.contains("Aria has no snapshots") == true)

        lines = LogLines()
        try bench.mariadb("CREATE TABLE u SELECT id FROM t")
        let (keyless, _) = try await bench.source("u", streams: 3).readAll(in: .testing(log: lines.log))
        #expect(keyless.identifiers.sorted() == Array(1...33_000))
        #expect(lines.all.first?.contains("no primary key") == true)
    }

    @Test("A transaction that holds rows of the table does not stop a split reading, which sees what was committed")
    func openWriter() async throws {
        try fill(KeyCase(columns: "k INT", key: "k", values: "seq"))
        let writer = MySQLSession(try bench.configuration)
        try await writer.use {
            _ = try $0.execute("START TRANSACTION")
            try $0.execute("DELETE FROM t WHERE k <= 30000")
        }
        let lines = LogLines()
        let (batches, _) = try await bench.source("t", streams: 3).readAll(in: .testing(log: lines.log))
        #expect(batches.identifiers.sorted() == Array(1...33_000))
        #expect(lines.all.isEmpty)
        // Nothing holds others up once the reading has begun.
        try await writer.use { _ = try $0.execute("COMMIT") }
        await writer.close()
        #expect(try bench.mariadb("SELECT COUNT(*) FROM t") == ["3000"])
    }

    @Test("A reader that is closed early lets go of all its connections")
    func closesEarly() async throws {
        try fill(KeyCase(columns: "k INT", key: "k", values: "seq"))
        _ = try await bench.source("t", streams: 4).readAll(chunks: 1)
        var left = ["?"]
        for _ in 0..<100 where left != ["0"] {
            left = try bench.mariadb(
                """
                SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = '\(bench.database)' AND ID <> CONNECTION_ID()
                """)
            if left != ["0"] { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(left == ["0"])
    }
}
