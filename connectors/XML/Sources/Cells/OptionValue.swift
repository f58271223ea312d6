import HeadraceCore

/// Reads the values of options that XML and HTML share.
enum OptionValue {
    static func refusal(_ option: Location.Option, _ expected: String) -> HeadraceError {
        HeadraceError(
            .badOption, "the option \(option.name) does not take \"\(option.value)\"",
            fields: [("expected", expected)])
    }

    static func unknown(_ option: Location.Option, format: String, among known: [ConnectorOption]) -> HeadraceError {
        HeadraceError(
            .badOption, "\(format) has no option \(option.name)",
            fields: [("options", known.map(\.name).joined(separator: ", "))])
    }

    static func number(_ option: Location.Option, _ range: ClosedRange<Int>) throws(HeadraceError) -> Int {
        guard let value = Int(option.value), range.contains(value) else {
            throw refusal(option, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    static func flag(_ option: Location.Option, _ yes: String, _ no: String) throws(HeadraceError) -> Bool {
        guard option.value == yes || option.value == no else { throw refusal(option, "\(yes), \(no)") }
        return option.value == yes
    }

    /// What a request for a sink is told.
    static func noSink(_ format: String) -> HeadraceError {
        HeadraceError(
            .unsupported, "\(format) can be read but not written",
            fields: [("formats with sinks", "csv, json, ndjson")],
            hint: "write to a CSV or JSON file, or to a table")
    }
}
