import HeadraceColumnar
import HeadraceCore

extension RateTable {
    /// Rates from CSV text with a header of `date,currency,rate`, one rate a line; `#` begins a comment line.
    /// - Throws: `malformedInput` with the line of the first field that does not read.
    public init(csv text: String, base: String, quotation: Quotation = .valueInBase, longestAge: Int? = nil) throws {
        var rates: [Rate] = []
        for (number, line) in Self.lines(text).enumerated() where number > 0 && !line.isEmpty && !line.hasPrefix("#") {
            let fields = Self.fields(line)
            guard fields.count >= 3, let day = Self.day(fields[0]), let rate = DecimalValue(fields[2]) else {
                throw Self.malformed(number + 1, line)
            }
            rates.append(Rate(fields[1], day: day, rate: rate))
        }
        try self.init(base: base, quotation: quotation, rates, longestAge: longestAge)
    }

    /// Rates from the European Central Bank's historical file (`eurofxref-hist.csv`): a `Date` column and one column a
    /// currency, in units per euro, `N/A` where there is none. Weekends and holidays take the last earlier business day.
    public init(europeanCentralBank text: String, longestAge: Int? = 10) throws {
        let lines = Self.lines(text)
        guard let header = lines.first.map(Self.fields), header.first == "Date" else {
            throw HeadraceError(
                .malformedInput, "this is not the European Central Bank's historical file",
                because: "its first line does not begin with Date")
        }
        var rates: [Rate] = []
        for (number, line) in lines.enumerated() where number > 0 && !line.isEmpty {
            let fields = Self.fields(line)
            guard let day = fields.first.flatMap(Self.day) else { throw Self.malformed(number + 1, line) }
            for (currency, field) in zip(header, fields).dropFirst()
            where !currency.isEmpty && !field.isEmpty && field != "N/A" {
                guard let rate = DecimalValue(field) else { throw Self.malformed(number + 1, field) }
                rates.append(Rate(currency, day: day, rate: rate))
            }
        }
        try self.init(base: "EUR", quotation: .unitsPerBase, rates, longestAge: longestAge)
    }

    private static func malformed(_ line: Int, _ text: String) -> HeadraceError {
        HeadraceError(
            .malformedInput, "line \(line) of the rate table does not read",
            fields: [("line", String(text.prefix(80)))],
            hint: "each line holds a date (YYYY-MM-DD), a currency and a rate")
    }

    private static func lines(_ text: String) -> [String] {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map(String.init)
    }

    /// Rate files hold dates, codes and numbers: no quotes, no commas inside.
    private static func fields(_ line: String) -> [String] {
        line.split(separator: ",", omittingEmptySubsequences: false).map { field in
            String(field.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }

    private static func day(_ text: String) -> Int32? {
        guard let column = ColumnVector.of(.utf8, [.utf8(text)]), let cast = try? Kernels.cast(column, to: .date32),
            case .date(let day) = cast.column.scalar(at: 0)
        else { return nil }
        return day
    }
}
