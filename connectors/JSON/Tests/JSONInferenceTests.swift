import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceJSON

@Suite("Finding the types of JSON members", .serialized) struct JSONInferenceTests {
    @Test(
        "Values seen give the narrowest type that holds them exactly",
        arguments: [
            ("1|-2|0", "int64"), ("9223372036854775807", "int64"), ("9223372036854775808|1", "decimal(38,0)"),
            ("1.5|2.25|100", "decimal(18,2)"), ("12345678901234567.25", "decimal(38,2)"), ("1.50", "decimal(18,2)"),
            ("123456789012345678901234567890123456789", "json"), ("1e3|1", "float64"), ("1.5|\"NaN\"", "float64"),
            ("\"NaN\"", "utf8"), ("true|false", "bool"), ("\"a\"|\"\"", "utf8"),
            ("\"2024-01-31\"|\"2024-02-01\"", "date32"),
            ("\"2024-01-31\"|\"2024-02-30\"", "utf8"),
            ("\"2024-01-31T10:00:00Z\"|\"2024-01-31T10:00:00.5+02:00\"", "timestamp(UTC)"),
            ("\"2024-01-31T10:00:00\"|\"2024-01-31 10:00:01\"", "timestamp"),
            ("\"2024-01-31T10:00:00\"|\"2024-01-31T10:00:00Z\"", "utf8"),
            ("\"2024-01-31\"|\"2024-01-31T10:00:00Z\"", "utf8"),
            ("[1,2]|[]", "list<int64>"), ("[]", "json"), ("[1,\"a\"]", "json"),
            ("[[1.5],[2]]", "list<list<decimal(18,1)>>"),
            ("{\"a\":1}|{\"b\":\"x\"}", "struct<a: int64, b: utf8>"), ("{}", "json"),
            ("{\"a\":[1,\"x\"]}", "struct<a: json>"),
            ("1|\"a\"", "json"), ("{\"a\":1}|[1]", "json"), ("true|1", "json"), ("null", "json"), ("null|7", "int64"),
        ])
    func types(values: String, type: String) throws {
        let lines = values.split(separator: "|").map { "{\"v\":\($0)}" }.joined(separator: "\n")
        let found = try describe(lines + "\n", JSONFormat(layout: .lines))
        #expect(found.schema["v"]?.type.description == type)
        #expect(found.schema["v"]?.isNullable == values.contains("null"))
        #expect(found.confidence == 1)
    }

    @Test("Every inferred schema takes every record it was inferred from", arguments: 0..<60)
    func holdsItsSample(seed: Int) async throws {
        var random = Seeded(UInt64(seed))
        let records = (0..<Int.random(in: 1...30, using: &random)).map { _ in RandomJSON.object(&random) }
        let flattens = Bool.random(using: &random)
        let text = "[" + records.map(\.compactText).joined(separator: ",\n") + "]"
        guard let found = try? describe(text, JSONFormat(flattens: flattens)) else { return }
        let reading = try await read(text, JSONFormat(flattens: flattens))
        #expect(reading.rejects.isEmpty, "\(reading.rejects.map(\.message)) \(found.schema)")
        #expect(reading.rows.count == records.count)
        guard !flattens else { return }
        for (row, record) in zip(reading.rows, records) {
            for (field, value) in zip(reading.schema.fields, row) {
                #expect(RandomJSON.equal(value, field.type, record[field.name] ?? .null), "\(field) \(value) \(record)")
            }
        }
    }

    @Test("A member that is missing or null makes its column nullable, a sample all of them")
    func nullability() throws {
        let text = "{\"a\":1,\"b\":1,\"c\":1}\n{\"a\":2,\"b\":null}\n"
        #expect(try describe(text).schema.fields.map(\.isNullable) == [false, true, true])
        #expect(try describe(text, isWhole: false).schema.fields.map(\.isNullable) == [true, true, true])
        #expect(try describe(text + "{\"d\":", isWhole: false).schema.names == ["a", "b", "c"])
    }

    @Test("Without inference every member is text, or JSON where it holds more than a value")
    func withoutTypes() async throws {
        let text = "{\"a\":1.50,\"b\":[1],\"c\":\"x\"}\n{\"a\":\"2\",\"b\":null,\"c\":true}\n"
        let reading = try await read(text, JSONFormat(infersTypes: false))
        #expect(reading.schema.fields.map(\.type) == [.utf8, .json, .utf8])
        #expect(
            reading.rows == [
                [.utf8("1.50"), .utf8("[1]"), .utf8("x")], [.utf8("2"), .null, .utf8("true")],
            ])
    }

    @Test("Broken lines in the sample lower the confidence and are counted")
    func brokenLines() throws {
        let found = try describe("{\"a\":1}\n{\"a\":\n{\"a\":2}\n{\"a\":3}\n", JSONFormat(layout: .lines))
        #expect(found.schema.fields.map { "\($0)" } == ["a: int64"])
        #expect(found.confidence == 0.75)
        #expect(found.notes == ["1 of 4 records are broken: rejects"])
    }

    @Test("Notes tell of mixed columns, of records that are no objects and of rows further inside")
    func notes() throws {
        #expect(
            try describe("[{\"a\":1},{\"a\":\"x\"}]").notes == ["column \"a\" has numbers and strings: read as JSON"])
        #expect(try describe("[{\"a\":1},5]").notes == ["1 of 2 records are not objects: rejects"])
        #expect(
            try describe(#"{"meta":{},"data":{"items":[{"a":1},{"a":2}]}}"#).notes
                == ["rows=/data/items reads 2 elements of the document as rows"])
    }

    @Test("A sample without a whole record is an error that names where rows may be")
    func unending() {
        let text = #"{"meta":{"x":[1]},"data":{"items":[{"a":1},{"a":2},"#
        let error = #expect(throws: HeadraceError.self) { try describe(text, isWhole: false) }
        #expect(error?.code == .malformedInput && error?.hint?.contains("rows=/data/items") == true)
    }

    @Test(
        "The layout is found by content and name",
        arguments: [
            ("{\"a\":1}", true, JSONLayout.document), ("{\"a\":1}\n", true, .document),
            ("{\"a\":1}\n{\"a\":2}", true, .lines),
            ("{\"a\":1}\n", false, .lines), ("{\"a\":1}\n{\"a\":", false, .lines),
            ("{\"a\":1} {\"a\":2}\n", true, .documents),
            ("{\n\"a\":1}\n{\"a\":2}\n", true, .documents), ("[{\"a\":1},\n{\"a\":2}]", true, .document),
            ("[1,2]\n[3,4]\n", true, .lines), ("[\n1\n,\n2\n]", true, .document),
            ("[{\"a\":1},\n{\"a\"", false, .document),
            ("{\"a\":\n{\"a\":2}\n{\"a\":3}\n", true, .lines), ("1\n2\n3", true, .lines),
            ("\u{1E}{}\n", true, .documents),
            ("\u{FEFF}[1]", true, .document), ("", true, .lines), ("{\"a\":1}x", true, .document),
        ])
    func layouts(text: String, isWhole: Bool, layout: JSONLayout) {
        let object = ByteObject(name: "x", byteCount: nil, identity: "")
        let found = Array(text.utf8).withUnsafeBytes {
            LayoutDetector(JSONFormat(), object).detect($0, isWhole: isWhole)
        }
        #expect(found.layout == layout)
        let named = ByteObject(name: "x", byteCount: nil, identity: "", contentType: "application/x-ndjson")
        let byName = Array(text.utf8).withUnsafeBytes {
            LayoutDetector(JSONFormat(), named).detect($0, isWhole: isWhole)
        }
        #expect(byName.layout == .lines)
    }
}
