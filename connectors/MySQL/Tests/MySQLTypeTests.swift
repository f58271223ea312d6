import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

/// A column of the server's, values as its client writes them, and what they must be here.
struct TypeCase: Sendable, CustomTestStringConvertible {
    let declared: String
    let type: DataType
    /// SQL that makes a value, how it reads here, and how the client prints it (`HEX` for bytes).
    let values: [(sql: String, read: Scalar)]
    var printed = "v"
    var testDescription: String { declared }

    init(_ declared: String, _ type: DataType, _ values: [(String, Scalar)], printed: String = "v") {
        self.declared = declared
        self.type = type
        self.values = values
        self.printed = printed
    }

    private static func text(_ words: [String], _ declared: String) -> TypeCase {
        TypeCase(
            declared, .utf8, words.map { ("CONVERT(_utf8mb4 X'\(hex($0))' USING utf8mb4)", .utf8($0)) },
            printed: "HEX(v)")
    }

    static func hex(_ text: String) -> String {
        text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static let odd = ["", " x ", "a\tb\nc\\d'e\"f`g\r\0h", "NULL", "\\N", "--"]

    static let numbers: [TypeCase] = [
        TypeCase("TINYINT", .int8, [("-128", .integer(-128)), ("127", .integer(127))]),
        TypeCase("TINYINT UNSIGNED", .uint8, [("0", .integer(0)), ("255", .integer(255))]),
        TypeCase("SMALLINT", .int16, [("-32768", .integer(-32_768)), ("32767", .integer(32_767))]),
        TypeCase("SMALLINT UNSIGNED", .uint16, [("65535", .integer(65_535))]),
        TypeCase("MEDIUMINT", .int32, [("-8388608", .integer(-8_388_608)), ("8388607", .integer(8_388_607))]),
        TypeCase("MEDIUMINT UNSIGNED ZEROFILL", .uint32, [("16777215", .integer(16_777_215)), ("7", .integer(7))]),
        TypeCase("INT", .int32, [("-2147483648", .integer(-2_147_483_648)), ("2147483647", .integer(2_147_483_647))]),
        TypeCase("INT UNSIGNED", .uint32, [("4294967295", .integer(4_294_967_295))]),
        TypeCase(
            "BIGINT", .int64,
            [
                ("-9223372036854775808", .integer(Int128(Int64.min))),
                ("9223372036854775807", .integer(Int128(Int64.max))),
            ]),
        TypeCase(
            "BIGINT UNSIGNED", .uint64,
            [("18446744073709551615", .integer(Int128(UInt64.max))), ("9223372036854775808", .integer(1 << 63))]),
        TypeCase("BOOLEAN", .bool, [("0", .bool(false)), ("1", .bool(true))]),
        TypeCase("BIT(1)", .bool, [("b'0'", .bool(false)), ("b'1'", .bool(true))], printed: "v + 0"),
        TypeCase(
            "BIT(64)", .uint64, [("b'0'", .integer(0)), ("0xFFFFFFFFFFFFFFFF", .integer(Int128(UInt64.max)))],
            printed: "v + 0"),
        TypeCase("BIT(9)", .uint64, [("b'101010101'", .integer(341))], printed: "v + 0"),
        TypeCase("YEAR", .int16, [("1901", .integer(1901)), ("2155", .integer(2155)), ("'0000'", .integer(0))]),
        TypeCase(
            "DECIMAL(18,0)", .decimal(precision: 18, scale: 0), [("999999999999999999", decimal("999999999999999999"))]),
        TypeCase("DECIMAL(5,5)", .decimal(precision: 5, scale: 5), [("-0.99999", decimal("-0.99999"))]),
        TypeCase(
            "DECIMAL(38,30)", .decimal(precision: 38, scale: 30),
            [("-99999999.999999999999999999999999999999", decimal("-99999999.999999999999999999999999999999"))]),
        TypeCase("DECIMAL(10,2) UNSIGNED", .decimal(precision: 10, scale: 2), [("0.01", decimal("0.01"))]),
        TypeCase(
            "DECIMAL(65,30)", .utf8,
            [
                (
                    "-99999999999999999999999999999999999.999999999999999999999999999999",
                    .utf8("-99999999999999999999999999999999999.999999999999999999999999999999")
                ), ("0.1", .utf8("0.100000000000000000000000000000")),
            ]),
        TypeCase(
            "DECIMAL(65,0)", .utf8,
            [(String(repeating: "9", count: 65), .utf8(String(repeating: "9", count: 65)))]),
        TypeCase(
            "FLOAT", .float32,
            [
                ("16777217", .double(16_777_216)), ("0.1", .double(Double(Float(0.1)))),
                ("-3.4e38", .double(Double(Float(-3.4e38)))),
            ],
            printed: "CAST(v AS DOUBLE)"),
        TypeCase(
            "DOUBLE", .float64,
            [
                ("1.7976931348623157e308", .double(1.7976931348623157e308)),
                ("2.2250738585072014e-308", .double(2.2250738585072014e-308)),
                ("-0.1", .double(-0.1)),
            ]),
    ]

    static let times: [TypeCase] = [
        TypeCase(
            "DATE", .date32,
            [("'1000-01-01'", .date(-354_285)), ("'9999-12-31'", .date(2_932_896)), ("'0001-01-01'", .date(-719_162))]),
        TypeCase("TIME", .time64, [("'00:00:00'", .time(0)), ("'23:59:59'", .time(86_399_000_000))]),
        TypeCase("TIME(6)", .time64, [("'23:59:59.999999'", .time(86_399_999_999)), ("'00:00:00.000001'", .time(1))]),
        TypeCase("DATETIME", .timestamp(zone: nil), [("'2020-02-29 12:00:00'", .timestamp(1_582_977_600_000_000))]),
        TypeCase(
            "DATETIME(3)", .timestamp(zone: nil), [("'1969-12-31 23:59:59.999'", .timestamp(-1000))]),
        TypeCase(
            "DATETIME(6)", .timestamp(zone: nil),
            [("'9999-12-31 23:59:59.999999'", .timestamp(253_402_300_799_999_999))]),
        TypeCase("TIMESTAMP(6) NULL", .instant, [("'2038-01-19 03:14:07.999999'", .timestamp(2_147_483_647_999_999))]),
        TypeCase(
            "DATETIME(6) COMMENT 'headrace: zone Europe/Prague'", .timestamp(zone: "Europe/Prague"),
            [("'2020-01-01 00:00:00.000001'", .timestamp(1_577_836_800_000_001))]),
    ]

    static let words: [TypeCase] =
        [
            text(odd + ["žluť 😀"], "LONGTEXT CHARACTER SET utf8mb4"), text(odd, "VARCHAR(30) CHARACTER SET utf8mb4"),
            text(["é€ß", "plain"], "VARCHAR(30) CHARACTER SET latin1"),
            text(["žluťoučký"], "VARCHAR(30) CHARACTER SET latin2"),
            text(["中文", "žluť"], "TEXT CHARACTER SET utf8mb3"), text(["中文😀", "a"], "TEXT CHARACTER SET utf16"),
            text(["中文😀"], "TEXT CHARACTER SET utf32"), text(["中文"], "TEXT CHARACTER SET ucs2"),
            text(["中文誠"], "TEXT CHARACTER SET gbk"),
            text(["中文"], "TEXT CHARACTER SET gb2312"), text(["表テア", "ソ能"], "TEXT CHARACTER SET sjis"),
            text(["表テ"], "TEXT CHARACTER SET cp932"),
            text(["表テ"], "TEXT CHARACTER SET ujis"), text(["功許"], "TEXT CHARACTER SET big5"),
            text(["한글"], "TEXT CHARACTER SET euckr"),
            text(["Привет"], "TEXT CHARACTER SET cp1251"), text(["Привет"], "TEXT CHARACTER SET koi8r"),
            text(["γεια"], "TEXT CHARACTER SET greek"), text(["שלום"], "TEXT CHARACTER SET hebrew"),
            text(["สวัสดี"], "TEXT CHARACTER SET tis620"),
            text(["ascii"], "CHAR(9) CHARACTER SET ascii"),
            TypeCase(
                "ENUM('a,b','c''d','ž') CHARACTER SET utf8mb4", .utf8, [("'c''d'", .utf8("c'd")), ("3", .utf8("ž"))],
                printed: "HEX(v)"),
            TypeCase("SET('x','y','z')", .utf8, [("'x,z'", .utf8("x,z")), ("''", .utf8(""))]),
            TypeCase(
                "JSON", .json, [("'{\"a\": [1, \"ž\"]}'", .utf8("{\"a\": [1, \"ž\"]}")), ("'null'", .utf8("null"))],
                printed: "HEX(v)"),
            TypeCase(
                "UUID", .utf8,
                [("'123e4567-e89b-12d3-a456-426655440000'", .utf8("123e4567-e89b-12d3-a456-426655440000"))]),
            TypeCase("INET6", .utf8, [("'2001:db8::ff00:42:8329'", .utf8("2001:db8::ff00:42:8329"))]),
            TypeCase(
                "VARBINARY(300)", .binary,
                [("X'00FF0A5C2709'", .binary([0, 255, 10, 92, 39, 9])), ("X''", .binary([]))], printed: "HEX(v)"),
            TypeCase("BINARY(3)", .binary, [("X'610000'", .binary([97, 0, 0]))], printed: "HEX(v)"),
            TypeCase("LONGBLOB", .binary, [("REPEAT(X'00', 3)", .binary([0, 0, 0]))], printed: "HEX(v)"),
        ]
}

/// One case at a time: each keeps the server busy.
@Suite(.serialized) struct MySQLTypeTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    @Test(
        "A value of any type is read as it is, and written back it is what the client sees in the column it came from",
        arguments: TypeCase.numbers + TypeCase.times + TypeCase.words, [true, false])
    func roundTrip(kind: TypeCase, byFile: Bool) async throws {
        let bench = byFile ? self.bench : try Bench(try Closed.server.get())
        let columns = "id INT PRIMARY KEY, v \(kind.declared)"
        try bench.mariadb(
            """
            SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES'; CREATE TABLE a (\(columns)); CREATE TABLE b (\(columns));
            INSERT INTO a VALUES \(kind.values.enumerated().map { "(\($0), \($1.sql))" }.joined(separator: ", ")), (99, NULL)
            """)
        let source = try bench.source("a")
        let schema = try await source.schema(in: .testing())
        #expect(schema.fields[1].type == kind.type)
        let (batches, _) = try await source.readAll()
        #expect(batches.rejects.isEmpty, "\(batches.rejects.map(\.message))")
        #expect(batches.rows.map { $0[1] } == kind.values.map(\.read) + [.null])
        let result = try await bench.sink("b").load(batches.map(\.records), schema: schema, mode: .append)
        #expect(result.rejects.isEmpty, "\(result.rejects.map(\.message))")
        let shown = { (table: String) in
            try bench.mariadb("SET time_zone = '+00:00'; SELECT id, \(kind.printed) FROM \(table) ORDER BY id")
        }
        #expect(try shown("b") == (try shown("a")))
        // A table that is made from the schema takes and gives the same values.
        try await bench.sink("c").load(batches.map(\.records), schema: schema, mode: .append)
        #expect(try await bench.source("c").readAll().batches.rows == batches.rows)
    }

    @Test("Generated and invisible columns are read; the former are not written, the latter by name only")
    func hiddenColumns() async throws {
        try bench.mariadb(
            """
            CREATE TABLE a (id INT PRIMARY KEY, g INT AS (id * 2) STORED, w INT AS (id * 3) VIRTUAL,
              h INT INVISIBLE DEFAULT 7, INDEX (w)); INSERT INTO a (id, h) VALUES (1, 5)
            """)
        let source = try bench.source("a")
        let (batches, _) = try await source.readAll()
        #expect(batches.rows == [[.integer(1), .integer(2), .integer(3), .integer(5)]])
        let schema = try await source.schema(in: .testing())
        let sink = try bench.sink("a")
        #expect(try await sink.targetSchema(in: .testing())?.names == ["id", "h"])
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await sink.openWriter(for: schema, mode: .append, in: .testing())
        }
        #expect(error?.message.contains("computed by the server") == true)
        let two = Schema([Field("id", .int32), Field("h", .int32)])
        try await sink.load([try .of(two, [[.integer(2), .integer(6)]])], schema: two, mode: .upsert(on: ["id"]))
        let one = Schema([Field("id", .int32)])
        try await sink.load([try .of(one, [[.integer(3)]])], schema: one, mode: .append)
        #expect(
            try bench.mariadb("SELECT id, g, w, h FROM a ORDER BY id") == ["1\t2\t3\t5", "2\t4\t6\t6", "3\t6\t9\t7"])
    }

    @Test("Geometry is read as the server stores it, and writing it is refused")
    func geometry() async throws {
        try bench.mariadb(
            "CREATE TABLE a (id INT PRIMARY KEY, p POINT); INSERT INTO a VALUES (1, POINT(1, 2)), (2, NULL)")
        let source = try bench.source("a")
        let (batches, _) = try await source.readAll()
        // The number of the reference system, then well-known binary.
        let point: [UInt8] =
            [0, 0, 0, 0, 1, 1, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0xF0, 0x3F] + [0, 0, 0, 0, 0, 0, 0, 0x40]
        #expect(batches.rows.map { $0[1] } == [.binary(point), .null])
        let schema = try await source.schema(in: .testing())
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await bench.sink("a").openWriter(for: schema, mode: .append, in: .testing())
        }
        #expect(error?.message.contains("cannot hold") == true)
    }

    @Test("What a column would alter is a reject, never stored as something else")
    func misfits() async throws {
        let cases: [(declared: String, type: DataType, value: Scalar)] = [
            ("TINYINT", .int64, .integer(128)), ("BIGINT UNSIGNED", .int64, .integer(-1)),
            ("DECIMAL(5,2)", .decimal(precision: 9, scale: 3), decimal("1.005")),
            ("DECIMAL(5,2)", .decimal(precision: 9, scale: 2), decimal("1000.00")), ("BIT(3)", .int64, .integer(8)),
            ("YEAR", .int64, .integer(70)), ("YEAR", .int64, .integer(1900)), ("FLOAT", .float64, .double(0.1)),
            ("DOUBLE", .float64, .double(.nan)), ("DOUBLE", .float64, .double(.infinity)),
            ("DATE", .date32, .date(2_932_897)), ("TIME", .time64, .time(1)),
            ("DATETIME(3)", .timestamp(zone: nil), .timestamp(1)),
            ("TIMESTAMP NULL", .instant, .timestamp(4_102_444_800_000_000)),
            ("VARCHAR(2)", .utf8, .utf8("abc")), ("VARCHAR(2)", .utf8, .utf8("ab ")), ("CHAR(3)", .utf8, .utf8("a ")),
            ("VARCHAR(9) CHARACTER SET latin1", .utf8, .utf8("中")),
            ("VARCHAR(9) CHARACTER SET utf8mb3", .utf8, .utf8("😀")),
            ("TEXT CHARACTER SET sjis", .utf8, .utf8("한")), ("ENUM('a','b')", .utf8, .utf8("c")),
            ("ENUM('a','b')", .utf8, .utf8("1")),
            ("ENUM('a','b')", .utf8, .utf8("")), ("SET('a','b')", .utf8, .utf8("a,c")), ("JSON", .utf8, .utf8("{")),
            ("BINARY(3)", .binary, .binary([1, 2])), ("VARBINARY(2)", .binary, .binary([1, 2, 3])),
            ("UUID", .utf8, .utf8("no")),
            ("INT", .utf8, .utf8("12x")), ("DATE", .utf8, .utf8("2020-02-30")),
            ("TINYTEXT", .utf8, .utf8(String(repeating: "é", count: 128))),
        ]
        for (index, entry) in cases.enumerated() {
            let table = "m\(index)"
            try bench.mariadb("CREATE TABLE \(table) (id INT, v \(entry.declared)) CHARACTER SET utf8mb4")
            let schema = Schema([Field("id", .int64), Field("v", entry.type)])
            let rows = try RecordBatch.of(
                schema, [[.integer(1), .null], [.integer(2), entry.value], [.integer(3), .null]])
            let result = try await bench.sink(table).load([rows], schema: schema, mode: .append)
            #expect(result.rejects.map(\.field) == ["v"], "\(entry) \(result.rejects.map(\.message))")
            #expect(try bench.mariadb("SELECT id, v FROM \(table) ORDER BY id") == ["1\tNULL", "3\tNULL"], "\(entry)")
        }
    }
}
