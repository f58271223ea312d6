import Foundation
import HeadraceCore
import Testing

@Suite struct JSONTokenizerTests {
    /// Every token with its bytes, or the error.
    private func tokens(_ text: String, _ options: JSONReadingOptions = .strict) throws -> [String] {
        try Array(text.utf8).withUnsafeBytes { bytes in
            var tokenizer = JSONTokenizer(bytes, options: options)
            var found: [String] = []
            while true {
                let token = try tokenizer.next()
                if token == .end { return found }
                switch token {
                case .number: found.append("\(tokenizer.numberShape) \(tokenizer.text)")
                case .key, .string: found.append("\(token) \(tokenizer.text)")
                default: found.append("\(token)")
                }
            }
        }
    }

    private func error(_ text: String, _ options: JSONReadingOptions = .strict) -> JSONError? {
        error(Array(text.utf8), options)
    }

    private func error(_ text: [UInt8], _ options: JSONReadingOptions = .strict) -> JSONError? {
        text.withUnsafeBytes { bytes in
            var tokenizer = JSONTokenizer(bytes, options: options)
            do throws(JSONError) {
                while try tokenizer.next() != .end {}
                return nil
            } catch {
                return error
            }
        }
    }

    @Test func `a document becomes its tokens in order`() throws {
        let text = #" {"a" : [1, -2.5, 3e9, "x\ny"], "b":{}, "":[ ],"c":true,"d":false, "e":null } "#
        #expect(
            try tokens(text) == [
                "objectStart", "key a", "arrayStart", "integer 1", "fraction -2.5", "exponent 3e9", "string x\ny",
                "arrayEnd", "key b", "objectStart", "objectEnd", "key ", "arrayStart", "arrayEnd", "key c", "true",
                "key d", "false", "key e", "null", "objectEnd",
            ])
    }

    @Test(arguments: [
        (#""\u0041\u00e9\u6f22\ud83d\ude00""#, "Aé漢😀"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#""\uD83D\uDE00\u0000z""#, "😀\u{0}z"), ("\"plain é漢😀 text\"", "plain é漢😀 text"), ("\"\"", ""),
        (#""12345678\t""#, "12345678\t"), (#""1234567\\""#, "1234567\\"), ("\"\u{7F}\u{2028}\"", "\u{7F}\u{2028}"),
    ])
    func `the text of a string has its escapes resolved`(text: String, expected: String) throws {
        #expect(try tokens(text) == ["string " + expected])
    }

    @Test func `half a surrogate pair is refused or replaced as the options say`() throws {
        let texts = [
            (#""\ud800""#, "\u{FFFD}"), (#""\udc00x""#, "\u{FFFD}x"), (#""\ud800\ud800\udc00""#, "\u{FFFD}\u{10000}"),
            (#""\ud800\n""#, "\u{FFFD}\n"), (#""\udc00\ud800""#, "\u{FFFD}\u{FFFD}"), (#""\ud800\u0041""#, "\u{FFFD}A"),
        ]
        for (text, replaced) in texts {
            #expect(error(text)?.code == .loneSurrogate)
            #expect(try tokens(text, .init(loneSurrogates: .replaced)) == ["string " + replaced])
        }
    }

    @Test(arguments: [
        ("", "unexpectedEnd: expected a value, found the end of the input at line 1, column 1 (byte 0)"),
        ("{\"a\":1\n x", "unexpectedByte: expected ',' or '}' after a member, found 'x' at line 2, column 2 (byte 8)"),
        ("[1 2]", "unexpectedByte: expected ',' or ']' after an element, found '2' at line 1, column 4 (byte 3)"),
        ("[\"é\",é]", "unexpectedByte: expected a value, found 'é' at line 1, column 6 (byte 6)"),
        ("{1:2}", "unexpectedByte: expected a name in '\"' or '}', found '1' at line 1, column 2 (byte 1)"),
        ("{\"a\":1,}", "unexpectedByte: expected a name in '\"' after ',', found '}' at line 1, column 8 (byte 7)"),
        ("{\"a\" 1}", "unexpectedByte: expected ':' after a name, found '1' at line 1, column 6 (byte 5)"),
        ("[1,]", "unexpectedByte: expected a value, found ']' at line 1, column 4 (byte 3)"),
        ("[01]", "invalidNumber: a number begins with 0 and another digit at line 1, column 2 (byte 1)"),
        ("[1.]", "invalidNumber: expected a digit after the decimal point, found ']' at line 1, column 4 (byte 3)"),
        ("-", "unexpectedEnd: expected a digit after '-', found the end of the input at line 1, column 2 (byte 1)"),
        ("[nul]", "invalidLiteral: expected null, found ']' at line 1, column 5 (byte 4)"),
        (
            "[\"a",
            "unexpectedEnd: expected '\"' at the end of a string, found the end of the input at line 1, column 4 (byte 3)"
        ),
        (
            "[\"\t\"]",
            "controlCharacterInString: expected control characters in strings to be escaped, found byte 0x09 at line 1, column 3 (byte 2)"
        ),
        (
            #"["\x"]"#,
            "invalidEscape: expected one of \"\\/bfnrtu after a backslash, found 'x' at line 1, column 4 (byte 3)"
        ),
        (
            #"["\u00g0"]"#,
            "invalidEscape: expected four hexadecimal digits after \\u, found 'g' at line 1, column 7 (byte 6)"
        ),
        ("{} {}", "trailingContent: expected nothing after the value, found '{' at line 1, column 4 (byte 3)"),
        ("'a'", "unexpectedByte: expected a value, found \"'\" at line 1, column 1 (byte 0)"),
    ])
    func `an error says what was expected, what was found and where`(text: String, expected: String) throws {
        let found = try #require(error(text))
        #expect("\(found.code.rawValue): \(found)" == expected)
    }

    @Test func `UTF-16 is named as such`() {
        #expect(error(Array("[1]".utf16).flatMap { [UInt8($0 & 255), 0] })?.code == .wrongEncoding)
        #expect(error(Array("[1]".utf16).flatMap { [0, UInt8($0 & 255)] })?.code == .wrongEncoding)
        #expect(error([0xFF, 0xFE, 0x5B, 0, 0x5D, 0])?.code == .wrongEncoding)
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE2, 0x82],
            [0xED, 0xA0, 0x80],
            [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xF0, 0x9F, 0x98],
        ] as [[UInt8]])
    func `bytes that are not UTF-8 are refused wherever they stand`(bytes: [UInt8]) {
        for prefix in ["", "1234567", "12345678", "é"] {
            #expect(error([0x22] + Array(prefix.utf8) + bytes + [0x22])?.code == .invalidUTF8)
        }
    }

    @Test func `depth is bounded exactly`() {
        for depth in [1, 63, 64, 65, 128, 512] {
            let options = JSONReadingOptions(maximumDepth: depth)
            let text = { (n: Int) in
                String(repeating: #"{"a":["#, count: n / 2) + String(repeating: "[", count: n % 2)
                    + String(repeating: "]", count: n % 2) + String(repeating: "]}", count: n / 2)
            }
            #expect(error(text(depth), options) == nil)
            #expect(error(text(depth + 1), options)?.code == .tooDeep)
        }
        #expect(error(String(repeating: "[", count: 100_000))?.code == .tooDeep)
    }

    @Test func `a closing bracket of the other kind is refused at every depth`() {
        for depth in [0, 1, 62, 63, 64, 65, 127, 128, 200] {
            let open = String(repeating: "[", count: depth)
            let close = String(repeating: "]", count: depth)
            #expect(error(open + "{}" + close) == nil)
            #expect(error(open + "{]" + close) != nil)
            #expect(error(open + "[{\"a\":1]}" + close) != nil)
        }
    }

    @Test func `leniencies are off by default and each works when asked for`() throws {
        #expect(error("[NaN]") != nil)
        #expect(error("[1,]") != nil)
        #expect(error("[1/**/]") != nil)
        #expect(
            try tokens("[NaN,-Infinity,Infinity,-1]", .init(allowsNonFiniteNumbers: true)) == [
                "arrayStart", "nonFinite NaN", "nonFinite -Infinity", "nonFinite Infinity", "integer -1", "arrayEnd",
            ])
        let trailing = JSONReadingOptions(allowsTrailingCommas: true)
        #expect(try tokens(#"[{"a":1,},]"#, trailing).count == 6)
        for text in ["[,]", "{,}", "[1,,]", "[1,}"] { #expect(error(text, trailing) != nil) }
        let comments = JSONReadingOptions(allowsComments: true)
        #expect(
            try tokens("// a\n[1/*,\"*/,//x\n2 ]//", comments) == ["arrayStart", "integer 1", "integer 2", "arrayEnd"])
        #expect(error("[1/*", comments)?.code == .unterminatedComment)
        #expect(error("[1/2]", comments)?.code == .unexpectedByte)
    }

    @Test func `a byte order mark is skipped once`() {
        #expect(error("\u{FEFF}[]") == nil)
        #expect(error("\u{FEFF}\u{FEFF}[]") != nil)
        #expect(error("\u{FEFF}") != nil)
    }

    @Test func `values can be skipped and captured whole`() throws {
        let text = #"{"a":{"x":[1,{"y":"}]\"{"}]} , "b":"s\"t","c":-1.5,"d":[]}"#
        try Array(text.utf8).withUnsafeBytes { bytes in
            for validating in [true, false] {
                var tokenizer = JSONTokenizer(bytes)
                var found: [String] = []
                _ = try tokenizer.next()
                while try tokenizer.next() == .key {
                    let name = tokenizer.text
                    let range =
                        validating ? try tokenizer.validate(try tokenizer.next()) : try tokenizer.skipValue()
                    found.append(name + "=" + String(decoding: bytes[range], as: UTF8.self))
                }
                #expect(found == [#"a={"x":[1,{"y":"}]\"{"}]}"#, #"b="s\"t""#, "c=-1.5", "d=[]"])
                #expect(try tokenizer.next() == .end)
            }
        }
    }

    @Test func `skipping agrees with reading token by token on random values`() throws {
        var random = JSONSeededGenerator(7)
        for _ in 0..<500 {
            let value = JSONValue.array([.random(depth: 5, using: &random), 1])
            let text = Array((Bool.random(using: &random) ? value.compactText : value.prettyText).utf8)
            try text.withUnsafeBytes { bytes in
                var skipping = JSONTokenizer(bytes)
                var reading = JSONTokenizer(bytes)
                #expect(try skipping.next() == reading.next())
                let skipped = try skipping.skip(try skipping.next())
                let read = try reading.validate(try reading.next())
                #expect(skipped == read)
                #expect(try skipping.next() == .number)
                #expect(try skipping.next() == .arrayEnd)
                #expect(try skipping.next() == .end)
            }
        }
    }

    @Test func `the fast reader accepts what the grammar accepts, on damaged texts too`() {
        var random = JSONSeededGenerator(1)
        var accepted = 0
        for _ in 0..<4000 {
            let text = Array(JSONValue.random(depth: 3, using: &random).compactText.utf8)
            let damaged = jsonMutated(text, using: &random)
            let fast = error(damaged) == nil
            #expect(
                fast == JSONReference.accepts(damaged), "\(String(decoding: damaged, as: UTF8.self).debugDescription)")
            accepted += fast ? 1 : 0
            #expect(error(text) == nil)
        }
        #expect((400...3600).contains(accepted), "the mutations no longer make both kinds of text")
    }

    @Test func `JSONTestSuite: y is accepted, n is refused, i never crashes`() throws {
        guard let folder = try JSONSuites.folder("json-test-suite/test_parsing") else { return }
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        var counts: [Character: Int] = [:]
        for file in files where file.pathExtension == "json" {
            let name = file.lastPathComponent
            let text = [UInt8](try Data(contentsOf: file))
            let failure = error(text)
            counts[name.first ?? " ", default: 0] += 1
            switch name.first {
            case "y": #expect(failure == nil, "\(name)")
            case "n": #expect(failure != nil, "\(name)")
            default: #expect((failure == nil) == JSONReference.accepts(text), "\(name)")
            }
        }
        #expect(counts == ["y": 95, "n": 188, "i": 35])
    }
}
