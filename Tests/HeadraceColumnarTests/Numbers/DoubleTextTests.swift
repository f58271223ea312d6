import HeadraceColumnar
import Testing

@Suite("Floating point numbers as text")
struct DoubleTextTests {
    private func parse(_ text: String, nonFinite: Bool = false) -> Parsed<Double> {
        withCell(text) { DoubleText.parse($0, count: $1, allowsNonFinite: nonFinite) }
    }

    private func format(_ value: Double) -> String {
        formatted(capacity: DoubleText.capacity) { DoubleText.format(value, into: $0) }
    }

    @Test(
        "Numbers are rounded to the nearest double",
        arguments: [
            ("0", 0), ("1", 1), ("-1.5", -1.5), ("+2", 2), (".5", 0.5), ("5.", 5), ("1e3", 1000), ("1E-2", 0.01),
            ("0.1", 0.1), ("3.141592653589793238462643", Double.pi), ("1e22", 1e22), ("1e23", 1e23),
            ("123456789012345678", 123_456_789_012_345_680), ("9007199254740993", 9_007_199_254_740_992),
            ("9007199254740993.00000000000000000000000000000000001", 9_007_199_254_740_994),
            ("1.7976931348623157e308", Double.greatestFiniteMagnitude), ("5e-324", Double.leastNonzeroMagnitude),
            ("2e-324", 0), ("1e-400", 0), ("0e99999", 0),
            ("2.2250738585072011e-308", Double.leastNormalMagnitude.nextDown),
            ("1000000000000000000000000e-24", 1), ("00000000000000000000000000000000000000000000001.5", 1.5),
        ])
    func reads(text: String, value: Double) {
        #expect(parse(text) == Parsed(value))
    }

    @Test(
        "What is no plain decimal number is malformed",
        arguments: [
            ".", "-", "+", "e5", ".e5", "1e", "1e+", "1e5.", "1.2.3", "1 ", " 1", "0x1p3", "1_000", "1,5", "--1",
            "1d3", "nan", "inf", "infinity", "NaN", "1e5e5",
        ])
    func refuses(text: String) {
        #expect(parse(text) == Parsed(0, .malformed))
    }

    @Test("Too large a number is out of range and no bytes are empty")
    func range() {
        #expect(parse("1e309") == Parsed(0, .outOfRange))
        #expect(parse("-1e99999999999999999999999") == Parsed(0, .outOfRange))
        #expect(parse("") == Parsed(0, .empty))
        #expect(parse("-0").value.sign == .minus)
        #expect(DoubleText.parse(Array("1.5".utf8).span) == Parsed(1.5))
        #expect(DoubleText.parse([UInt8]().span) == Parsed(0, .empty))
    }

    @Test("Infinities and NaN are read only when asked for")
    func nonFinite() {
        #expect(parse("Infinity", nonFinite: true) == Parsed(.infinity))
        #expect(parse("-inf", nonFinite: true) == Parsed(-.infinity))
        #expect(parse("+INF", nonFinite: true) == Parsed(.infinity))
        #expect(parse("NaN", nonFinite: true).value.isNaN)
        #expect(parse("-nan", nonFinite: true).isValid)
        for text in ["in", "infi", "nanx", "+", "-", "", "--inf", "Inf1", "n\u{1}n"] {
            #expect(parse(text, nonFinite: true).isValid == false, "\(text)")
        }
    }

    @Test("Written text is the shortest that reads back, and always shows that it is no integer")
    func format() {
        let cases: [(Double, String)] = [
            (0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-1234.5, "-1234.5"), (0.1, "0.1"), (0.001, "0.001"),
            (123_456_789.25, "123456789.25"), (999_999_999.999999, "999999999.999999"), (1e15, "1000000000000000.0"),
            (1e16, "1e+16"), (1e-7, "1e-07"), (Double.leastNonzeroMagnitude, "5e-324"), (0.3, "0.3"),
            (0.1 + 0.2, "0.30000000000000004"),
            (Double.greatestFiniteMagnitude, "1.7976931348623157e+308"), (.nan, "NaN"), (.infinity, "Infinity"),
            (-.infinity, "-Infinity"),
        ]
        for (value, text) in cases { #expect(format(value) == text) }
    }

    @Test("Any double is written as Swift describes it and read back")
    func roundTrip() {
        var random = SplitMix(state: 3)
        for index in 0..<30_000 {
            let value: Double
            switch index % 4 {
            case 0: value = Double(bitPattern: random.next())
            case 1: value = Double(Int64.random(in: -10_000_000_000...10_000_000_000, using: &random)) / 100
            case 2: value = Double.random(in: -2...2, using: &random)
            default: value = Double(Int.random(in: 0...9_999_999, using: &random)) / 10_000_000
            }
            guard value.isFinite else { continue }
            let text = format(value)
            #expect(text == value.description)
            #expect(parse(text).value.bitPattern == value.bitPattern, "\(text)")
        }
    }

    @Test("Random text is judged and rounded as Swift does")
    func fuzz() {
        var random = SplitMix(state: 4)
        let alphabet = Array("0123456789012345678901234567890123456789..eE-+")
        for _ in 0..<30_000 {
            let text = String(
                (0..<Int.random(in: 1...24, using: &random)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                })
            let parsed = parse(text)
            let expected = Double(text)
            if let expected, expected.isFinite {
                #expect(parsed == Parsed(expected), "\(text)")
            } else {
                #expect(!parsed.isValid, "\(text)")
            }
        }
    }
}
