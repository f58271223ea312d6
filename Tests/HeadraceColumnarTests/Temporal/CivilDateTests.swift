import Glibc
import HeadraceColumnar
import Testing

@Suite("Civil dates")
struct CivilDateTests {
    private static func naiveDays(_ month: Int, _ year: Int) -> Int {
        let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    @Test("Days agree with counting the months one by one")
    func counting() {
        // 0001-01-01 lies 719,162 days before 1970-01-01.
        var first: Int32 = -719_162
        for year in 1...10_100 {
            for month in 1...12 {
                let length = Self.naiveDays(month, year)
                #expect(CivilDate.days(inMonth: month, ofYear: year) == length)
                for day in [1, length] {
                    let date = CivilDate(year: year, month: month, day: day)
                    let days = first + Int32(day) - 1
                    if date?.daysSinceEpoch != days || date != CivilDate(daysSinceEpoch: days) {
                        Issue.record("\(year)-\(month)-\(day) is not day \(days)")
                    }
                }
                first += Int32(length)
            }
        }
    }

    @Test("Any day agrees with the C library's calendar")
    func library() {
        var random = SplitMix(state: 20)
        let edges: [Int32] = [.min, .max, 0, -1, -719_528, -719_529, -719_468, -719_469, 11016, 47540, 47541]
        let days = edges + (0..<20_000).map { Int32(truncatingIfNeeded: random.next() >> UInt64($0 % 32)) }
        for days in days {
            var seconds = time_t(days) * 86_400
            var parts = tm()
            gmtime_r(&seconds, &parts)
            let date = CivilDate(daysSinceEpoch: days)
            #expect(date.year == Int(parts.tm_year) + 1900 && date.month == Int(parts.tm_mon) + 1)
            #expect(date.day == Int(parts.tm_mday))
            #expect(date.daysSinceEpoch == days)
            #expect(Temporal.weekday(ofDay: days) % 7 == Int(parts.tm_wday))
        }
    }

    @Test("Days that do not exist have no date")
    func invalid() {
        for (year, month, day) in [
            (2023, 2, 29), (1900, 2, 29), (2024, 2, 30), (2024, 4, 31), (2024, 13, 1), (2024, 0, 1), (2024, 1, 0),
            (6_000_000, 1, 1), (-6_000_000, 1, 1), (2024, 1, 32), (2024, -1, 1),
        ] {
            #expect(CivilDate(year: year, month: month, day: day) == nil)
        }
        #expect(CivilDate(year: 2000, month: 2, day: 29) != nil)
        #expect(CivilDate(year: 0, month: 2, day: 29) != nil)
        #expect(CivilDate(year: -4, month: 2, day: 29) != nil)
        #expect(CivilDate(year: -100, month: 2, day: 29) == nil)
    }

    @Test("The first and last allowed years fit the count")
    func limits() throws {
        let first = try #require(CivilDate(year: CivilDate.years.lowerBound, month: 1, day: 1))
        let last = try #require(CivilDate(year: CivilDate.years.upperBound, month: 12, day: 31))
        #expect(CivilDate(daysSinceEpoch: first.daysSinceEpoch) == first)
        #expect(CivilDate(daysSinceEpoch: last.daysSinceEpoch) == last)
        #expect(first < last)
        #expect(last.description == "+5881579-12-31")
    }
}
