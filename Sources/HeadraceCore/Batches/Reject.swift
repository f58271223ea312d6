import HeadraceColumnar

/// A row that a step refused, with the reason and everything needed to judge it and to run it again.
public struct Reject: Sendable {
    /// The step that refused the row. The engine fills it in.
    public var step: String
    /// The rule as the job's author named it: `price > 0`, `decode`, `not null`.
    public var rule: String
    /// A stable code for programs: `notANumber`, `tooLong`, `missing`.
    public var code: String
    /// The column at fault, nil when the rule is about the row as a whole.
    public var field: String?
    /// The offending value as text, cut to `longestValue` bytes.
    public var value: String?
    /// One sentence for people, without the value: it goes to logs and to people who must not see the data.
    public var message: String
    /// Where the row came from, for the person who mends it there.
    public var place: Place
    /// The record as it stood in the source.
    public var original: [UInt8]?
    /// The row as its step received it, one JSON object with the step's input fields; nil when the row never decoded.
    public var row: String?

    /// The message together with the offending value, for people who may see the data: `price is not > 0 (found
    /// "-1.00")`. The value stands in quotes, cut to 60 characters, control characters escaped.
    public var messageWithValue: String {
        guard let value else { return message }
        let cut = value.prefix(60)
        let shown = cut.endIndex == value.endIndex ? value : cut + "…"
        return "\(message) (found \(shown.debugDescription))"
    }

    /// The longest text kept in `value`, in bytes.
    public static let longestValue = 256

    /// A reject with `value` cut to `longestValue` bytes and an ellipsis. Steps with a batch at hand use
    /// `Batch.reject`, which fills in place, original and row.
    public init(
        rule: String, code: String, field: String? = nil, value: String? = nil, message: String, place: Place,
        original: [UInt8]? = nil, row: String? = nil, step: String = ""
    ) {
        self.step = step
        self.rule = rule
        self.code = code
        self.field = field
        self.value = value.map { text in
            text.utf8.count <= Self.longestValue
                ? text : String(decoding: text.utf8.prefix(Self.longestValue), as: UTF8.self) + "…"
        }
        self.message = message
        self.place = place
        self.original = original
        self.row = row
    }
}

extension Batch {
    /// A reject of row `row` of this batch, with its place, original record and values filled in.
    public func reject(
        row: Int, rule: String, code: String, field: String? = nil, value: String? = nil, message: String
    ) -> Reject {
        let shown =
            value
            ?? field.flatMap { records[$0] }.map { $0.scalar(at: row) }.flatMap { $0.isNull ? nil : $0.description }
        return Reject(
            rule: rule, code: code, field: field, value: shown, message: message, place: provenance.place(of: row),
            original: provenance.original(of: row), row: RowText.json(records, row: row))
    }
}
