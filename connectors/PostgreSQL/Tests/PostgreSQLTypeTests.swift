import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

@Suite struct PostgreSQLTypeTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    struct Case: Sendable, CustomTestStringConvertible {
        let declared: String
        let type: DataType
        /// SQL literals and what a batch holds for them.
        let values: [(sql: String, scalar: Scalar)]
        var testDescription: String { declared }

        init(_ declared: String, _ type: DataType, _ values: [(String, Scalar)]) {
            self.declared = declared
            self.type = type
            self.values = values.map { (sql: $0.0, scalar: $0.1) }
        }
    }

    static func decimal(_ text: String) -> Scalar { DecimalValue(text).map(Scalar.decimal) ?? .null }

    static let cases: [Case] = [
        Case("boolean", .bool, [("true", .bool(true)), ("false", .bool(false))]),
        Case("smallint", .int16, [("-32768", .integer(-32768)), ("32767", .integer(32767))]),
        Case("integer", .int32, [("-2147483648", .integer(-2_147_483_648)), ("2147483647", .integer(2_147_483_647))]),
        Case(
            "bigint", .int64,
            [
                ("-9223372036854775808", .integer(Int128(Int64.min))),
                ("9223372036854775807", .integer(Int128(Int64.max))),
            ]),
        Case("oid", .uint32, [("4294967295", .integer(4_294_967_295))]),
        Case("real", .float32, [("1.5", .double(1.5)), ("'-Infinity'", .double(-.infinity)), ("'-0'", .double(-0.0))]),
        Case(
            "double precision", .float64,
            [("0.1", .double(0.1)), ("'Infinity'", .double(.infinity)), ("5e-324", .double(.leastNonzeroMagnitude))]),
        Case(
            "numeric(12,2)", .decimal(precision: 12, scale: 2),
            [
                ("0", decimal("0.00")), ("-9999999999.99", decimal("-9999999999.99")), ("0.01", decimal("0.01")),
                ("10000", decimal("10000.00")), ("123456.7", decimal("123456.70")), ("0.1", decimal("0.10")),
            ]),
        Case(
            "numeric(18,0)", .decimal(precision: 18, scale: 0),
            [("999999999999999999", decimal("999999999999999999")), ("-100000000", decimal("-100000000"))]),
        Case(
            "numeric(38,10)", .decimal(precision: 38, scale: 10),
            [
                ("9999999999999999999999999999.9999999999", decimal("9999999999999999999999999999.9999999999")),
                ("-0.0000000001", decimal("-0.0000000001")),
                ("1e27", decimal("1000000000000000000000000000.0000000000")),
            ]),
        Case(
            "numeric(38,38)", .decimal(precision: 38, scale: 38),
            [("1e-38", decimal("0.00000000000000000000000000000000000001"))]),
        Case(
            "numeric(3,-2)", .decimal(precision: 5, scale: 0),
            [("12345", decimal("12300")), ("-99900", decimal("-99900"))]),
        Case("numeric(2,5)", .decimal(precision: 5, scale: 5), [("0.00099", decimal("0.00099"))]),
        Case(
            "numeric(60,20)", .utf8,
            [
                ("1e39", .utf8("1000000000000000000000000000000000000000.00000000000000000000")),
                ("'NaN'", .utf8("NaN")), ("-0.00000000000000000001", .utf8("-0.00000000000000000001")),
            ]),
        Case(
            "numeric", .utf8,
            [
                ("1.10", .utf8("1.10")), ("'-Infinity'", .utf8("-Infinity")), ("'NaN'", .utf8("NaN")),
                ("0", .utf8("0")),
                (
                    "12345678901234567890123456789012345678901234567890.5",
                    .utf8("12345678901234567890123456789012345678901234567890.5")
                ),
                ("1e-20", .utf8("0.00000000000000000001")), ("10000.0001", .utf8("10000.0001")),
                ("-90000000", .utf8("-90000000")),
            ]),
        Case("text", .utf8, [("''", .utf8("")), ("'žluť 😀'", .utf8("žluť 😀")), (#"E'a\\b''c\n'"#, .utf8("a\\b'c\n"))]),
        Case("varchar(3)", .utf8, [("'abc'", .utf8("abc"))]),
        Case("char(3)", .utf8, [("'a'", .utf8("a  "))]),
        Case("bytea", .binary, [(#"'\x'"#, .binary([])), (#"'\x00ff27'"#, .binary([0, 255, 39]))]),
        Case(
            "date", .date32,
            [
                ("'1970-01-01'", .date(0)), ("'0001-01-01'", .date(-719_162)), ("'9999-12-31'", .date(2_932_896)),
                ("'0001-12-31 BC'", .date(-719_163)), ("'4713-01-01 BC'", .date(-2_440_550)),
                ("'infinity'", .date(.max)), ("'-infinity'", .date(.min)),
            ]),
        Case(
            "time", .time64,
            [("'00:00'", .time(0)), ("'23:59:59.999999'", .time(86_399_999_999)), ("'24:00'", .time(86_400_000_000))]),
        Case(
            "timestamp", .timestamp(zone: nil),
            [
                ("'1969-12-31 23:59:59.999999'", .timestamp(-1)),
                ("'2023-11-14 22:13:20'", .timestamp(1_700_000_000_000_000)),
                ("'0044-03-15 BC'", .timestamp(-63_517_824_000_000_000)), ("'infinity'", .timestamp(.max)),
                ("'-infinity'", .timestamp(.min)),
            ]),
        Case(
            "timestamptz", .instant,
            [("'2023-11-14 23:13:20+01'", .timestamp(1_700_000_000_000_000)), ("'-infinity'", .timestamp(.min))]),
        Case(
            "timetz", .utf8,
            [("'10:00:00.5+02'", .utf8("10:00:00.5+02")), ("'23:59:59.000001-05:30'", .utf8("23:59:59.000001-05:30"))]),
        Case(
            "uuid", .utf8, [("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", .utf8("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"))]),
        Case("json", .json, [(#"'{"a": 1.0}'"#, .utf8(#"{"a": 1.0}"#))]),
        Case("jsonb", .json, [(#"'{"b":1,"a":1.0}'"#, .utf8(#"{"a": 1.0, "b": 1}"#))]),
        Case("inet", .utf8, [("'192.168.0.1/24'", .utf8("192.168.0.1/24")), ("'::1'", .utf8("::1/128"))]),
        Case("cidr", .utf8, [("'10.0.0.0/8'", .utf8("10.0.0.0/8"))]),
        Case("macaddr8", .utf8, [("'08:00:2b:01:02:03:04:05'", .utf8("08:00:2b:01:02:03:04:05"))]),
        Case("macaddr", .utf8, [("'08:00:2b:01:02:03'", .utf8("08:00:2b:01:02:03"))]),
        Case("int4range", .utf8, [("'[1,5)'", .utf8("[1,5)"))]),
        Case("money", .utf8, [("'12.34'", .utf8("12.34"))]),
        Case("xml", .utf8, [("'<a/>'", .utf8("<a/>"))]),
        Case(
            "integer[]", .list(Field("item", .int32)),
            [("'{}'", .list([])), ("'{1,NULL,3}'", .list([.integer(1), .null, .integer(3)]))]),
        Case("text[]", .list(Field("item", .utf8)), [(#"'{"a b",""}'"#, .list([.utf8("a b"), .utf8("")]))]),
        Case(
            "numeric(5,1)[]", .list(Field("item", .decimal(precision: 5, scale: 1))),
            [("'{1.5,-2}'", .list([decimal("1.5"), decimal("-2.0")]))]),
        Case("integer[][]", .utf8, [("'{{1,2},{3,4}}'", .utf8("{{1,2},{3,4}}"))]),
    ]

    @Test("Every type is read with its values exact and nulls null", arguments: cases)
    func reads(_ test: Case) async throws {
        let values = test.values.map { "(CAST(\($0.sql) AS \(test.declared)))" }.joined(separator: ", ")
        try bench.psql("CREATE TABLE t (c \(test.declared)); INSERT INTO t VALUES \(values), (NULL)")
        let (records, misfits) = try await bench.read("t")
        #expect(misfits.isEmpty)
        #expect(records.schema.fields[0].type == test.type)
        #expect(records.rows.map { $0[0] } == test.values.map(\.scalar) + [.null])
    }

    @Test("Every type that has a binary form is written back equal", arguments: cases)
    func writes(_ test: Case) async throws {
        let values = test.values.map { "(CAST(\($0.sql) AS \(test.declared)))" }.joined(separator: ", ")
        try bench.psql(
            "CREATE TABLE t (c \(test.declared)); INSERT INTO t VALUES \(values), (NULL); CREATE TABLE u (LIKE t)")
        let records = try await bench.read("t").records
        guard !["int4range", "money", "integer[][]"].contains(test.declared) else {
            await #expect(throws: HeadraceError.self) { _ = try await bench.write(records, to: "u") }
            return
        }
        let (stored, misfits) = try await bench.write(records, to: "u")
        #expect(stored == test.values.count + 1 && misfits.isEmpty)
        #expect(try bench.psql("TABLE t") == (try bench.psql("TABLE u")))
    }

    @Test("Intervals are printed as the server prints them in ISO 8601")
    func intervals() async throws {
        try bench.psql(
            """
            CREATE TABLE t (c interval, n int); SELECT setseed(0.5);
            INSERT INTO t SELECT make_interval(0, (random()*100-50)::int, 0, (random()*100-50)::int, (random()*50-25)::int,
                (random()*100-50)::int, round((random()*100-50)::numeric, 6)::float8), n FROM generate_series(1, 500) n;
            INSERT INTO t VALUES ('0', 501), ('1 month -1 day', 502), ('-0.000001s', 503), ('178000000 years', 504), (NULL, 505)
            """)
        let expected = try bench.psql("SET intervalstyle = iso_8601; SELECT c FROM t ORDER BY n")
        let read = try await bench.read("t").records.rows.map { $0[0].isNull ? "␀" : $0[0].description }
        #expect(read == expected)
        let rows = try await bench.read("t").records.slice(from: 0, count: 503)
        try bench.psql("CREATE TABLE u (LIKE t)")
        #expect(try await bench.write(rows, to: "u").stored == 503)
        #expect(try bench.psql("SELECT t.n FROM t JOIN u USING (n) WHERE t.c::text <> u.c::text") == [])
    }

    @Test("Numbers of random widths are printed as the server prints them, and read as decimals exactly")
    func numerics() async throws {
        try bench.psql(
            """
            CREATE TABLE t (a numeric, b numeric(38,9), c numeric(16,5), n serial); SELECT setseed(0.25);
            INSERT INTO t (a, b, c) SELECT
                round((random() - 0.5)::numeric * (10::numeric ^ (random()*40)::int), (random()*30)::int),
                round((random() - 0.5)::numeric * (10::numeric ^ (random()*28)::int), 9),
                round((random() - 0.5)::numeric * (10::numeric ^ (random()*11)::int), (random()*5)::int)
            FROM generate_series(1, 3000)
            """)
        let expected = try bench.psql("SELECT a, b, c FROM t ORDER BY n")
        let (records, misfits) = try await bench.read("t")
        #expect(misfits.isEmpty)
        #expect(records.rows.map { $0[0...2].map(\.description).joined(separator: "|") } == expected)
        try bench.psql("CREATE TABLE u (LIKE t)")
        #expect(try await bench.write(records, to: "u").stored == 3000)
        #expect(try bench.psql("SELECT a, b, c FROM u ORDER BY n") == expected)
    }

    @Test("What has no place in its column's type is named row by row")
    func misfits() async throws {
        try bench.psql(
            """
            CREATE TABLE t (d numeric(10,2), a int[], ts timestamp);
            INSERT INTO t VALUES ('NaN', '{1}', '2000-01-01'), (1, '{{1,2}}', '2000-01-01'), (1, '[0:1]={1,2}', '2000-01-01'),
                (1, NULL, '294276-12-31'), (1, '{2}', '2000-01-01')
            """)
        let misfits = try await bench.read("t").misfits
        #expect(misfits.map(\.0) == ["d", "a", "a", "ts"])
        #expect(misfits.map(\.1.row) == [0, 1, 2, 3])
        #expect(misfits.map(\.1.code) == ["notANumber", "notAList", "notAList", "outOfRange"])
    }

    @Test("What the server would refuse or round is found on the client, and the other rows arrive")
    func refusals() async throws {
        try bench.psql(
            """
            CREATE TYPE mood AS ENUM ('sad', 'ok');
            CREATE TABLE t (n numeric(5,2), v varchar(3), e mood, i smallint NOT NULL, w numeric(3,-2), u uuid, a int[])
            """)
        let schema = Schema([
            Field("n", .utf8), Field("v", .utf8), Field("e", .utf8), Field("i", .int64), Field("w", .int32),
            Field("u", .utf8), Field("a", .list(Field("item", .int64))),
        ])
        let good: [Scalar] = [
            .utf8("1.50"), .utf8("žžž"), .utf8("ok"), .integer(1), .integer(12300), .null, .list([.integer(1), .null]),
        ]
        func row(_ column: Int, _ value: Scalar) -> [Scalar] {
            var row = good
            row[column] = value
            return row
        }
        let records = try RecordBatch.of(
            schema,
            [
                good, row(0, .utf8("1.505")), row(0, .utf8("1000")), row(1, .utf8("abcd")), row(1, .utf8("a\0")),
                row(2, .utf8("mad")), row(3, .integer(40_000)), row(3, .null), row(4, .integer(12345)),
                row(5, .utf8("no-uuid")), row(6, .list([.integer(1), .integer(1 << 40)])), good,
            ])
        let (stored, misfits) = try await bench.write(records, to: "t")
        #expect(stored == 2)
        #expect(misfits.map(\.1.row) == Array(1...10))
        #expect(misfits.map(\.0) == ["n", "n", "v", "v", "e", "i", "i", "w", "u", "a"])
        #expect(try bench.psql("TABLE t") == ["1.50|žžž|ok|1|12300|␀|{1,NULL}", "1.50|žžž|ok|1|12300|␀|{1,NULL}"])
    }

    @Test("Addresses and times with zone are read as the server reads them, or refused")
    func addresses() async throws {
        try bench.psql("CREATE TABLE t (n inet, c cidr, m macaddr, z timetz)")
        let schema = Schema(["n", "c", "m", "z"].map { Field($0, .utf8) })
        let good: [[String]] = [
            ["192.168.0.1", "10.0.0.0/8", "08-00-2B-01-02-03", "10:00:00Z"],
            ["::ffff:1.2.3.4", "2001:db8::/32", "0800.2b01.0203", "23:59:59.5-05:30"],
            ["1.2.3.4/0", "::/0", "08002b010203", "00:00+14"],
        ]
        let bad: [[String]] = [
            ["1.2.3", "10.0.0.0/8", "08002b010203", "10:00Z"], ["::1", "10.0.0.1/8", "08002b010203", "10:00Z"],
            ["::1", "10.0.0.0/33", "08002b010203", "10:00Z"], ["::1", "10.0.0.0/8", "08002b0102", "10:00Z"],
            ["::1", "10.0.0.0/8", "08002b010203", "10:00"], ["::1", "10.0.0.0/8", "08002b010203", "10:00+16"],
        ]
        let records = try RecordBatch.of(schema, (good + bad).map { $0.map(Scalar.utf8) })
        let (stored, misfits) = try await bench.write(records, to: "t")
        #expect(stored == 3 && misfits.map(\.1.row) == Array(3..<9))
        let printed = good.map { "SELECT '\($0[0])'::inet, '\($0[1])'::cidr, '\($0[2])'::macaddr, '\($0[3])'::timetz" }
        #expect(try bench.psql("TABLE t") == (try bench.psql(printed.joined(separator: " UNION ALL "))))
    }

    @Test("Domains, enums, keys and nullability come from the catalog")
    func catalog() async throws {
        try bench.psql(
            """
            CREATE SCHEMA "S.x"; CREATE TYPE mood AS ENUM ('sad', 'it''s, ok'); CREATE DOMAIN price AS numeric(8,3) NOT NULL;
            CREATE DOMAIN cheap AS price CHECK (VALUE < 10); CREATE DOMAIN names AS text[];
            CREATE TABLE "S.x"."T" (b int, a bigint GENERATED ALWAYS AS IDENTITY, m mood, p cheap, n names, gone int,
                g int GENERATED ALWAYS AS (b * 2) STORED, d text DEFAULT 'x' NOT NULL, ms mood[], PRIMARY KEY (a, b), UNIQUE (d, b));
            ALTER TABLE "S.x"."T" DROP COLUMN gone;
            INSERT INTO "S.x"."T" (b, m, p, n, ms) VALUES (1, 'it''s, ok', 1.5, '{x,y}', '{sad}')
            """)
        let table = try await bench.connected {
            try PostgreSQLTable.read(try PostgreSQLTableName("\"S.x\".T"), from: $0)
        }
        let found = try #require(table)
        #expect(found.primaryKey == ["a", "b"])
        #expect(found.uniqueKeys == [["d", "b"]])
        #expect(found.schema.names == ["b", "a", "m", "p", "n", "g", "d", "ms"])
        #expect(found.schema.fields.map(\.isNullable) == [false, false, true, false, true, true, false, true])
        #expect(found.schema["a"]?.metadata["primaryKey"] == "1")
        #expect(found.schema["m"]?.metadata["postgresql.type"] == "mood")
        #expect(found.column("m")?.type.kind == .enumeration(labels: ["sad", "it's, ok"]))
        #expect(found.schema["p"]?.type == .decimal(precision: 8, scale: 3))
        #expect(found.column("g")?.isGenerated == true && found.column("a")?.isIdentityAlways == true)
        let row = try await bench.read("\"S.x\".T").records.rows[0]
        #expect(row[2] == .utf8("it's, ok") && row[3] == Self.decimal("1.500"))
        #expect(row[4] == .list([.utf8("x"), .utf8("y")]) && row[7] == .list([.utf8("sad")]))
    }
}
