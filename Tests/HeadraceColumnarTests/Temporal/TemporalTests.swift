import HeadraceColumnar
import Testing

@Suite("Parts of dates and times")
struct TemporalTests {
    @Test("A timestamp is taken apart, before 1970 too")
    func parts() {
        let evening: Int64 = -1
        #expect(Temporal.formatTimestamp(evening) == "1969-12-31T23:59:59.999999")
        #expect(Temporal.day(ofTimestamp: evening) == -1)
        #expect(Temporal.timeOfDay(ofTimestamp: evening) == 86_399_999_999)
        #expect(Temporal.formatTimestamp(Temporal.startOfDay(ofTimestamp: evening)) == "1969-12-31T00:00:00")
        #expect(Temporal.formatTimestamp(Temporal.startOfMonth(ofTimestamp: evening)) == "1969-12-01T00:00:00")
        let noon: Int64 = 1_795_255_200_000_000
        #expect(Temporal.formatTimestamp(noon, hasZone: true) == "2026-11-21T10:00:00Z")
        let day = Temporal.day(ofTimestamp: noon)
        #expect(Temporal.year(ofDay: day) == 2026)
        #expect(Temporal.month(ofDay: day) == 11)
        #expect(Temporal.dayOfMonth(ofDay: day) == 21)
        #expect(Temporal.weekday(ofDay: day) == 6)
        #expect(Temporal.formatDate(Temporal.startOfMonth(ofDay: day)) == "2026-11-01")
        let time = Temporal.timeOfDay(ofTimestamp: noon + 754_321_000)
        #expect(Temporal.hour(ofTime: time) == 10)
        #expect(Temporal.minute(ofTime: time) == 12)
        #expect(Temporal.second(ofTime: time) == 34)
        #expect(Temporal.formatTime(time) == "10:12:34.321")
        #expect(Temporal.timestamp(ofDay: day) == Temporal.startOfDay(ofTimestamp: noon))
    }

    @Test("The ends of time do not trap", arguments: [Int64.min, .max, .min + 1, 0])
    func extremes(timestamp: Int64) {
        let day = Temporal.day(ofTimestamp: timestamp)
        let time = Temporal.timeOfDay(ofTimestamp: timestamp)
        #expect(Int128(day) * 86_400_000_000 + Int128(time) == Int128(timestamp))
        #expect(Temporal.startOfDay(ofTimestamp: timestamp) <= timestamp)
        #expect(Temporal.startOfMonth(ofTimestamp: timestamp) <= timestamp)
        #expect(Temporal.timestamp(ofDay: .min) == nil)
        #expect(Temporal.timestamp(ofDay: .max) == nil)
        #expect(Temporal.startOfMonth(ofDay: .min) == .min)
        #expect((1...7).contains(Temporal.weekday(ofDay: .min)))
        #expect((1...7).contains(Temporal.weekday(ofDay: .max)))
    }
}
