import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceJSON

@Suite("Reading JSON in all its layouts", .serialized) struct JSONReadingTests {
    static let rows: [[Scalar]] = [
        [.integer(1), .utf8("one")], [.integer(2), .utf8("")], [.integer(3), .null], [.integer(4), .null],
        [.integer(5), .utf8("five, with {[\"")],
    ]

    static let records = [
        #"{"id":1,"name":"one"}"#, #"{"id":2,"name":""}"#, #"{"id":3,"name":null}"#, #"{"id":4}"#,
        #"{"name":"five, with {[\"","id":5}"#,
    ]

    /// The same records in every layout, with the format that reads them.
    static let cases: [(name: String, text: String, format: JSONFormat)] = [
        ("lines", records.joined(separator: "\n") + "\n", JSONFormat()),
        ("lines without a last line feed", records.joined(separator: "\n"), JSONFormat()),
        ("lines with carriage returns", records.joined(separator: "\r\n") + "\r\n", JSONFormat()),
        ("lines with blank lines", "\n\n" + records.joined(separator: "\n\n  \n") + "\n\n", JSONFormat()),
        ("lines after a byte order mark", "\u{FEFF}" + records.joined(separator: "\n"), JSONFormat()),
        ("array", "[" + records.joined(separator: ",") + "]", JSONFormat()),
        ("indented array", "[\n  " + records.joined(separator: ",\n  ") + "\n]\n", JSONFormat()),
        (
            "record path",
            #"{"meta":{"n":[5]},"data":{"items":["# + records.joined(separator: ",") + #"]},"x":[{"id":9}]}"#,
            JSONFormat(rows: "/data/items")
        ),
        (
            "path of RFC 9535", #"{"data":{"items":["# + records.joined(separator: " ,\n") + "]}}",
            JSONFormat(rows: "$.data.items[*]")
        ),
        (
            "pages",
            #"{"pages":[{"items":["# + records[..<2].joined(separator: ",") + #"]},{"items":[]},{"items":["#
                + records[2...].joined(separator: ",") + #"],"n":1}]}"#, JSONFormat(rows: "/pages/*/items")
        ),
        (
            "single objects on the way", #"[{"r":"# + records.joined(separator: #"},{"r":"#) + "}]",
            JSONFormat(rows: "/*/r")
        ),
        ("documents", records.joined(), JSONFormat()),
        (
            "documents over lines", records.map { $0.replacing("{\"", with: "{\n  \"") }.joined(separator: "\n"),
            JSONFormat()
        ),
        ("record separators", records.map { "\u{1E}\($0)\n" }.joined(), JSONFormat()),
    ]

    @Test("Every layout gives the same rows, whatever the chunks", arguments: cases.indices)
    func layouts(index: Int) async throws {
        let layout = Self.cases[index]
        for (seed, chunk) in [1, 2, 3, 7, 20, 64, 100, 1 << 18].enumerated() {
            let reading = try await read(layout.text, layout.format.chunked(chunk), seed: UInt64(seed))
            #expect(reading.schema.names == ["id", "name"], "\(layout.name)")
            #expect(reading.rows == Self.rows, "\(layout.name), chunks of \(chunk)")
            #expect(reading.rejects.isEmpty)
        }
    }

    @Test("Reading resumes after every chunk", arguments: cases.indices)
    func resuming(index: Int) async throws {
        let layout = Self.cases[index]
        let source = FormatSource(TestBytes(layout.text), layout.format.chunked(30), codecs: [])
        let whole = try await source.readAll()
        #expect(whole.positions.count > 1)
        for (position, count) in zip(whole.positions, whole.counts) {
            let json = try JSONValue.parse(position.value.compactText)
            let rest = try await source.readAll(from: Position(json))
            #expect(rest.rows == Array(whole.rows[count...]), "\(layout.name) after \(count)")
            #expect(rest.places == Array(whole.places[count...]), "\(layout.name) after \(count)")
        }
    }

    @Test("The place of a row is its record's line, byte and ordinal", arguments: cases.indices)
    func places(index: Int) async throws {
        let layout = Self.cases[index]
        let bytes = Array(layout.text.utf8)
        let reading = try await read(layout.text, layout.format.chunked(40))
        for (row, place) in reading.places.enumerated() {
            let offset = try #require(place.byteOffset)
            let original = reading.originals[row]
            #expect(bytes[offset...].starts(with: original.utf8))
            #expect(place.line == bytes[..<offset].count { $0 == 0x0A } + 1)
            #expect(place.row == row + 1)
            #expect(place.file == "data.json" && place.source == "memory")
            #expect(try JSONValue.parse(original)["id"] == JSONValue.integer(row + 1))
        }
    }

    @Test("Objects are read one after the other, each in a layout of its own")
    func objects() async throws {
        let carrier = TestBytes([
            ("a", Array(#"{"id":1}"#.utf8)), ("b", Array("[{\"id\":2},\n{\"id\":3}]".utf8)),
            ("c", Array("{\"id\":4}\n{\"id\":5}\n".utf8)), ("d", []),
        ])
        let reading = try await FormatSource(carrier, JSONFormat(), codecs: []).readAll()
        #expect(reading.rows == (1...5).map { [.integer($0)] })
        #expect(reading.places.map(\.file) == ["a", "b", "b", "c", "c"])
        #expect(reading.places.map(\.row) == [1, 2, 3, 4, 5])
        #expect(reading.places.map(\.line) == [1, 1, 2, 1, 2])
    }

    @Test("An empty object and an empty array have no rows", arguments: ["", " \n", "[]", "[ \n ]"])
    func empty(text: String) async throws {
        let reading = try await read(text)
        #expect(reading.rows.isEmpty && reading.schema.count == 0)
    }

    @Test("Comments and trailing commas are read where they are allowed, and resumed within")
    func leniencies() async throws {
        let text = """
            // head
            [ /* first */ {"id":1,"name":"one",}, // x, {
              {"id":2 /* in */ ,"name":"/* no */"},
            /* long comment, [ { " that
               goes on for a while ******/
            {"id":3,"name":"//"} , ] // end
            """
        let options = JSONReadingOptions(allowsTrailingCommas: true, allowsComments: true)
        let expected: [[Scalar]] = [
            [.integer(1), .utf8("one")], [.integer(2), .utf8("/* no */")], [.integer(3), .utf8("//")],
        ]
        for chunk in [1, 5, 16, 33, 1000] {
            let source = FormatSource(
                TestBytes(text), JSONFormat(layout: .document, reading: options).chunked(chunk), codecs: [])
            let whole = try await source.readAll()
            #expect(whole.rows == expected)
            for (position, count) in zip(whole.positions, whole.counts) {
                let rest = try await source.readAll(from: position)
                #expect(rest.rows == Array(expected[count...]))
                #expect(rest.places == Array(whole.places[count...]))
            }
        }
        #expect(await failure { _ = try await read(text) }?.code == .malformedInput)
    }

    @Test("In lines a comment may stand inside a record or be a line of its own")
    func commentLines() async throws {
        let text = "// head\n{\"id\":1} // one\n  /* a */ // b\n{/* x */\"id\":2}\n/ broken\n"
        let options = JSONReadingOptions(allowsComments: true)
        let reading = try await read(text, JSONFormat(layout: .lines, reading: options))
        #expect(reading.rows == [[.integer(1)], [.integer(2)]])
        #expect(reading.rejects.map(\.place.line) == [5])
    }
}
