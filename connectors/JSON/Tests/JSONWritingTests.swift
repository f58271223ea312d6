import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceJSON

@Suite("Writing JSON", .serialized) struct JSONWritingTests {
    static func batch(_ fields: [Field], _ rows: [[Scalar]]) throws -> RecordBatch {
        try #require(RecordBatch(schema: Schema(fields), rows: rows))
    }

    static func text(_ encoder: some FormatEncoder, _ batches: [RecordBatch]) throws -> String {
        let schema = batches.first?.schema ?? Schema([])
        var bytes = try encoder.prologue(for: schema)
        for (index, batch) in batches.enumerated() {
            if index > 0 { bytes += encoder.separator }
            bytes += try encoder.encode(batch).withBytes { Array($0) }
        }
        return String(decoding: bytes + (try encoder.epilogue(for: schema)), as: UTF8.self)
    }

    @Test("Every type is written exactly and null as null")
    func types() throws {
        let fields = [
            Field("b", .bool), Field("i", .int64), Field("u", .uint64), Field("t", .int8), Field("f", .float64),
            Field("g", .float32), Field("d", .decimal(precision: 12, scale: 2)),
            Field("w", .decimal(precision: 38, scale: 3)), Field("s\"", .utf8), Field("x", .binary),
            Field("day", .date32), Field("time", .time64), Field("at", .instant), Field("wall", .timestamp(zone: nil)),
            Field("l", .list(Field("item", .int64))), Field("o", .struct([Field("a", .utf8), Field("b", .int64)])),
            Field("j", .json),
        ]
        let row: [Scalar] = [
            .bool(true), .integer(9_007_199_254_740_993), .integer(18_446_744_073_709_551_615), .integer(-7),
            .double(0.1),
            .double(0.5), decimal("-0.50"), decimal("12345678901234567890.125"), .utf8("a\n\"é"), .binary([0, 255]),
            .date(1), .time(1_500_000), .timestamp(1), .timestamp(-1_000_000), .list([.integer(1), .null]),
            .struct([.utf8(""), .null]), .utf8("{\"k\":\n[1.50]}"),
        ]
        let batch = try Self.batch(fields, [row, fields.map { _ in .null }])
        let lines = try Self.text(NDJSONEncoder(), [batch]).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines[0] == """
                {"b":true,"i":9007199254740993,"u":18446744073709551615,"t":-7,"f":0.1,"g":0.5,"d":-0.50,\
                "w":12345678901234567890.125,"s\\"":"a\\n\\"é","x":"AP8=","day":"1970-01-02","time":"00:00:01.500",\
                "at":"1970-01-01T00:00:00.000001Z","wall":"1969-12-31T23:59:59","l":[1,null],"o":{"a":"","b":null},\
                "j":{"k": [1.50]}}
                """)
        #expect(lines[1] == "{" + fields.map { "\(JSONValue.string($0.name)):null" }.joined(separator: ",") + "}")
        #expect(lines[2...] == [""])
    }

    @Test("An array stays one over batches and is [] without rows")
    func arrays() throws {
        let fields = [Field("a", .int64)]
        let one = try Self.batch(fields, [[.integer(1)], [.integer(2)]])
        #expect(try Self.text(JSONArrayEncoder(), [one, one]) == "[{\"a\":1},\n{\"a\":2},\n{\"a\":1},\n{\"a\":2}]\n")
        #expect(try Self.text(JSONArrayEncoder(), []) == "[]\n")
        #expect(try Self.text(NDJSONEncoder(), []) == "")
        #expect(try Self.text(JSONArrayEncoder(), [try Self.batch([], [[], []])]) == "[{},\n{}]\n")
    }

    @Test("NaN and the infinities become strings or null")
    func nonFinite() throws {
        let batch = try Self.batch(
            [Field("f", .float64), Field("g", .float32)],
            [[.double(.nan), .double(-.infinity)], [.double(.infinity), .double(.nan)]])
        #expect(
            try Self.text(NDJSONEncoder(), [batch])
                == "{\"f\":\"NaN\",\"g\":\"-Infinity\"}\n{\"f\":\"Infinity\",\"g\":\"NaN\"}\n")
        #expect(
            try Self.text(NDJSONEncoder(nonFinite: .null), [batch])
                == "{\"f\":null,\"g\":null}\n{\"f\":null,\"g\":null}\n")
    }

    @Test("Dictionary columns and windows of columns are written like any other")
    func dictionariesAndSlices() throws {
        let names: [Scalar] = [.utf8("a"), .utf8("b"), .null, .utf8("a"), .utf8("é\""), .utf8("b")]
        let lists: [Scalar] = (0..<6).map { row in
            .list((0..<row).map { .struct([.integer(Int128($0)), .utf8("\(row)")]) })
        }
        let structs: [Scalar] = (0..<6).map { $0 == 2 ? .null : .struct([.integer(Int128($0)), .utf8("s\($0)")]) }
        let pair: DataType = .struct([Field("x", .int64), Field("y", .utf8)])
        let fields = [Field("n", .utf8), Field("l", .list(Field("item", pair))), Field("s", pair)]
        let plain = try Self.batch(fields, (0..<6).map { [names[$0], lists[$0], structs[$0]] })
        let encoded = try #require(Kernels.dictionaryEncoded(plain.columns[0], limit: 6))
        #expect(encoded.dictionary != nil)
        let batch = RecordBatch(schema: plain.schema, columns: [encoded] + plain.columns[1...], count: 6)
        for start in 0..<6 {
            for count in 0...(6 - start) {
                let expected = try Self.text(
                    NDJSONEncoder(),
                    [try Self.batch(fields, (start..<start + count).map { [names[$0], lists[$0], structs[$0]] })])
                #expect(try Self.text(NDJSONEncoder(), [batch.slice(from: start, count: count)]) == expected)
            }
        }
    }

    @Test("Text in a JSON column that is no JSON is an error that names column and row")
    func badDocument() throws {
        let batch = try Self.batch([Field("j", .json)], [[.utf8("[1]")], [.utf8("{\"a\"")]])
        let error = #expect(throws: HeadraceError.self) { try NDJSONEncoder().encode(batch) }
        #expect(error?.code == .malformedInput && error?.message.contains("\"j\"") == true)
        #expect(error?.fields.first?.value == "2")
    }

    @Test("Random columns of every type come back equal, as lines and as an array", arguments: 0..<40)
    func roundTrip(seed: Int) async throws {
        var random = Seeded(UInt64(seed))
        let schema = RandomColumns.schema(&random)
        let batches = try (0..<Int.random(in: 0...3, using: &random)).map { _ in
            try #require(
                RecordBatch(
                    schema: schema,
                    rows: (0..<Int.random(in: 0...20, using: &random)).map { _ in
                        schema.fields.map { RandomColumns.value($0.type, &random, nullable: true) }
                    }))
        }
        let rows = batches.flatMap { batch in (0..<batch.count).map { batch.row(at: $0) } }
        let chunk = [1, 10, 1000].randomElement(using: &random) ?? 1
        let filled = batches.filter { $0.count > 0 }
        for (text, layout) in [
            (try Self.text(NDJSONEncoder(), filled), JSONLayout.lines),
            (try Self.text(JSONArrayEncoder(), filled), .document),
        ] {
            let reading = try await read(text, JSONFormat(layout: layout).chunked(chunk), schema: schema)
            #expect(reading.rejects.isEmpty, "\(reading.rejects)")
            #expect(reading.rows.count == rows.count)
            for (found, expected) in zip(reading.rows, rows) {
                #expect(found.map(RandomColumns.comparable) == expected.map(RandomColumns.comparable))
            }
        }
    }

    @Test("Null, the empty text and a missing member are told apart where it matters")
    func emptiness() async throws {
        let reading = try await read("{\"a\":null,\"b\":\"\"}\n{\"b\":null}\n")
        #expect(reading.rows == [[.null, .utf8("")], [.null, .null]])
        let text = try Self.text(NDJSONEncoder(), reading.batches.map(\.records))
        #expect(text == "{\"a\":null,\"b\":\"\"}\n{\"a\":null,\"b\":null}\n")
    }
}
