import HeadraceColumnar
import Testing

@Suite("Timestamps as text")
struct TimestampTextTests {
    private func parse(_ text: String) -> ParsedTimestamp { withCell(text) { TimestampText.parse($0, count: $1) } }

    private func parse(_ bytes: [UInt8]) -> ParsedTimestamp { TimestampText.parse(bytes.span) }

    @Test(
        "Every accepted form of the same instant is read alike",
        arguments: [
            "2026-11-21T10:00:00Z", "2026-11-21t10:00:00z", "2026-11-21 10:00:00Z", "2026-11-21T10:00Z",
            "2026-11-21T10:00:00.0Z", "2026-11-21T10:00:00.000000000Z", "2026-11-21T12:00:00+02",
            "2026-11-21T12:00:00+0200",
            "2026-11-21 12:00:00+02:00", "2026-11-21T04:30:00-05:30", "2026-11-22T09:59+23:59",
            "2026-11-21T10:00:00-00:00",
            "+2026-11-21T10:00:00Z", "2026-11-21T10:00:00,000Z",
        ])
    func zoned(text: String) {
        #expect(parse(text) == ParsedTimestamp(1_795_255_200_000_000, hasZone: true))
    }

    @Test("Without a zone the clock on the wall is kept")
    func unzoned() {
        for text in ["2026-11-21T10:00:00", "2026-11-21 10:00:00", "2026-11-21t10:00", "2026-11-21 10:00:00.000"] {
            #expect(parse(text) == ParsedTimestamp(1_795_255_200_000_000, hasZone: false))
        }
        #expect(parse("1970-01-01T00:00:00.000001") == ParsedTimestamp(1))
        #expect(parse("1969-12-31T23:59:59.999999") == ParsedTimestamp(-1))
        #expect(parse("0001-01-01T00:00:00Z") == ParsedTimestamp(-62_135_596_800_000_000, hasZone: true))
        #expect(parse("9999-12-31T23:59:59.999999") == ParsedTimestamp(253_402_300_799_999_999))
        #expect(TimestampText.parse(Array("1970-01-01 00:00:01".utf8).span) == ParsedTimestamp(1_000_000))
    }

    @Test(
        "Text of another form is malformed",
        arguments: [
            "2026-11-21", "2026-11-21T", "2026-11-21T10", "2026-11-21_10:00:00", "2026-11-21T10:00:00X",
            "2026-11-21T10:00:00Zz",
            "2026-11-21T10:00:00 Z", "2026-11-21T10:00:0aZ", "2026-11-21T10:00:00+2", "2026-11-21T10:00:00+02:",
            "2026-11-21T10:00:00+020", "2026-11-21T10:00:00+02:0", "2026-11-21T10:00:00.Z", "2026-11-21T10:00.5Z",
            "2026-11-21T10:00:00.1234567890Z", "2026-11-21T10.00.00Z", "2026-11-21T10:00;00Z", "2026.11.21T10:00:00Z",
            " 2026-11-21T10:00:00", "2026-11-21T10:00:00+0200Z", "1795255200", "2026-11-21T10:00:00+02:00:00",
            "2026-11-21T1 :00:00Z", "2026-11-21T10:00:00z ",
        ])
    func malformed(text: String) {
        #expect(parse(text) == ParsedTimestamp(0, .malformed))
    }

    @Test(
        "Well-formed timestamps that do not exist say why",
        arguments: [
            ("2026-02-29T10:00:00Z", ParseProblem.invalidDate), ("0000-01-01T00:00:00Z", .invalidDate),
            ("2026-13-01T10:00:00", .invalidDate), ("2026-11-21T24:00:00Z", .invalidTime),
            ("2026-11-21T10:60:00Z", .invalidTime),
            ("2026-11-21T10:00:61Z", .invalidTime), ("2026-11-21T10:00:00+24:00", .invalidTime),
            ("2026-11-21T10:00:00+02:60", .invalidTime), ("2016-12-31T23:59:60Z", .leapSecond),
            ("2016-12-31T23:59:60.5+00:00", .leapSecond), ("2026-11-21T10:00:00.0000001Z", .subMicrosecond),
            ("2026-11-21T10:00:00.123456789", .subMicrosecond), ("+300000-01-01T00:00:00Z", .outOfRange),
            ("-300000-01-01T00:00:00Z", .outOfRange), ("+9999999-01-01T00:00:00Z", .outOfRange), ("", .empty),
        ])
    func problems(text: String, problem: ParseProblem) {
        #expect(parse(text) == ParsedTimestamp(0, problem))
    }

    @Test("Every written timestamp is read back, to the ends of time")
    func roundTrip() {
        var random = SplitMix(state: 23)
        let edges: [Int64] = [.min + 1, .max - 1, .min + 2, 0, -1, 1, 253_402_300_799_999_999, 253_402_300_800_000_000]
        for (index, bits) in (edges + (0..<20_000).map { Int64(bitPattern: random.next()) >> Int64($0 % 40) })
            .enumerated()
        {
            let value = index % 3 == 0 && index > 10 ? bits - bits % 1_000_000 : bits
            let hasZone = index % 2 == 0
            let separator: UInt8 = index % 5 == 0 ? 0x20 : 0x54
            let text = formatted(capacity: TimestampText.capacity) {
                TimestampText.format(value, hasZone: hasZone, separator: separator, into: $0)
            }
            #expect(parse(text) == ParsedTimestamp(value, hasZone: hasZone), "\(text)")
        }
    }

    @Test("The lowest and highest number are the infinities, with a zone or without", arguments: [true, false])
    func infinities(hasZone: Bool) {
        for (value, word) in [(Int64.max, "infinity"), (.min, "-infinity")] {
            let text = formatted(capacity: TimestampText.capacity) {
                TimestampText.format(value, hasZone: hasZone, into: $0)
            }
            #expect(text == word)
        }
    }

    @Test("The short cut agrees with the parts, for every byte replaced by every other")
    func mutations() {
        let text = Array("2024-02-29T23:59:58Z".utf8)
        for index in text.indices {
            for byte in UInt8(0x20)..<0x7F {
                // A digit at the end would belong to the fraction below, and a sign for the second colon to a zone.
                if index == 19, byte >= 0x30, byte <= 0x39 { continue }
                if index == 16, byte == 0x2B || byte == 0x2D { continue }
                var bytes = text
                bytes[index] = byte
                let whole = parse(bytes)
                // With a fraction of zeros the short cut does not apply.
                let slow = parse(Array(bytes[..<19] + ".0".utf8 + bytes[19...]))
                #expect(whole.problem == slow.problem && whole.microseconds == slow.microseconds)
                let unzoned = parse(Array(bytes[..<19]))
                if index < 19 {
                    #expect(unzoned.microseconds == whole.microseconds && unzoned.problem == whole.problem)
                }
                let head = Array(bytes[..<10])
                let date = DateText.parse(head.span)
                if index < 10 { #expect(date.problem == whole.problem) }
                if date.isValid, index < 10 {
                    #expect(whole.microseconds == Int64(date.value) * 86_400_000_000 + 86_398_000_000)
                }
            }
        }
    }
}
