import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceJSON

@Suite("Decoding JSON values into columns", .serialized) struct JSONDecodingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let type: DataType
        let text: String
        let expected: Scalar
        var testDescription: String { "\(text) as \(type)" }
        init(_ type: DataType, _ text: String, _ expected: Scalar) {
            self.type = type
            self.text = text
            self.expected = expected
        }
    }

    static let point: DataType = .struct([Field("x", .int64), Field("y", .decimal(precision: 9, scale: 2))])

    static let good: [Case] = [
        Case(.bool, "true", .bool(true)), Case(.bool, "\"false\"", .bool(false)),
        Case(.int8, "-128", .integer(-128)), Case(.uint8, "255", .integer(255)),
        Case(.int64, "9223372036854775807", .integer(Int128(Int64.max))),
        Case(.uint64, "18446744073709551615", .integer(Int128(UInt64.max))),
        Case(.int64, "1.0", .integer(1)), Case(.int32, "12e2", .integer(1200)), Case(.int64, "\"42\"", .integer(42)),
        Case(.int64, "-0", .integer(0)),
        Case(.decimal(precision: 12, scale: 2), "12.5", decimal("12.50")),
        Case(.decimal(precision: 12, scale: 2), "\"19.990\"", decimal("19.99")),
        Case(.decimal(precision: 12, scale: 2), "1.25e1", decimal("12.50")),
        Case(
            .decimal(precision: 38, scale: 10), "1234567890123456789012345678.0123456789",
            decimal("1234567890123456789012345678.0123456789")),
        Case(.float64, "0.1", .double(0.1)), Case(.float64, "1e308", .double(1e308)), Case(.float64, "3", .double(3)),
        Case(.float64, "\"-Infinity\"", .double(-.infinity)), Case(.float32, "0.5", .double(0.5)),
        Case(.utf8, "\"\"", .utf8("")), Case(.utf8, #""a\n\u00e9\ud83d\ude00""#, .utf8("a\né😀")),
        Case(.utf8, "1.50", .utf8("1.50")), Case(.utf8, "true", .utf8("true")),
        Case(.date32, "\"1970-01-02\"", .date(1)),
        Case(.time64, "\"00:00:01.5\"", .time(1_500_000)),
        Case(.timestamp(zone: nil), "\"1970-01-01T00:00:01\"", .timestamp(1_000_000)),
        Case(.timestamp(zone: nil), "\"1970-01-02\"", .timestamp(86_400_000_000)),
        Case(.instant, "\"1970-01-01T01:00:00+01:00\"", .timestamp(0)),
        Case(.binary, "\"AAH/\"", .binary([0, 1, 255])), Case(.binary, "\"\"", .binary([])),
        Case(.json, #"{"a": [1, 2.50], "b":null}"#, .utf8(#"{"a": [1, 2.50], "b":null}"#)),
        Case(.json, "\"x\"", .utf8("\"x\"")),
        Case(.list(Field("item", .int64)), "[1, null, 3]", .list([.integer(1), .null, .integer(3)])),
        Case(.list(Field("item", .utf8)), "[]", .list([])),
        Case(point, #"{"y":1.5,"z":[{}],"x":7}"#, .struct([.integer(7), decimal("1.50")])),
        Case(point, "{}", .struct([.null, .null])),
        Case(
            .list(Field("item", point)), #"[{"x":1},null,{"y":2}]"#,
            .list([.struct([.integer(1), .null]), .null, .struct([.null, decimal("2.00")])])),
    ]

    @Test("A value of the column's type is taken exactly", arguments: good) func takes(value: Case) async throws {
        let text = "{\"n\":0,\"v\":\(value.text)}\n{\"v\":null}\n{}\n"
        let schema = Schema([Field("v", value.type), Field("n", .int64)])
        let reading = try await read(text, schema: schema)
        #expect(reading.rejects.isEmpty)
        #expect(reading.rows == [[value.expected, .integer(0)], [.null, .null], [.null, .null]])
    }

    static let bad: [(DataType, String, String)] = [
        (.bool, "1", "wrongKind"), (.bool, "\"maybe\"", "notABoolean"), (.int64, "1.5", "notAnInteger"),
        (.int64, "\"abc\"", "notAnInteger"), (.int64, "\"\"", "notAnInteger"), (.int64, "true", "wrongKind"),
        (.int64, "{}", "wrongKind"), (.int64, "[1]", "wrongKind"), (.int8, "128", "outOfRange"),
        (.uint8, "-1", "outOfRange"), (.int64, "9223372036854775808", "outOfRange"), (.int64, "1e30", "outOfRange"),
        (.decimal(precision: 5, scale: 2), "1.005", "tooManyFractionDigits"),
        (.decimal(precision: 5, scale: 2), "1000", "outOfRange"),
        (.decimal(precision: 5, scale: 2), "\"12,50\"", "notADecimal"),
        (.decimal(precision: 5, scale: 2), "false", "wrongKind"), (.float64, "1e999", "outOfRange"),
        (.float64, "\"x\"", "notANumber"), (.float32, "1e39", "outOfRange"), (.utf8, "{\"a\":1}", "wrongKind"),
        (.utf8, "[]", "wrongKind"), (.date32, "20240101", "wrongKind"), (.date32, "\"2023-02-29\"", "notADate"),
        (.time64, "\"25:00\"", "notATime"), (.timestamp(zone: nil), "\"yesterday\"", "notATimestamp"),
        (.instant, "\"2024-01-01T00:00:00\"", "notATimestamp"),
        (.timestamp(zone: nil), "\"2024-01-01T00:00:00Z\"", "notATimestamp"), (.binary, "\"AAH\"", "notBase64"),
        (.binary, "1", "wrongKind"), (.list(Field("item", .int64)), "1", "wrongKind"),
        (.list(Field("item", .int64)), "[1,\"x\"]", "notAnInteger"),
        (.list(Field("item", .int64, nullable: false)), "[1,null]", "missing"), (point, "[]", "wrongKind"),
        (point, "{\"y\":0.001}", "tooManyFractionDigits"),
    ]

    @Test("A value that the column does not take makes its row a reject and no other", arguments: bad.indices)
    func refuses(index: Int) async throws {
        let (type, value, code) = Self.bad[index]
        let record = "{\"n\":1,\"v\":\(value),\"m\":2}"
        let text = "{\"n\":0,\"v\":null}\n\n\(record)\n{\"v\":null,\"n\":3}\n"
        let schema = Schema([Field("n", .int64), Field("v", type), Field("m", .int64)])
        let reading = try await read(text, schema: schema)
        #expect(reading.rows == [[.integer(0), .null, .null], [.integer(3), .null, .null]])
        #expect(reading.places.map(\.line) == [1, 4])
        #expect(reading.places.map(\.row) == [1, 3])
        let reject = try #require(reading.rejects.first)
        #expect(reading.rejects.count == 1)
        #expect(reject.code == code && reject.rule == "decode" && reject.field == "v")
        #expect(reject.place.line == 3 && reject.place.byteOffset == 18 && reject.place.row == 2)
        #expect(reject.original == Array(record.utf8))
        #expect(reject.row == nil && reject.message.contains("\"v\""))
        #expect(!reject.message.contains("inferred"))
        if code != "missing" { #expect(reject.value.map { value.contains($0) } == true) }
    }

    @Test("A null or missing member is refused where the field must not be null")
    func required() async throws {
        let schema = Schema([Field("id", .int64, nullable: false), Field("s", .utf8)])
        let reading = try await read("{\"id\":1}\n{\"id\":null}\n{\"s\":\"x\"}\n{\"id\":2,\"s\":\"y\"}", schema: schema)
        #expect(reading.rows == [[.integer(1), .null], [.integer(2), .utf8("y")]])
        #expect(reading.rejects.map(\.code) == ["missing", "missing"])
        #expect(reading.rejects.map(\.field) == ["id", "id"])
    }

    @Test("The message of a nested value names the way to it")
    func nestedPath() async throws {
        let type = DataType.struct([Field("sizes", .list(Field("item", .struct([Field("width", .int64)]))))])
        let reading = try await read(
            #"{"o":{"sizes":[{"width":1},{"width":"x"}]}}"#, schema: Schema([Field("o", type)]))
        #expect(
            reading.rejects.first?.message
                == "column \"o\" at o.sizes[].width: the value is not an int64")
    }

    @Test("Of members with the same name the last one counts, at every depth")
    func repeatedNames() async throws {
        let text = """
            {"a":1,"b":"x","a":2}
            {"a":3,"b":{"c":1},"b":"y","a":"bad","a":4}
            {"a":5,"o":{"c":1,"c":2},"o":{"d":7}}
            {"a":6,"\\u0061":7}
            {"a":8,"a":"bad"}
            {"a":9}
            """
        let schema = Schema([
            Field("a", .int64), Field("b", .utf8), Field("o", .struct([Field("c", .int64), Field("d", .int64)])),
        ])
        let reading = try await read(text, schema: schema)
        #expect(
            reading.rows == [
                [.integer(2), .utf8("x"), .null], [.integer(4), .utf8("y"), .null],
                [.integer(5), .null, .struct([.null, .integer(7)])], [.integer(7), .null, .null],
                [.integer(9), .null, .null],
            ])
        #expect(reading.places.map(\.line) == [1, 2, 3, 4, 6])
        #expect(reading.rejects.map(\.code) == ["notAnInteger"] && reading.rejects[0].place.line == 5)
    }

    @Test("A broken line is a reject with its bytes, and reading goes on")
    func brokenLines() async throws {
        let lines = [
            #"{"a":1}"#, #"{"a":1"#, #"{"a":1}}"#, #"{"a":01}"#, "not json", #"{"a":[1,{"b":}]}"#, #"{"a":2}"#,
            #"{"l":[{"x":1},{"x":2,"y":"\q"}]}"#, #"{"a":3,"l":[{"x":4}]}"#, #"{"s":"\ud800"}"#, #"{"a":4}"#,
        ]
        let schema = Schema([
            Field("a", .int64), Field("l", .list(Field("item", .struct([Field("x", .int64), Field("y", .utf8)])))),
        ])
        let reading = try await read(lines.joined(separator: "\n"), JSONFormat(layout: .lines), schema: schema)
        #expect(reading.rows.map { $0[0] } == [.integer(1), .integer(2), .integer(3), .integer(4)])
        #expect(reading.rows[2][1] == .list([.struct([.integer(4), .null])]))
        #expect(reading.rejects.map(\.place.line) == [2, 3, 4, 5, 6, 8, 10])
        #expect(reading.rejects.map(\.original) == [1, 2, 3, 4, 5, 7, 9].map { Array(lines[$0].utf8) })
        #expect(Set(reading.rejects.map(\.code)) == ["badJSON", "loneSurrogate"])
        #expect(reading.rejects[0].message.contains("line 2"))
    }

    @Test("Invalid UTF-8 and nesting beyond the limit are rejects in a document too")
    func softFailures() async throws {
        var bytes = Array(#"[{"a":"x"},{"a":"?"},"#.utf8)
        bytes[bytes.lastIndex(of: UInt8(ascii: "?")) ?? 0] = 0xFF
        bytes += Array((#"{"b":"# + String(repeating: "[", count: 600) + String(repeating: "]", count: 600) + "}").utf8)
        bytes += Array(#",{"a":"\udc00"},{"a":"y"}]"#.utf8)
        let source = FormatSource(
            TestBytes([("x", bytes)]), JSONFormat(), codecs: [], declared: Schema([Field("a", .utf8)]))
        let reading = try await source.readAll()
        #expect(reading.rows == [[.utf8("x")], [.utf8("y")]])
        #expect(reading.rejects.map(\.code) == ["badUTF8", "tooDeep", "loneSurrogate"])
        let replacing = FormatSource(
            TestBytes(#"[{"a":"\udc00"}]"#), JSONFormat(reading: JSONReadingOptions(loneSurrogates: .replaced)),
            codecs: [])
        #expect(try await replacing.readAll().rows == [[.utf8("\u{FFFD}")]])
    }

    @Test(
        "A broken document is an error that names line and byte",
        arguments: [
            ("[{\"a\":1},\n{\"a\":}]", 2, 15, "unexpectedByte"), ("[{\"a\":1},\n{\"a\":2", 2, 16, "unexpectedEnd"),
            ("[{\"a\":1}\n", 2, 9, "unexpectedEnd"), ("{\"rows\":1", 1, 9, "unexpectedEnd"),
            ("[1] x", 1, 4, "trailingContent"),
        ])
    func brokenDocuments(text: String, line: Int, offset: Int, problem: String) async throws {
        let error = await failure {
            _ = try await read(text, JSONFormat(layout: .document), schema: Schema([Field("a", .int64)]))
        }
        #expect(error?.code == .malformedInput)
        #expect(error?.fields.first { $0.name == "line" }?.value == "\(line)")
        #expect(error?.fields.first { $0.name == "byte" }?.value == "\(offset)")
        #expect(error?.fields.first { $0.name == "problem" }?.value == problem)
        #expect(error?.trail.first?.hasPrefix("data.json line \(line)") == true)
    }

    @Test("What was cut before a truncated end is handed out first")
    func truncatedEnd() async throws {
        let source = FormatSource(
            TestBytes("[{\"a\":1},{\"a\":2},{\"a\":"), JSONFormat(layout: .document), codecs: [],
            declared: Schema([Field("a", .int64)]))
        let context = RunContext.testing()
        let reader = try await source.openReader(for: Schema([Field("a", .int64)]), from: nil, in: context)
        guard case .chunk(let chunk, _) = try await reader.next() else { throw HeadraceError(.unexpected, "no chunk") }
        #expect(try reader.decode(chunk, sequence: 0).count == 2)
        for _ in 0..<2 { #expect(await failure { _ = try await reader.next() }?.code == .malformedInput) }
    }

    @Test("A record path that leads nowhere is an error that names what is missing")
    func missingPath() async throws {
        let error = await failure {
            _ = try await read(#"{"data":{"rows":[]}}"#, JSONFormat(rows: "/data/items"))
        }
        #expect(error?.code == .malformedInput && error?.message.contains("/data/items") == true)
        let scalar = await failure { _ = try await read(#"{"data":5}"#, JSONFormat(rows: "/data")) }
        #expect(scalar?.code == .malformedInput)
        #expect(await failure { _ = try await read("[]", JSONFormat(rows: "data")) }?.code == .badOption)
        let both = await failure { _ = try await read("[]", JSONFormat(layout: .lines, rows: "/a")) }
        #expect(both?.code == .badOption)
    }

    @Test("A record beyond the limit is a reject and its neighbours are read")
    func oversized() async throws {
        let long = "{\"a\":2,\"s\":\"\(String(repeating: "x", count: 5000))\"}"
        for text in ["{\"a\":1}\n\(long)\n{\"a\":3}\n", "[{\"a\":1},\(long),{\"a\":3}]"] {
            for chunk in [100, 1000, 100_000] {
                let format = JSONFormat(maximumRecordBytes: 2000).chunked(chunk)
                let reading = try await read(text, format, schema: Schema([Field("a", .int64)]))
                #expect(reading.rows == [[.integer(1)], [.integer(3)]])
                #expect(reading.rejects.map(\.code) == ["recordTooLong"])
                #expect(reading.rejects[0].original == nil && reading.rejects[0].place.row == 2)
                #expect(reading.places.map(\.row) == [1, 3])
            }
        }
    }

    @Test("A short record before white space beyond the limit is read or refused, never misread")
    func blankAfterRecord() async throws {
        let blank = String(repeating: " ", count: 5000)
        for text in ["{\"a\":1}\(blank)\n{\"a\":2}\n", "[{\"a\":1}\(blank),{\"a\":2}]", "{\"a\":1}\(blank){\"a\":2}"] {
            for chunk in [50, 700, 100_000] {
                var format = JSONFormat(maximumRecordBytes: 1000).chunked(chunk)
                format.reading.allowsComments = true
                let reading = try await read(text, format)
                #expect(reading.rows.last == [.integer(2)])
                #expect(reading.rows.count + reading.rejects.count == 2)
                #expect(reading.rejects.allSatisfy { $0.code == "recordTooLong" && $0.place.row == 1 })
            }
        }
    }

    @Test("Records that are not objects fill the column value")
    func values() async throws {
        #expect(try await read("[1,2,null]").rows == [[.integer(1)], [.integer(2)], [.null]])
        #expect(try await read("\"a\"\n\"b\"\n").rows == [[.utf8("a")], [.utf8("b")]])
        #expect(
            try await read("[[1,2],[3]]").rows == [
                [.list([.integer(1), .integer(2)])], [.list([.integer(3)])],
            ])
        #expect(try await read("[1,\"a\"]").rows == [[.utf8("1")], [.utf8("\"a\"")]])
        let mixed = try await read(#"[{"id":1},"out of order",{"id":2}]"#)
        #expect(mixed.rows == [[.integer(1)], [.integer(2)]])
        #expect(mixed.rejects.map(\.message) == ["the record is a string, not an object"])
        #expect(mixed.rejects.map(\.value) == ["\"out of order\""])
    }

    @Test("A column may take each whole record")
    func recordColumn() async throws {
        let format = JSONFormat(recordColumn: "raw")
        let text = "{\"id\": 1, \"x\": [1, 2]}\n{\"id\": 2}\n"
        let reading = try await read(text, format)
        #expect(reading.schema["raw"]?.type == .json)
        #expect(reading.rows.map { $0[2] } == [.utf8("{\"id\": 1, \"x\": [1, 2]}"), .utf8("{\"id\": 2}")])
        let declared = Schema([Field("raw", .utf8), Field("id", .int64)])
        #expect(try await read(text, format, schema: declared).rows[1] == [.utf8("{\"id\": 2}"), .integer(2)])
        let wrong = await failure { _ = try await read(text, format, schema: Schema([Field("raw", .int64)])) }
        #expect(wrong?.code == .schemaMismatch)
    }

    @Test("Members that no column takes are ignored, checked and counted")
    func ignored() async throws {
        let logged = Logged()
        let source = FormatSource(
            TestBytes("{\"a\":1,\"b\":{\"a\":[]},\"c\":1}\n{\"c\":2,\"a\":2}\n{\"a\":3,\"b\":[1,}\n"), JSONFormat(),
            codecs: [],
            declared: Schema([Field("a", .int64)]))
        let reading = try await source.readAll(in: RunContext.testing(log: logged.log))
        #expect(reading.rows == [[.integer(1)], [.integer(2)]])
        #expect(reading.rejects.map(\.code) == ["badJSON"])
        #expect(logged.fields == ["4"])
    }

    @Test("JSON columns hold strict JSON even where the input is read leniently")
    func strictDocuments() async throws {
        let options = JSONReadingOptions(
            loneSurrogates: .replaced, allowsNonFiniteNumbers: true, allowsTrailingCommas: true, allowsComments: true)
        let text = #"{"j": [1, NaN, /* c */ "\ud800",]}"# + "\n" + #"{"j": {"a": 1.0}}"# + "\n"
        let reading = try await read(
            text, JSONFormat(layout: .lines, reading: options), schema: Schema([Field("j", .json)]))
        #expect(reading.rows == [[.utf8("[1,null,\"\u{FFFD}\"]")], [.utf8(#"{"a": 1.0}"#)]])
    }
}
