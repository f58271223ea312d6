import HeadraceColumnar
import HeadraceHTTPClient

/// `Retry-After` of RFC 9110 section 10.2.3.
enum RetryAfter {
    /// How long an answer asks to wait; nil when it does not say, or not in a way that can be read.
    ///
    /// A date is measured against the server's own `Date` where there is one, so that clocks that differ do no harm.
    static func wait(in headers: HTTPHeaders, now: Int64) -> Duration? {
        guard let value = headers["Retry-After"] else { return nil }
        if !value.isEmpty, value.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
            return .seconds(Int64(value).map { min($0, 1 << 32) } ?? 1 << 32)
        }
        guard let until = HTTPDate.seconds(value) else { return nil }
        let from = headers["Date"].flatMap(HTTPDate.seconds) ?? now / 1_000_000
        return .seconds(max(0, until - from))
    }
}

/// Dates of RFC 9110 section 5.6.7, the two obsolete forms included.
enum HTTPDate {
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    /// Seconds since 1970-01-01T00:00:00Z; nil for text that is no such date.
    static func seconds(_ text: String) -> Int64? {
        let words = text.split { $0 == " " || $0 == "," || $0 == "-" }.map { $0.lowercased() }
        switch words.count {
        // Sun, 06 Nov 1994 08:49:37 GMT, and Sunday, 06-Nov-94 08:49:37 GMT
        case 6 where words[5] == "gmt" || words[5] == "utc":
            return seconds(year: words[3], month: words[2], day: words[1], time: words[4])
        // Sun Nov  6 08:49:37 1994
        case 5: return seconds(year: words[4], month: words[1], day: words[2], time: words[3])
        default: return nil
        }
    }

    private static func seconds(year: String, month: String, day: String, time: String) -> Int64? {
        let parts = time.split(separator: ":", omittingEmptySubsequences: false).map { digits(String($0)) }
        guard let month = months.firstIndex(of: month), let day = digits(day), var year = digits(year),
            parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts[2],
            hour < 24, minute < 60, second <= 60
        else { return nil }
        // Two digits: RFC 9110 has a year that seems more than 50 years ahead stand for the past.
        if year < 100 { year += year < 77 ? 2000 : 1900 }
        guard let date = CivilDate(year: year, month: month + 1, day: day) else { return nil }
        return Int64(date.daysSinceEpoch) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }

    private static func digits(_ text: String) -> Int? {
        text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } && text.utf8.count <= 4 ? Int(text) : nil
    }
}
