import HeadraceColumnar
import Testing

@Suite("Decimals as text")
struct DecimalTextTests {
    private func parse(_ text: String, _ precision: Int, _ scale: Int) -> Parsed<Int128> {
        let wide = withCell(text) { DecimalText.parse128($0, count: $1, precision: precision, scale: scale) }
        if precision <= 18 {
            let short = withCell(text) { DecimalText.parse64($0, count: $1, precision: precision, scale: scale) }
            #expect(Int128(short.value) == wide.value && short.problem == wide.problem, "\(text)")
        }
        return wide
    }

    @Test(
        "Text that fits the column is exact",
        arguments: [
            ("1234.56", 12, 2, 123_456), ("-1234.56", 12, 2, -123_456), ("+1.5", 12, 2, 150), ("0", 12, 2, 0),
            ("-0", 12, 2, 0), (".5", 12, 2, 50), ("5.", 12, 2, 500), ("-.05", 12, 2, -5), ("1e3", 12, 2, 100_000),
            ("1.5E-1", 12, 2, 15), ("150e-3", 12, 2, 15), ("1.500", 12, 2, 150), ("0.000000000000", 4, 2, 0),
            ("00000000000000000000000000000000000000000000099.99", 4, 2, 9999), ("12345678", 8, 0, 12_345_678),
            ("1234567.8", 8, 1, 12_345_678), (".12345678", 8, 8, 12_345_678),
            ("123456789012345.6", 18, 1, 1_234_567_890_123_456),
            ("12345678901234.56", 18, 2, 1_234_567_890_123_456), ("1.23456789012345", 18, 14, 123_456_789_012_345),
            ("99999999999999999999999999999999999999", 38, 0, 99_999_999_999_999_999_999_999_999_999_999_999_999),
            ("-0.00000000000000000000000000000000000001", 38, 38, -1), ("0e999999999999999999999", 5, 2, 0),
            ("0.001e5", 5, 2, 10_000), ("100000000000000000000e-20", 5, 2, 100),
            ("12345678901234567890e-10", 38, 10, 12_345_678_901_234_567_890),
        ] as [(String, Int, Int, Int128)])
    func exact(text: String, precision: Int, scale: Int, coefficient: Int128) {
        #expect(parse(text, precision, scale) == Parsed(coefficient))
    }

    @Test(
        "Text that is no number is malformed",
        arguments: [
            ".", "-", "+", "-.", "1.2.3", "1..2", "1,5", " 1", "1 ", "1e", "1e+", "e5", ".e1", "1e1.5", "1e1e1", "--1",
            "0x1", "NaN", "inf", "1234567a", "1234567890.12a4", "12345678.9012.45", "1/3", "1:2", "1_0", "$5",
        ])
    func malformed(text: String) {
        #expect(parse(text, 12, 2) == Parsed(0, .malformed))
    }

    @Test("What does not fit is told apart and never rounded")
    func misfits() {
        #expect(parse("", 12, 2) == Parsed(0, .empty))
        #expect(parse("1.234", 12, 2) == Parsed(0, .tooManyFractionDigits))
        #expect(parse("1e-3", 12, 2) == Parsed(0, .tooManyFractionDigits))
        #expect(parse("1e-99999999999999999999", 12, 2) == Parsed(0, .tooManyFractionDigits))
        #expect(parse("0.00000000000000000000000000000000000000000000001", 12, 2) == Parsed(0, .tooManyFractionDigits))
        #expect(parse("10000000000", 12, 2) == Parsed(0, .outOfRange))
        #expect(parse("9999999999.99", 12, 2) == Parsed(999_999_999_999))
        #expect(parse("-10000000000.00", 12, 2) == Parsed(0, .outOfRange))
        #expect(parse("10000000000.001", 12, 2) == Parsed(0, .outOfRange))
        #expect(parse("1e10", 12, 2) == Parsed(0, .outOfRange))
        #expect(parse("1e99999999999999999999", 12, 2) == Parsed(0, .outOfRange))
        #expect(parse("100", 4, 2) == Parsed(0, .outOfRange))
        #expect(parse("1", 2, 2) == Parsed(0, .outOfRange))
        #expect(parse("0.5", 1, 0) == Parsed(0, .tooManyFractionDigits))
        #expect(parse("123456789012345678901234567890123456789", 38, 0) == Parsed(0, .outOfRange))
        #expect(parse("1", 38, 38) == Parsed(0, .outOfRange))
        #expect(DecimalText.parse64([UInt8]().span, precision: 3, scale: 1) == Parsed(0, .empty))
        #expect(DecimalText.parse64(Array("1.5".utf8).span, precision: 3, scale: 1) == Parsed(15))
        #expect(DecimalText.parse128(Array("1.5".utf8).span, precision: 38, scale: 1) == Parsed(15))
    }

    /// Moves the point by hand, then compares digits; shares nothing with the parser.
    private func reference(_ text: String, _ precision: Int, _ scale: Int) -> Parsed<Int128> {
        let malformed = Parsed(Int128(0), text.isEmpty ? .empty : .malformed)
        let isNegative = text.hasPrefix("-")
        let parts = text.lowercased().split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
        let unsigned = parts.first.map { $0.first == "-" || $0.first == "+" ? $0.dropFirst() : $0 } ?? ""
        let halves = unsigned.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        var whole = String(halves.first ?? "")
        var fraction = halves.count > 1 ? String(halves[1]) : ""
        let exponent = parts.count > 1 ? Int(parts[1]) : 0
        guard let exponent, !(whole + fraction).isEmpty, (whole + fraction).allSatisfy({ $0 >= "0" && $0 <= "9" })
        else { return malformed }
        for _ in 0..<abs(exponent) {
            if exponent < 0 {
                fraction = String(whole.popLast() ?? "0") + fraction
            } else {
                whole.append(fraction.isEmpty ? "0" : fraction.removeFirst())
            }
        }
        while fraction.last == "0" { fraction.removeLast() }
        whole = String(whole.drop { $0 == "0" })
        if whole.count > precision - scale { return Parsed(0, .outOfRange) }
        if fraction.count > scale { return Parsed(0, .tooManyFractionDigits) }
        let digits = whole + fraction + String(repeating: "0", count: scale - fraction.count)
        return Parsed(Int128((isNegative ? "-" : "") + (digits.isEmpty ? "0" : digits)) ?? 0)
    }

    @Test("Random text is judged and read as moving the point by hand does")
    func fuzz() {
        var random = SplitMix(state: 11)
        let alphabet = Array("01234567890123456789000000.")
        let odd = Array("0123456789..eE+-/:a")
        for index in 0..<10_000 {
            let letters = index % 4 == 0 ? odd : alphabet
            var text = String(
                (0..<Int.random(in: 0...(index % 3 == 0 ? 45 : 18), using: &random)).map { _ in
                    letters[Int.random(in: 0..<letters.count, using: &random)]
                })
            if index % 5 == 0 { text = "-" + text }
            if index % 7 == 0 { text += "e\(Int.random(in: -30...30, using: &random))" }
            // The reference moves the point one place a step.
            if let exponent = text.lowercased().split(separator: "e").last, exponent.count > 4,
                text.count > exponent.count
            {
                continue
            }
            let precision = Int.random(in: 1...(index % 2 == 0 ? 18 : 38), using: &random)
            let scale = Int.random(in: 0...min(precision, index % 3 == 0 ? 38 : 4), using: &random)
            #expect(parse(text, precision, scale) == reference(text, precision, scale), "\(text) \(precision) \(scale)")
        }
    }

    private func format(_ coefficient: Int128, _ scale: Int) -> String {
        let text = formatted(capacity: DecimalText.capacity(scale: scale)) {
            DecimalText.format(coefficient, scale: scale, into: $0)
        }
        if let short = Int64(exactly: coefficient) {
            let same = formatted(capacity: DecimalText.capacity(scale: scale)) {
                DecimalText.format(short, scale: scale, into: $0)
            }
            #expect(same == text)
        }
        return text
    }

    @Test("Exactly the scale's digits are written")
    func format() {
        #expect(format(123_456, 2) == "1234.56")
        #expect(format(-5, 2) == "-0.05")
        #expect(format(0, 2) == "0.00")
        #expect(format(0, 0) == "0")
        #expect(format(-7, 0) == "-7")
        #expect(format(100, -2) == "10000")
        #expect(format(0, -2) == "0")
        #expect(format(-1, 18) == "-0.000000000000000001")
        #expect(format(1, 38) == "0.00000000000000000000000000000000000001")
        #expect(format(Int128(Int64.min), 2) == "-92233720368547758.08")
        #expect(format(Int128.min, 3) == "-170141183460469231731687303715884105.728")
        #expect(format(Int128.max, 50) == "0.00000000000170141183460469231731687303715884105727")
    }

    @Test("What is written is read back at every length and scale")
    func roundTrip() {
        var random = SplitMix(state: 12)
        for index in 0..<10_000 {
            let bits = UInt128(random.next()) << 64 | UInt128(random.next())
            let scale = index % 39
            let value = Int128(truncatingIfNeeded: bits >> UInt128(1 + index % 127)) * (index % 2 == 0 ? 1 : -1)
            guard DecimalMath.fits(value, precision: 38) else { continue }
            let text = format(value, scale)
            var digits = String(value.magnitude)
            digits = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
            let point = scale == 0 ? "" : "."
            #expect(text == (value < 0 ? "-" : "") + digits.dropLast(scale) + point + digits.suffix(scale))
            #expect(parse(text, 38, scale) == Parsed(value), "\(text)")
        }
    }
}
