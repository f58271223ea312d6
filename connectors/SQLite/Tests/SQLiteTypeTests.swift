import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

@Suite struct SQLiteTypeTests {
    let bench: Workbench
    init() throws { bench = try Workbench() }

    @Test(
        "A type's values come back equal and of the same type, and another client reads what TYPES.md says",
        arguments: EveryType.cases)
    func roundTrip(_ example: EveryType.Case) async throws {
        let schema = Schema([Field("id", .int64, nullable: false), Field("v", example.type)])
        let rows = (example.values + [.null]).enumerated().map { [Scalar.integer(Int128($0)), $1] }
        let sink = SQLiteSink(path: bench.path, table: "t")
        let result = try await sink.load([try .of(schema, rows)], schema: schema, mode: .append)
        #expect(result.rejects.isEmpty)
        #expect(try bench.sqlite("SELECT quote(v) FROM t ORDER BY id", mode: "-list") == example.stored + ["NULL"])
        let declared = try bench.sqlite("SELECT type FROM pragma_table_info('t') WHERE name = 'v'")
        #expect(declared == ["'\(example.declared)'"])
        let source = SQLiteTableSource(path: bench.path, table: "t")
        #expect(try await source.schema(in: .testing()) == schema)
        let read = try await source.readAll()
        #expect(read.batches.rows == rows)
        #expect(read.batches.allSatisfy { $0.rejects.isEmpty })
        let query = SQLiteQuerySource(path: bench.path, query: "SELECT v, id FROM t ORDER BY id DESC")
        #expect(try await query.schema(in: .testing())["v"]?.type == example.type)
        #expect(try await query.readAll().batches.rows == rows.reversed().map { [$0[1], $0[0]] })
    }

    @Test("NaN is kept, as text; the sign of a zero is not")
    func nonFinite() async throws {
        let schema = Schema([Field("d", .float64), Field("f", .float32)])
        let rows: [[Scalar]] = [
            [.double(.nan), .double(.nan)], [.double(-.infinity), .double(.infinity)], [.double(-0.0), .double(-0.0)],
            [.null, .null],
        ]
        try await SQLiteSink(path: bench.path, table: "t").load([try .of(schema, rows)], schema: schema, mode: .append)
        #expect(try bench.sqlite("SELECT d, f FROM t") == ["'NaN','NaN'", "-Inf,Inf", "0.0,0.0", "NULL,NULL"])
        let read = try await SQLiteTableSource(path: bench.path, table: "t").readAll().batches.rows
        guard case .double(let double) = read[0][0], case .double(let float) = read[0][1] else {
            Issue.record("NaN became \(read[0])")
            return
        }
        #expect(double.isNaN && float.isNaN)
        #expect(read[1] == rows[1] && read[3] == rows[3])
    }

    @Test("Floating-point numbers come back with the same bits")
    func extremes() async throws {
        let schema = Schema([Field("d", .float64), Field("f", .float32)])
        let numbers: [Double] = [
            .leastNonzeroMagnitude, .greatestFiniteMagnitude, .pi, 1e15, 123_456_789_012_345_680, 0.1,
        ]
        let rows = numbers.map { [Scalar.double($0), .double(Double(Float($0)))] }
        try await SQLiteSink(path: bench.path, table: "t").load([try .of(schema, rows)], schema: schema, mode: .append)
        #expect(try await SQLiteTableSource(path: bench.path, table: "t").readAll().batches.rows == rows)
    }

    @Test("Every decimal of up to 15 digits survives SQLite's numbers", arguments: [0, 1, 2, 4, 7, 10, 14, 15])
    func decimals(scale: Int) async throws {
        let random = RunRandom(seed: UInt64(scale + 1))
        let schema = Schema([Field("d", .decimal(precision: 15, scale: scale))])
        let rows: [[Scalar]] = (0..<4000).map { index in
            let digits = Int(random.below(16))
            let bound = UInt64(DecimalMath.powerOfTen(digits))
            let magnitude = index % 50 == 0 ? Int128(bound) - 1 : Int128(random.below(bound))
            return [.decimal(DecimalValue(coefficient: random.below(2) == 0 ? magnitude : -magnitude, scale: scale))]
        }
        try await SQLiteSink(path: bench.path, table: "t").load([try .of(schema, rows)], schema: schema, mode: .append)
        #expect(try await SQLiteTableSource(path: bench.path, table: "t").readAll().batches.rows == rows)
    }

    @Test("Lists and structs are stored as JSON and read back as json")
    func nested() async throws {
        let schema = Schema([
            Field("l", .list(Field("item", .int64))), Field("s", .struct([Field("a", .utf8), Field("b", .bool)])),
        ])
        let rows: [[Scalar]] = [[.list([.integer(1), .null]), .struct([.utf8("x"), .bool(true)])], [.null, .null]]
        try await SQLiteSink(path: bench.path, table: "t").load([try .of(schema, rows)], schema: schema, mode: .append)
        let source = SQLiteTableSource(path: bench.path, table: "t")
        #expect(try await source.schema(in: .testing()).fields.map(\.type) == [.json, .json])
        #expect(
            try await source.readAll().batches.rows
                == [[.utf8("[1,null]"), .utf8(#"{"a":"x","b":true}"#)], [.null, .null]])
    }

    @Test("Dictionary-encoded text is written like plain text")
    func dictionaries() async throws {
        let schema = Schema([Field("c", .utf8)])
        let plain = try #require(ColumnVector.of(.utf8, [.utf8("a"), .null, .utf8("b"), .utf8("a"), .utf8("")]))
        let encoded = try #require(Kernels.dictionaryEncoded(plain, limit: 10))
        let batch = RecordBatch(schema: schema, columns: [encoded.slice(from: 1, count: 4)], count: 4)
        try await SQLiteSink(path: bench.path, table: "t").load([batch], schema: schema, mode: .append)
        #expect(try bench.sqlite("SELECT c FROM t") == ["NULL", "'b'", "'a'", "''"])
    }

    @Test("A slice of a batch writes its own rows")
    func slices() async throws {
        let schema = Schema(EveryType.cases.enumerated().map { Field("c\($0)", $1.type) })
        let rows = (0..<7).map { row in
            EveryType.cases.map { row % 3 == 1 ? Scalar.null : $0.values[row % $0.values.count] }
        }
        let whole = try RecordBatch.of(schema, rows)
        try await SQLiteSink(path: bench.path, table: "t").load(
            [whole.slice(from: 3, count: 3)], schema: schema, mode: .append)
        #expect(try await SQLiteTableSource(path: bench.path, table: "t").readAll().batches.rows == Array(rows[3..<6]))
    }

    @Test(
        "Declared types of other programs are understood",
        arguments: [
            ("INTEGER", DataType.int64), ("int", .int64), ("BIGINT", .int64), ("INT8", .int64), ("MEDIUMINT", .int32),
            ("varchar(255)", .utf8), ("NVARCHAR(10)", .utf8), ("CLOB", .utf8), ("DOUBLE PRECISION", .float64),
            ("FLOAT", .float64), ("NUMERIC(12, 4)", .decimal(precision: 12, scale: 4)),
            ("decimal(20)", .decimal(precision: 20, scale: 0)), ("Bool", .bool), ("DATETIME", .timestamp(zone: nil)),
            ("TIMESTAMP  WITH TIME ZONE", .instant), ("JSON", .json), ("UUID", .utf8), ("LONGBLOB", .binary),
        ])
    func foreignTypes(declared: String, type: DataType) {
        #expect(SQLiteColumnType(declared: declared).type == type)
    }

    @Test("Text that a column would turn into a number is refused, not changed")
    func affinities() async throws {
        try bench.sqlite("CREATE TABLE t (a NUMERIC, b JSON, c)")
        let schema = Schema([Field("a", .utf8), Field("b", .json), Field("c", .utf8)])
        let rows: [[Scalar]] = [
            [.utf8("x7"), .utf8("[1]"), .utf8("007")], [.utf8(" 007 "), .utf8("[2]"), .null],
            [.null, .utf8("1e2"), .null],
        ]
        let result = try await SQLiteSink(path: bench.path, table: "t").load(
            [try .of(schema, rows)], schema: schema, mode: .append)
        #expect(result.rejects.map(\.field) == ["a", "b"])
        #expect(try bench.sqlite("SELECT * FROM t") == ["'x7','[1]','007'"])
    }

    @Test("A wide decimal goes into a numeric column only where no digit is lost")
    func wideDecimals() async throws {
        try bench.sqlite("CREATE TABLE t (d DECIMAL(20,4))")
        let type = DataType.decimal(precision: 20, scale: 4)
        let schema = Schema([Field("d", type)])
        let texts = ["1234567890123456.0000", "1234567890.1234", "1234567890123456.1234", "-0.0001"]
        let rows = try texts.map { [Scalar.decimal(try #require(DecimalValue($0)))] }
        let result = try await SQLiteSink(path: bench.path, table: "t").load(
            [try .of(schema, rows)], schema: schema, mode: .append)
        #expect(result.rejects.map(\.code) == ["tooManyDigits"])
        #expect(result.rejects.map(\.place.row) == [3])
        #expect(
            try await SQLiteTableSource(path: bench.path, table: "t").readAll().batches.rows == [
                rows[0], rows[1], rows[3],
            ])
    }

    @Test("Rows go into a column of another type where each value fits exactly")
    func coercions() async throws {
        try bench.sqlite("CREATE TABLE t (a BIGINT, b REAL, c DECIMAL(6,2), d TEXT, e DATE, f BOOLEAN)")
        let schema = Schema([
            Field("a", .utf8), Field("b", .int64), Field("c", .decimal(precision: 12, scale: 4)), Field("d", .int64),
            Field("e", .utf8), Field("f", .utf8),
        ])
        func decimal(_ text: String) -> Scalar { DecimalValue(text).map(Scalar.decimal) ?? .null }
        let rows: [[Scalar]] = [
            [.utf8("12"), .integer(3), decimal("1.5000"), .integer(7), .utf8("2024-02-29"), .utf8("true")],
            [.utf8("x"), .integer(3), .null, .null, .null, .null],
            [.null, .integer(9_007_199_254_740_993), .null, .null, .null, .null],
            [.null, .null, decimal("1.2345"), .null, .null, .null],
            [.null, .null, .null, .null, .utf8("2023-02-29"), .null],
        ]
        let result = try await SQLiteSink(path: bench.path, table: "t").load(
            [try .of(schema, rows)], schema: schema, mode: .append)
        #expect(result.rejects.map(\.field) == ["a", "b", "c", "e"])
        #expect(try bench.sqlite("SELECT * FROM t") == ["12,3.0,1.5,'7','2024-02-29',1"])
    }

    @Test(
        "A column whose type can never hold the rows' values is refused before any row moves",
        arguments: [
            ("BLOB", DataType.date32), ("REAL", .decimal(precision: 10, scale: 2)), ("TIMESTAMP", .instant),
            ("DATE", .int64), ("BIGINT", .bool), ("BIGINT", .list(Field("item", .int64))),
        ])
    func impossible(declared: String, type: DataType) async throws {
        try bench.sqlite("CREATE TABLE t (v \(declared))")
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await SQLiteSink(path: bench.path, table: "t").openWriter(
                for: Schema([Field("v", type)]), mode: .append, in: .testing())
        }
        #expect(error?.code == .schemaMismatch)
        #expect(error?.fields.first?.name == "expected")
    }
}
