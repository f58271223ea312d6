import Foundation
import HeadraceCore
import Testing

/// What a cutter made of a stream: each record's text, taken from the bytes that the cutter asked to keep.
struct JSONCutResult: Equatable {
    var texts: [String] = []
    var bounds: [JSONRecordBounds] = []
    var error: JSONError?

    /// Cuts a stream that arrives in chunks of the given sizes, again and again, each in memory of its own size.
    init(
        _ stream: [UInt8], _ layout: JSONStreamCutter.Layout, chunks: [Int] = [1 << 20], trailingCommas: Bool = false,
        limit: Int = 1 << 20
    ) {
        var cutter = JSONStreamCutter(layout, allowsTrailingCommas: trailingCommas, maximumRecordBytes: limit)
        var kept: [UInt8] = []
        var keptFrom = 0
        var turn = 0
        var isOver = false
        while !isOver, error == nil {
            let position = cutter.offset
            let size = min(max(chunks[turn % chunks.count], 1), stream.count - position)
            turn += 1
            isOver = size == 0
            let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
            defer { chunk.deallocate() }
            chunk.copyBytes(from: stream[position..<position + size])
            kept += chunk
            do throws(JSONError) {
                if isOver {
                    try cutter.finish(into: &bounds)
                } else {
                    try cutter.scan(UnsafeRawBufferPointer(chunk), into: &bounds)
                }
            } catch {
                self.error = error
            }
            for record in bounds[texts.count...] {
                let start = record.offset - keptFrom
                let isKept = start >= 0 && start + record.length <= kept.count
                texts.append(
                    isKept ? String(decoding: kept[start..<start + record.length], as: UTF8.self) : "not kept")
            }
            if error == nil {
                kept.removeFirst(cutter.retainedFrom - keptFrom)
                keptFrom = cutter.retainedFrom
            }
        }
    }

    init(_ text: String, _ layout: JSONStreamCutter.Layout, trailingCommas: Bool = false, limit: Int = 1 << 20) {
        self.init(Array(text.utf8), layout, trailingCommas: trailingCommas, limit: limit)
    }
}

@Suite struct JSONStreamCutterTests {
    static let pretty = """
        {
          "meta": {"items": [0], "note": "a \\"quote\\\\", "deep": [[{"data": 1}]]},
          "data": {
            "count": 3,
            "items": [
              {"id": 1, "name": "x,]}"},
              [2, {"y": "\\\\"}],
              "three, \\" ]", 4.5 ,null,
              {}
            ],
            "after": true
          },
          "é": [{"z": [1]}]
        }

        """

    static let documents: [(String, JSONStreamCutter.Layout, [String])] = [
        ("{\"a\":1}\n[2]\r\n\r\n  3 \n\"x\"", .lines, ["{\"a\":1}", "[2]", "3", "\"x\""]),
        ("\u{FEFF}{\"a\":1\n}\n", .lines, ["{\"a\":1", "}"]),
        ("", .lines, []), (" \n\n", .lines, []), ("\u{FEFF}", .lines, []),
        ("\u{1E}[1]\n\u{1E}[2]\n", .lines, ["[1]", "[2]"]),
        (
            "{\"a\":\"}\"} [1]\n2 3\"x\\\"\"{}true\u{1E}null", .documents,
            ["{\"a\":\"}\"}", "[1]", "2", "3", "\"x\\\"\"", "{}", "true", "null"]
        ),
        ("  ", .documents, []), ("12", .documents, ["12"]),
        ("[[[]]]{\"a\":[{}]}", .documents, ["[[[]]]", "{\"a\":[{}]}"]),
        ("[1]", .records(at: .root), ["1"]), (" [ ] ", .records(at: .root), []),
        ("[[],{}]", .records(at: .root), ["[]", "{}"]),
        ("[ {\"a\":[1,2]} ,\n\t\"b,\" , 3,null ]\n", .records(at: .root), ["{\"a\":[1,2]}", "\"b,\"", "3", "null"]),
        ("{\"a\":[1,2]}", .records(at: .root), ["{\"a\":[1,2]}"]), ("null", .records(at: .root), []),
        ("7", .records(at: .root), ["7"]),
        ("\u{FEFF}[1]", .records(at: .root), ["1"]),
        (
            pretty, .records(at: path("/data/items")),
            [
                "{\"id\": 1, \"name\": \"x,]}\"}", "[2, {\"y\": \"\\\\\"}]", "\"three, \\\" ]\"", "4.5", "null", "{}",
            ]
        ),
        (
            pretty, .records(at: path("$.data.items[*]")),
            [
                "{\"id\": 1, \"name\": \"x,]}\"}", "[2, {\"y\": \"\\\\\"}]", "\"three, \\\" ]\"", "4.5", "null", "{}",
            ]
        ),
        (pretty, .records(at: path("/data/items/0")), ["{\"id\": 1, \"name\": \"x,]}\"}"]),
        (pretty, .records(at: path("/data/items/1")), ["2", "{\"y\": \"\\\\\"}"]),
        (pretty, .records(at: path("$['é'][0].z")), ["1"]),
        (pretty, .records(at: path("/meta/deep/*/*")), ["{\"data\": 1}"]),
        (#"{"d\u0061ta":{"a\/b":{"~":[1]}}}"#, .records(at: path("/data/a~1b/~0")), ["1"]),
        (#"{"a":[1],"b":3,"a":[2]}"#, .records(at: path("/a")), ["1", "2"]),
        (#"{"a":null}"#, .records(at: path("/a")), []),
        (#"[{"r":[1,2]},{"x":0},{"r":[3]},5]"#, .records(at: path("/*/r")), ["1", "2", "3"]),
    ]

    static func path(_ text: String) -> JSONRecordPath {
        do { return try JSONRecordPath(text) } catch { preconditionFailure("\(error)") }
    }

    @Test(arguments: documents) func `records are found wherever the stream is split`(
        text: String, layout: JSONStreamCutter.Layout, expected: [String]
    ) {
        let stream = Array(text.utf8)
        let whole = JSONCutResult(stream, layout)
        #expect(whole.texts == expected)
        #expect(whole.error == nil)
        for (ordinal, record) in whole.bounds.enumerated() {
            #expect(record.ordinal == ordinal)
            #expect(record.line == 1 + stream[..<record.offset].count { $0 == 0x0A })
            #expect(!record.isOversized)
        }
        for split in 0...stream.count {
            #expect(JSONCutResult(stream, layout, chunks: [split, stream.count]) == whole)
        }
        for size in [1, 2, 3, 7, 63, 64, 65] { #expect(JSONCutResult(stream, layout, chunks: [size]) == whole) }
    }

    @Test func `random documents give the same records as a reader that has the whole of them`() throws {
        var random = JSONSeededGenerator(11)
        for round in 0..<400 {
            let elements = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                JSONValue.random(depth: 3, using: &random)
            }
            let other = JSONValue.random(depth: 3, using: &random)
            let isPretty = round % 2 == 0
            let cases: [(JSONStreamCutter.Layout, String)] = [
                (.lines, elements.map { $0.compactText + "\n" }.joined()),
                (.documents, elements.map { (isPretty ? $0.prettyText : $0.compactText) + " " }.joined()),
                (
                    .records(at: .root),
                    isPretty ? JSONValue.array(elements).prettyText : JSONValue.array(elements).compactText
                ),
                (
                    .records(at: Self.path("/a/1/b")),
                    JSONValue.object([
                        ("x", other), ("a", [other, ["c": other, "b": .array(elements), "d": other]]), ("y", other),
                    ]).prettyText
                ),
            ]
            for (layout, text) in cases {
                let sizes = (0..<5).map { _ in Int.random(in: 1...100, using: &random) }
                let cut = JSONCutResult(Array(text.utf8), layout, chunks: sizes)
                #expect(cut.error == nil)
                #expect(try cut.texts.map { try JSONValue.parse($0) } == elements)
                #expect(cut == JSONCutResult(text, layout))
            }
        }
    }

    @Test func `damaged streams never crash and fail or cut the same however they are split`() {
        var random = JSONSeededGenerator(5)
        for round in 0..<1500 {
            let (text, layout, _) = Self.documents[round % Self.documents.count]
            let damaged = jsonMutated(Array(text.utf8), using: &random)
            let whole = JSONCutResult(damaged, layout)
            let split = JSONCutResult(
                damaged, layout, chunks: (0..<4).map { _ in Int.random(in: 1...40, using: &random) })
            #expect(split.bounds == whole.bounds)
            #expect(split.error?.code == whole.error?.code)
            #expect(split.error?.offset == whole.error?.offset)
            #expect(split.error?.line == whole.error?.line)
        }
    }

    @Test func `a stream cut short is an error, wherever it stops`() {
        let layout = JSONStreamCutter.Layout.records(at: Self.path("/data/items"))
        let stream = Array(Self.pretty.utf8)
        for length in 0..<stream.count - 2 {
            let cut = JSONCutResult(Array(stream[..<length]), layout, chunks: [50])
            #expect(cut.error?.code == .unexpectedEnd)
            #expect(cut.error?.offset == length)
        }
    }

    @Test(arguments: [
        (
            "[1", JSONStreamCutter.Layout.records(at: .root),
            "the stream ends inside record 1, which begins at byte 1 at line 1 (byte 2)"
        ),
        ("[1,", .records(at: .root), "the stream ends inside the array of records, after record 1 at line 1 (byte 3)"),
        ("\n", .records(at: .root), "the stream ends before it holds a value at line 2 (byte 1)"),
        ("1\n{\"a\":", .documents, "the stream ends inside record 2, which begins at byte 2 at line 2 (byte 7)"),
        ("[1,,2]", .records(at: .root), "expected a value, found ',' at line 1, column 4 (byte 3)"),
        ("[1,]", .records(at: .root), "expected a value, found ']' at line 1, column 4 (byte 3)"),
        ("[1}", .records(at: .root), "expected ',' or ']' after an element, found '}' at line 1, column 3 (byte 2)"),
        ("[1]\n[2]", .records(at: .root), "expected nothing after the value, found '[' at line 2, column 1 (byte 4)"),
        (
            #"{"data":{"list":[]}}"#, .records(at: path("/data/items")),
            "record path /data/items leads to nothing, the document has no /data/items at line 1 (byte 20)"
        ),
        (
            #"{"date":1}"#, .records(at: path("/data/items")),
            "record path /data/items leads to nothing, the document has no /data at line 1 (byte 10)"
        ),
        (
            "{\n\"data\":12}", .records(at: path("/data")),
            "record path /data leads to a number, expected an array or an object at line 2, column 8 (byte 9)"
        ),
        ("{\"a\" 1}", .records(at: path("/a")), "expected ':' after a name, found '1' at line 1, column 6 (byte 5)"),
        ("{\"b\":}", .records(at: path("/a")), "expected a value, found '}' at line 1, column 6 (byte 5)"),
        (
            "{\"b\":1 2}", .records(at: path("/a")),
            "expected ',' or '}' after a member, found '2' at line 1, column 8 (byte 7)"
        ),
        (
            "{\"b\":1,}", .records(at: path("/a")),
            "expected a name in '\"' after ',', found '}' at line 1, column 8 (byte 7)"
        ),
    ])
    func `an error says what is wrong and where`(text: String, layout: JSONStreamCutter.Layout, expected: String) {
        #expect(JSONCutResult(text, layout).error?.description == expected)
    }

    @Test func `trailing commas pass when asked for`() {
        for text in ["[1,]", "[{\"a\":1} , ]"] {
            #expect(JSONCutResult(text, .records(at: .root), trailingCommas: true).texts.count == 1)
        }
        #expect(JSONCutResult("[1,,]", .records(at: .root), trailingCommas: true).error != nil)
        #expect(JSONCutResult("[,]", .records(at: .root)).error != nil)
        let nested = JSONCutResult(#"{"a":[{"b":[1,],},],}"#, .records(at: Self.path("/a/*/b")), trailingCommas: true)
        #expect(nested.texts == ["1"])
        #expect(nested.error == nil)
    }

    @Test func `a record beyond the limit is reported, not kept, and harms no other`() {
        let long = "\"" + String(repeating: "x", count: 1000) + "\""
        for (layout, text) in [
            (JSONStreamCutter.Layout.lines, "1\n\(long)\n2\n"), (.documents, "1 \(long) 2"),
            (.records(at: .root), "[1,\(long),2]"),
        ] {
            let cut = JSONCutResult(Array(text.utf8), layout, chunks: [64], limit: 100)
            #expect(cut.bounds.map(\.length) == [1, 1002, 1])
            #expect(cut.bounds.map(\.isOversized) == [false, true, false])
            #expect(cut.texts == ["1", "not kept", "2"])
        }
    }

    @Test func `what looks like UTF-16 or a broken byte order mark is noticed`() {
        for layout in [JSONStreamCutter.Layout.lines, .documents, .records(at: .root)] {
            #expect(JSONCutResult([0xFF, 0xFE, 0x5B, 0], layout).error?.code == .wrongEncoding)
            #expect(JSONCutResult([0, 0x5B], layout).error?.code == .wrongEncoding)
        }
        for stream: [UInt8] in [[0xEF, 0xBB, 0x31, 0x0A], [0xEF], [0xEF, 0xBB]] {
            for size in [1, 2, 3] {
                #expect(JSONCutResult(stream, .lines, chunks: [size]).bounds.count == 1)
                #expect(JSONCutResult(stream, .documents, chunks: [size]).bounds.count == 1)
                #expect(JSONCutResult(stream, .records(at: .root), chunks: [size]).error != nil)
            }
        }
    }

    @Test func `cutting goes on from every position that is reported`() throws {
        for (text, layout, expected) in Self.documents {
            let stream = Array(text.utf8)
            for split in 0...stream.count {
                var before: [JSONRecordBounds] = []
                var cutter = JSONStreamCutter(layout)
                try stream[..<split].withUnsafeBytes { try cutter.scan($0, into: &before) }
                guard let reported = cutter.position else { continue }
                let position = try #require(JSONCutPosition(try JSONValue.parse(reported.json.compactText)))
                #expect(position == reported)
                var resumed = JSONStreamCutter(layout, from: position)
                var after: [JSONRecordBounds] = []
                try stream[position.offset...].withUnsafeBytes { try resumed.scan($0, into: &after) }
                try resumed.finish(into: &after)
                let all = before + after
                let texts = all.map { String(decoding: stream[$0.offset..<$0.offset + $0.length], as: UTF8.self) }
                #expect(texts == expected)
                #expect(all == JSONCutResult(stream, layout).bounds)
            }
        }
        #expect(JSONCutPosition(["offset": 1]) == nil)
        #expect(JSONCutPosition(["offset": 1, "line": 1, "record": 0, "trail": ["x"]]) == nil)
    }

    @Test func `comments become spaces wherever the stream is split`() throws {
        let text = "// \"a\"\n{\"a\":[1,/*]*/2 //,3\n,\"//\\\"/*\"/***/]}\n/* x\ny */"
        let expected = "      \n{\"a\":[1,     2     \n,\"//\\\"/*\"     ]}\n    \n    "
        for split in 0...text.utf8.count {
            var bytes = Array(text.utf8)
            var blanker = JSONCommentBlanker()
            try bytes[..<split].withUnsafeMutableBytes { try blanker.blank($0) }
            try bytes[split...].withUnsafeMutableBytes { try blanker.blank($0) }
            try blanker.finish()
            #expect(try JSONValue.parse(bytes) == ["a": [1, 2, "//\"/*"]])
            #expect(String(decoding: bytes, as: UTF8.self) == expected)
        }
        for (wrong, code) in [
            ("1/2", JSONError.Code.unexpectedByte), ("1/", .unexpectedEnd), ("[\n/*1", .unterminatedComment),
        ] {
            let error = #expect(throws: JSONError.self) {
                var bytes = Array(wrong.utf8)
                var blanker = JSONCommentBlanker()
                try bytes.withUnsafeMutableBytes { try blanker.blank($0) }
                try blanker.finish()
            }
            #expect(error?.code == code)
            #expect(error?.line == (code == .unterminatedComment ? 2 : 1))
        }
    }
}
