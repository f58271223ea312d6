import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

@Suite struct MySQLSourceTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    @Test("Every type is read with its extremes, and the schema has keys and nullability of the catalog")
    func types() async throws {
        try bench.mariadb(
            """
            CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY, b BOOLEAN, i1 TINYINT, u1 TINYINT UNSIGNED, i3 MEDIUMINT,
              u4 INT UNSIGNED NOT NULL, f FLOAT, d DOUBLE, n DECIMAL(18,4), w DECIMAL(38,10), x DECIMAL(65,30), bits BIT(12),
              bit1 BIT(1), y YEAR, da DATE, ti TIME(6), dt DATETIME(6), ts TIMESTAMP(3) NULL, l1 VARCHAR(20) CHARACTER SET latin1,
              u16 TEXT CHARACTER SET utf16, sj VARCHAR(9) CHARACTER SET sjis, e ENUM('a,b','c'), s SET('x','y'), j JSON,
              bin VARBINARY(8), bl BLOB, g INT AS (i1 + 1) STORED, un UUID);
            SET time_zone = '+05:30';
            INSERT INTO t (id,b,i1,u1,i3,u4,f,d,n,w,x,bits,bit1,y,da,ti,dt,ts,l1,u16,sj,e,s,j,bin,bl,un) VALUES
              (18446744073709551615, TRUE, -128, 255, -8388608, 4294967295, 16777217, -2.2250738585072014e-308,
               '-99999999999999.9999', '9999999999999999999999999999.9999999999',
               '99999999999999999999999999999999999.999999999999999999999999999999', b'111111111111', b'1', 2155, '9999-12-31',
               '23:59:59.999999', '0001-01-01 00:00:00.000001', '2020-01-01 05:30:00.250', 'é€', 'žluť 😀', 'テ', 'a,b', 'x,y',
               '{"a":[1,null]}', X'00FF27', X'', '123e4567-e89b-12d3-a456-426655440000'),
              (0, NULL, NULL, NULL, NULL, 0, 0.1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', '', '',
               NULL, '', NULL, X'', X'5C0A', NULL)
            """)
        let source = try bench.source("t")
        let schema = try await source.schema(in: .testing())
        let expected: [(String, DataType, [Scalar])] = [
            ("id", .uint64, [.integer(0), .integer(Int128(UInt64.max))]), ("b", .bool, [.null, .bool(true)]),
            ("i1", .int8, [.null, .integer(-128)]), ("u1", .uint8, [.null, .integer(255)]),
            ("i3", .int32, [.null, .integer(-8_388_608)]), ("u4", .uint32, [.integer(0), .integer(4_294_967_295)]),
            ("f", .float32, [.double(Double(Float(0.1))), .double(16_777_216)]),
            ("d", .float64, [.null, .double(-2.2250738585072014e-308)]),
            ("n", .decimal(precision: 18, scale: 4), [.null, decimal("-99999999999999.9999")]),
            (
                "w", .decimal(precision: 38, scale: 10), [.null, decimal("9999999999999999999999999999.9999999999")]
            ),
            (
                "x", .utf8,
                [.null, .utf8("99999999999999999999999999999999999.999999999999999999999999999999")]
            ),
            ("bits", .uint64, [.null, .integer(4095)]), ("bit1", .bool, [.null, .bool(true)]),
            ("y", .int16, [.null, .integer(2155)]), ("da", .date32, [.null, .date(2_932_896)]),
            ("ti", .time64, [.null, .time(86_399_999_999)]),
            ("dt", .timestamp(zone: nil), [.null, .timestamp(-62_135_596_799_999_999)]),
            ("ts", .instant, [.null, .timestamp(1_577_836_800_250_000)]),
            ("l1", .utf8, [.utf8(""), .utf8("é€")]), ("u16", .utf8, [.utf8(""), .utf8("žluť 😀")]),
            ("sj", .utf8, [.utf8(""), .utf8("テ")]), ("e", .utf8, [.null, .utf8("a,b")]),
            ("s", .utf8, [.utf8(""), .utf8("x,y")]), ("j", .json, [.null, .utf8("{\"a\":[1,null]}")]),
            ("bin", .binary, [.binary([]), .binary([0, 255, 39])]),
            ("bl", .binary, [.binary([0x5c, 10]), .binary([])]),
            ("g", .int32, [.null, .integer(-127)]),
            ("un", .utf8, [.null, .utf8("123e4567-e89b-12d3-a456-426655440000")]),
        ]
        #expect(schema.names == expected.map(\.0))
        #expect(schema.fields.map(\.type) == expected.map(\.1))
        #expect(schema.fields.filter { !$0.isNullable }.map(\.name) == ["id", "u4"])
        let (batches, _) = try await source.readAll()
        #expect(batches.rejects.isEmpty)
        try #require(batches.rows.count == 2)
        for (index, column) in expected.enumerated() {
            #expect(batches.rows.map { $0[index] } == column.2, "column \(column.0)")
        }
    }

    @Test("Zero dates and times beyond a day are rejects, or null and text where that was asked for")
    func oddTimes() async throws {
        try bench.mariadb(
            """
            SET sql_mode = '';
            CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL, dt DATETIME, ti TIME);
            INSERT INTO t VALUES (1, '0000-00-00', '2020-01-01 00:00:00', '10:00:00'), (2, '2020-00-10', NULL, '00:00:00'),
              (3, '2020-01-01', '0000-00-00 00:00:00', '00:00:00'), (4, '2020-01-01', NULL, '-838:59:59'),
              (5, '2020-01-01', '2020-01-02 03:04:05', '24:00:00'), (6, '2020-01-01', NULL, '23:00:00')
            """)
        let (strict, _) = try await bench.source("t").readAll()
        #expect(strict.rows.map { $0[0] } == [.integer(6)])
        #expect(strict.rejects.map(\.place.row) == [1, 2, 3, 4, 5])
        #expect(strict.rejects.map(\.field) == ["d", "d", "dt", "ti", "ti"])
        #expect(strict.rejects[1].value == "2020-00-10")
        #expect(strict.rejects[1].message.contains("zeroDates=null"))
        #expect(strict.rejects[3].message.contains("times=text"))
        #expect(strict.first?.provenance.place(of: 0).row == 6)
        let (lax, _) = try await bench.source("t", zeroDatesAreNull: true, timesAreText: true).readAll()
        #expect(lax.rejects.isEmpty)
        #expect(lax.rows.map { $0[1].isNull } == [true, true, false, false, false, false])
        #expect(lax.rows.map { $0[3] }.suffix(3) == [.utf8("-838:59:59"), .utf8("24:00:00"), .utf8("23:00:00")])
    }

    @Test("A table is read on after any position, and one snapshot is read whatever others write", arguments: [1, 2])
    func resumes(width: Int) async throws {
        let key = width == 1 ? "a" : "a, b"
        try bench.mariadb(
            """
            CREATE TABLE t (a INT, b VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci, pad TEXT, PRIMARY KEY (\(key)));
            INSERT INTO t SELECT \(width == 1 ? "seq" : "seq DIV 100"), CONCAT('é', seq), REPEAT('x', 100) FROM seq_1_to_20000
            """)
        let source = try bench.source("t")
        let (batches, positions) = try await source.readAll()
        let all = batches.rows
        #expect(all.count == 20_000)
        #expect(positions.count > 3)
        for (index, position) in positions.enumerated().prefix(3) {
            let (rest, _) = try await source.readAll(from: position)
            let done = batches[...index].reduce(0) { $0 + $1.count }
            #expect(rest.rows == Array(all[done...]))
            #expect(rest.first?.provenance.place(of: 0).row == done + 1)
        }
        let schema = try await source.schema(in: .testing())
        let reader = try await source.openReader(for: schema, from: nil, in: .testing())
        guard case .chunk(let first, _) = try await reader.next() else { return }
        try bench.mariadb("DELETE FROM t")
        var count = first.rows.count
        while case .chunk(let chunk, _) = try await reader.next() { count += chunk.rows.count }
        await reader.close()
        #expect(count == 20_000)
    }

    @Test("A table without a key is read once and not resumed, and so is a query")
    func noKey() async throws {
        try bench.mariadb("CREATE TABLE t (a INT, b FLOAT); INSERT INTO t VALUES (2, 1), (1, 2)")
        let (batches, positions) = try await bench.source("t").readAll()
        #expect(batches.rows.count == 2)
        let position = try #require(positions.last)
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await bench.source("t").readAll(from: position)
        }
        #expect(error?.code == .unsupported)
        let query = MySQLQuerySource(
            configuration: try bench.configuration,
            query: "SELECT a, a * 1.5 AS n, CAST(b AS DOUBLE) AS b, 'x' AS t, CAST(a AS BINARY) AS y FROM t ORDER BY a")
        let schema = try await query.schema(in: .testing())
        #expect(schema.fields.map(\.type) == [.int32, .decimal(precision: 12, scale: 1), .float64, .utf8, .binary])
        #expect(
            try await query.readAll().batches.rows == [
                [.integer(1), decimal("1.5"), .double(2), .utf8("x"), .binary([0x31])],
                [.integer(2), decimal("3.0"), .double(1), .utf8("x"), .binary([0x32])],
            ])
        let float = MySQLQuerySource(configuration: try bench.configuration, query: "SELECT b FROM t")
        await #expect(throws: HeadraceError.self) { _ = try await float.schema(in: .testing()) }
        let none = MySQLQuerySource(configuration: try bench.configuration, query: "DELETE FROM t")
        await #expect(throws: HeadraceError.self) { _ = try await none.schema(in: .testing()) }
        #expect(try bench.mariadb("SELECT COUNT(*) FROM t") == ["2"])
    }

    @Test("A run that is asked to stop does not wait for the server, which stops too")
    func cancels() async throws {
        let cancellation = Cancellation()
        let query = MySQLQuerySource(
            configuration: try bench.configuration, query: "SELECT SLEEP(300) AS s, 'stop me' AS t")
        let clock = ContinuousClock()
        let reading = Task { try await query.readAll(in: .testing(cancellation: cancellation)) }
        for _ in 0..<200 {
            let running = try bench.mariadb(
                "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%stop me%' AND INFO LIKE 'SELECT SLEEP%'"
            )
            if running == ["1"] { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        let start = clock.now
        cancellation.cancel()
        let error = await #expect(throws: HeadraceError.self) { _ = try await reading.value }
        #expect(error?.code == .cancelled)
        #expect(clock.now - start < .seconds(15))
        var left = ["?"]
        for _ in 0..<100 where left != ["0"] {
            left = try bench.mariadb(
                "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%stop me%'")
            if left != ["0"] { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(left == ["0"])
    }
}
