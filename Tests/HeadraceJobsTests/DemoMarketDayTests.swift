import Testing

@testable import HeadraceJobs

struct DemoMarketDayTests {
    @Test(arguments: [
        ("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2000-03-01", 11_017), ("2026-01-05", 20_458),
        ("0001-01-01", -719_162), ("9999-12-31", 2_932_896), ("1900-02-28", -25_509),
    ])
    func `a day has its number and prints as it was written`(text: String, ordinal: Int) throws {
        let day = try #require(MarketDay(text))
        #expect(day.ordinal == ordinal)
        #expect(day.description == text)
    }

    @Test(arguments: [
        "", "2026-1-5", "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-01-00",
        "0000-01-01",
        "2026-01-05 ", "+026-01-05", "2026/01/05", "２０２６-01-05", "2026-01-0a", "2026-01-32",
    ])
    func `a text that names no day is none`(text: String) {
        #expect(MarketDay(text) == nil)
    }

    @Test func `every number of four centuries comes back from its text`() {
        for ordinal in stride(from: -150_000, through: 150_000, by: 37) {
            #expect(MarketDay(MarketDay(ordinal: ordinal).description)?.ordinal == ordinal)
        }
    }

    @Test(arguments: [
        ("2026-01-05", "Mon, 05 Jan 2026 02:00:00 GMT"), ("1970-01-01", "Thu, 01 Jan 1970 02:00:00 GMT"),
        ("1969-12-31", "Wed, 31 Dec 1969 02:00:00 GMT"), ("2024-02-29", "Thu, 29 Feb 2024 02:00:00 GMT"),
    ])
    func `HTTP's date names the weekday`(text: String, expected: String) {
        #expect(MarketDay(text)?.httpDate == expected)
    }
}
