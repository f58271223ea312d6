import HeadraceColumnar
import Testing

@Suite("Times of day as text")
struct TimeTextTests {
    private func parse(_ text: String) -> Parsed<Int64> { withCell(text) { TimeText.parse($0, count: $1) } }

    @Test("Times are read as microseconds")
    func reads() {
        #expect(parse("00:00") == Parsed(0))
        #expect(parse("10:30") == Parsed(37_800_000_000))
        #expect(parse("23:59:59") == Parsed(86_399_000_000))
        #expect(parse("23:59:59.999999") == Parsed(86_399_999_999))
        #expect(parse("00:00:01,5") == Parsed(1_500_000))
        #expect(parse("00:00:00.000001000") == Parsed(1))
        #expect(TimeText.parse(Array("00:01".utf8).span) == Parsed(60_000_000))
    }

    @Test("What is no time is told apart")
    func problems() {
        for text in [
            "1:00", "10", "10:", "10:3", "10:30:", "10:30:1", "10:30.5", "10:30:00.", "10:30:00Z",
            "10:30:00.1234567890", "a0:00", "10:30:00.12a", " 10:30", "-10:30",
        ] {
            #expect(parse(text) == Parsed(0, .malformed), "\(text)")
        }
        for text in ["24:00", "24:00:00", "10:60", "10:30:61", "99:99:99"] {
            #expect(parse(text) == Parsed(0, .invalidTime), "\(text)")
        }
        #expect(parse("23:59:60") == Parsed(0, .leapSecond))
        #expect(parse("10:00:00.0000001") == Parsed(0, .subMicrosecond))
        #expect(parse("") == Parsed(0, .empty))
        #expect(TimeText.parse([UInt8]().span) == Parsed(0, .empty))
    }

    @Test("Every written time is read back and has no needless digits")
    func roundTrip() {
        var random = SplitMix(state: 22)
        for index in 0..<10_000 {
            var time = Int64.random(in: 0..<86_400_000_000, using: &random)
            if index % 3 == 0 { time -= time % 1_000_000 }
            if index % 3 == 1 { time -= time % 1_000 }
            let text = formatted(capacity: TimeText.capacity) { TimeText.format(time, into: $0) }
            #expect(parse(text) == Parsed(time), "\(text)")
            #expect(text.count == (time % 1_000_000 == 0 ? 8 : time % 1000 == 0 ? 12 : 15))
        }
        #expect(Temporal.formatTime(90_000_000_000) == "25:00:00")
        #expect(Temporal.formatTime(-1) == "-00:00:00.000001")
        #expect(Temporal.formatTime(.min) == "-2562047788:00:54.775808")
    }
}
