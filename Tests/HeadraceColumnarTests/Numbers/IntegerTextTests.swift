import HeadraceColumnar
import Testing

@Suite("Integers as text")
struct IntegerTextTests {
    @Test(
        "Text that is an integer is read",
        arguments: [
            ("0", 0), ("7", 7), ("-7", -7), ("+7", 7), ("-0", 0), ("0007", 7), ("12345678", 12_345_678),
            ("123456789", 123_456_789), ("-1234567890123456", -1_234_567_890_123_456),
            ("12345678901234567", 12_345_678_901_234_567), ("9223372036854775807", Int64.max),
            ("-9223372036854775808", Int64.min), ("000000000000000000000000000012", 12),
        ])
    func reads(text: String, value: Int64) {
        let parsed = withCell(text) { IntegerText.parse($0, count: $1, as: Int64.self) }
        #expect(parsed == Parsed(value))
    }

    @Test(
        "Text that is no integer is malformed",
        arguments: [
            "-", "+", "--1", "1-", " 1", "1 ", "1.0", "1e3", "0x10", "١", "1,000", "12345678a", "a2345678",
            "1234567890a23456", "123456789012345678901a", "/", ":", "1/", "1:",
        ])
    func refuses(text: String) {
        let parsed = withCell(text) { IntegerText.parse($0, count: $1, as: Int64.self) }
        #expect(parsed == Parsed(0, .malformed))
    }

    @Test("No bytes at all is empty, a zero byte is malformed")
    func empty() {
        for text in ["\u{0}", "12\u{0}", "\u{0}12345678"] {
            #expect(withCell(text) { IntegerText.parse($0, count: $1, as: Int64.self) }.problem == .malformed)
        }
        #expect(withCell("") { IntegerText.parse($0, count: $1, as: Int64.self) } == Parsed(0, .empty))
        #expect(IntegerText.parse([UInt8]().span, as: Int32.self) == Parsed(0, .empty))
        #expect(IntegerText.parse(Array("42".utf8).span, as: Int32.self) == Parsed(42))
    }

    private func checkLimits<Value: FixedWidthInteger & BitwiseCopyable & Sendable>(of type: Value.Type) {
        func parse(_ text: String) -> Parsed<Value> { withCell(text) { IntegerText.parse($0, count: $1, as: type) } }
        #expect(parse("\(Value.max)") == Parsed(Value.max))
        #expect(parse("\(Value.min)") == Parsed(Value.min))
        #expect(parse("\(Int128(Value.max) + 1)") == Parsed(0, .outOfRange))
        #expect(parse("\(Int128(Value.min) - 1)") == Parsed(0, .outOfRange))
        #expect(parse("99999999999999999999999") == Parsed(0, .outOfRange))
        #expect(parse("-99999999999999999999999") == Parsed(0, .outOfRange))
        #expect(parse("-0") == Parsed(0))
        for value in [Value.min, Value.max, 0, 1, 9, 10, 99, 100] {
            #expect(formatted(capacity: IntegerText.capacity) { IntegerText.format(value, into: $0) } == "\(value)")
        }
    }

    @Test("Every width knows its limits")
    func limits() {
        checkLimits(of: Int8.self)
        checkLimits(of: Int16.self)
        checkLimits(of: Int32.self)
        checkLimits(of: Int64.self)
        checkLimits(of: UInt8.self)
        checkLimits(of: UInt16.self)
        checkLimits(of: UInt32.self)
        checkLimits(of: UInt64.self)
    }

    @Test("Values of every length are written as Swift writes them and read back")
    func roundTrip() {
        var random = SplitMix(state: 1)
        for index in 0..<20_000 {
            let bits: UInt64 = random.next() >> UInt64(index % 64)
            let value = Int64(bitPattern: bits)
            let text = formatted(capacity: IntegerText.capacity) { IntegerText.format(value, into: $0) }
            #expect(text == "\(value)")
            #expect(withCell(text) { IntegerText.parse($0, count: $1, as: Int64.self) } == Parsed(value))
            let unsigned = formatted(capacity: IntegerText.capacity) { IntegerText.format(bits, into: $0) }
            #expect(unsigned == "\(bits)")
            #expect(withCell(unsigned) { IntegerText.parse($0, count: $1, as: UInt64.self) } == Parsed(bits))
        }
    }

    @Test("Random short bytes are judged as Swift judges them")
    func fuzz() {
        var random = SplitMix(state: 2)
        let alphabet = Array("0123456789012345678901234567890123456789-+./:eE ")
        for _ in 0..<20_000 {
            let text = String(
                (0..<Int.random(in: 1...22, using: &random)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                })
            let parsed = withCell(text) { IntegerText.parse($0, count: $1, as: Int64.self) }
            #expect(parsed.valid == Int64(text), "\(text)")
        }
    }
}
