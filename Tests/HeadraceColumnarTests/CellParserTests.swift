import HeadraceColumnar
import Testing

@Suite struct CellParserTests {
    private func parse<Parser: CellParser>(_ parser: Parser, _ text: String) -> (value: Parser.Value?, CellProblem?) {
        Array(text.utf8).withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return (nil, nil) }
            let parsed = parser.parse(base, bytes.count)
            return (parsed.valid, parsed.isValid ? nil : parser.explain(parsed.problem, base, bytes.count))
        }
    }

    @Test("Booleans have several words in any case, and no others")
    func booleans() {
        for word in ["true", "T", "Yes", "y", "1"] { #expect(parse(BooleanParser(), word).value == true) }
        for word in ["false", "F", "no", "N", "0"] { #expect(parse(BooleanParser(), word).value == false) }
        #expect(parse(BooleanParser(), "2") == (nil, .parse(.malformed)))
    }

    @Test("A number that a single-precision column cannot hold is out of range, not infinite")
    func floats() {
        #expect(parse(FloatParser(), "1e39") == (nil, .parse(.outOfRange)))
        #expect(parse(FloatParser(), "1.5").value == 1.5)
        #expect(parse(FloatParser(), "Infinity").value == .infinity)
    }

    @Test("Times have a zone if and only if their column has one; a date is its midnight without one")
    func zones() {
        #expect(parse(TimestampParser(hasZone: true), "2026-01-05T00:00:01Z").value == 1_767_571_201_000_000)
        #expect(parse(TimestampParser(hasZone: true), "2026-01-05T00:00:01") == (nil, .zoneMissing))
        #expect(parse(TimestampParser(hasZone: false), "2026-01-05T00:00:01Z") == (nil, .zoneUnexpected))
        #expect(parse(TimestampParser(hasZone: false), "2026-01-05").value == 1_767_571_200_000_000)
        #expect(parse(TimestampParser(hasZone: true), "2026-01-05").value == nil)
    }

    @Test("Decimals are held by the narrower parser up to 18 digits, by the wider beyond")
    func decimals() {
        #expect(parse(Decimal64Parser(precision: 5, scale: 2), "123.45").value == 12345)
        #expect(parse(Decimal64Parser(precision: 5, scale: 2), "1.234") == (nil, .parse(.tooManyFractionDigits)))
        #expect(
            parse(Decimal128Parser(precision: 20, scale: 0), "12345678901234567890").value == 12_345_678_901_234_567_890
        )
    }

    @Test("Hexadecimal text reads back what it writes, of either case, with and without its mark")
    func hexadecimal() {
        let bytes = (0...255).map { UInt8($0) }
        let text = bytes.withUnsafeBytes { HexText.text($0) }
        #expect(text.withUnsafeBytes { HexText.bytes($0) } == bytes)
        for (text, bytes) in [("", []), ("0x", []), ("0aFF", [10, 255]), ("abc", nil), ("0xzz", nil)]
            as [(String, [UInt8]?)]
        {
            #expect(Array(text.utf8).withUnsafeBytes { HexText.bytes($0) } == bytes)
        }
    }

    static let sentences: [(CellProblem, DataType, String, String)] = [
        (.missing, .int64, "missing", "column \"c\" (int64) is null and must not be"),
        (.badUTF8, .utf8, "badUTF8", "column \"c\" (utf8) holds bytes that are not UTF-8"),
        (.wrongShape, .json, "wrongShape", "column \"c\" (json) holds JSON of another shape"),
        (.parse(.outOfRange), .int8, "outOfRange", "column \"c\" (int8) cannot hold a value of this size"),
        (.parse(.invalidDate), .date32, "notADate", "column \"c\" (date32): the text names a day that does not exist"),
        (.parse(.malformed), .float64, "notANumber", "column \"c\": the text is not a float64"),
        (.parse(.malformed), .int64, "notAnInteger", "column \"c\": the text is not an int64"),
    ]

    @Test("A problem has a stable code by its column's type and one sentence", arguments: sentences)
    func described(_ problem: CellProblem, _ type: DataType, _ code: String, _ sentence: String) {
        let described = problem.described(for: Field("c", type))
        #expect(described == (code, sentence))
    }

    @Test("A list's values have the code of their own type")
    func lists() {
        let field = Field("c", .list(Field("item", .bool)))
        #expect(CellProblem.parse(.malformed).described(for: field).code == "notABoolean")
    }
}
