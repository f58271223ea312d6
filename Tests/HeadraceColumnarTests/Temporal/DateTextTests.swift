import HeadraceColumnar
import Testing

@Suite("Dates as text")
struct DateTextTests {
    private func parse(_ text: String) -> Parsed<Int32> { withCell(text) { DateText.parse($0, count: $1) } }

    @Test(
        "Dates are read as days",
        arguments: [
            ("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11016), ("2026-11-21", 20778),
            ("0001-01-01", -719_162),
            ("9999-12-31", 2_932_896), ("+2000-02-29", 11016), ("+10000-01-01", 2_932_897), ("+0000-01-01", -719_528),
            ("-0001-12-31", -719_529),
        ] as [(String, Int32)])
    func reads(text: String, days: Int32) {
        #expect(parse(text) == Parsed(days))
    }

    @Test(
        "Text of another form is malformed",
        arguments: [
            "2026-1-1", "2026-11-2", "20261121", "2026/11/21", "21-11-2026", "2026-11-21 ", " 2026-11-21",
            "2026-11-21T",
            "10000-01-01", "202a-11-21", "2026-11-2a", "2026-1a-21", "2026,11-21", "2026-11,21", "2026-11-2/", "-", "+",
            "2026", "2026-11", "+12345678-01-01", "+026-01-01", "--2026-01-01", "2026--1-21", "2026-11.21",
        ])
    func malformed(text: String) {
        #expect(parse(text) == Parsed(0, .malformed))
    }

    @Test(
        "Days that do not exist are told from bad form",
        arguments: [
            "2023-02-29", "1900-02-29", "2026-00-10", "2026-13-10", "2026-11-00", "2026-11-31", "2026-01-32",
            "0000-01-01",
            "0000-00-00", "2026-99-99", "+2023-02-29",
        ])
    func invalid(text: String) {
        #expect(parse(text) == Parsed(0, .invalidDate))
    }

    @Test("No bytes are empty and a year beyond the count is out of range")
    func edges() {
        #expect(parse("") == Parsed(0, .empty))
        #expect(parse("+9999999-01-01") == Parsed(0, .outOfRange))
        #expect(parse("-9999999-01-01") == Parsed(0, .outOfRange))
        #expect(DateText.parse([UInt8]().span) == Parsed(0, .empty))
        #expect(DateText.parse(Array("1970-01-02".utf8).span) == Parsed(1))
    }

    @Test("The lowest and highest number are the infinities")
    func infinities() {
        #expect(formatted(capacity: DateText.capacity) { DateText.format(.max, into: $0) } == "infinity")
        #expect(formatted(capacity: DateText.capacity) { DateText.format(.min, into: $0) } == "-infinity")
    }

    @Test("Every written date is read back")
    func roundTrip() {
        var random = SplitMix(state: 21)
        let edges: [Int32] = [
            -719_162, -719_163, 2_932_896, 2_932_897, -719_528, -719_529, 0, 2_147_000_000, -2_147_000_000,
        ]
        for days in edges + (0..<20_000).map({ Int32(truncatingIfNeeded: random.next()) >> Int32($0 % 20) }) {
            let text = formatted(capacity: DateText.capacity) { DateText.format(days, into: $0) }
            let date = CivilDate(daysSinceEpoch: days)
            func padded(_ value: Int, _ width: Int) -> String {
                let digits = String(abs(value))
                return String(repeating: "0", count: max(0, width - digits.count)) + digits
            }
            let sign = date.year < 0 ? "-" : date.year == 0 || date.year > 9999 ? "+" : ""
            #expect(text == "\(sign)\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))")
            if CivilDate.years.contains(date.year) { #expect(parse(text) == Parsed(days), "\(text)") }
        }
    }
}
