import HeadraceColumnar
import HeadraceCore

/// What the decoders of one batch share.
struct DecodingContext: ~Copyable {
    let options: JSONReadingOptions
    /// Whether the options let text pass that is not JSON by RFC 8259.
    let isLenient: Bool
    /// Strings whose escapes are resolved, one at a time.
    var text = JSONBuffer()
    /// The first failure of the row.
    var failure: CellFailure?
    /// Whether an object of the row names a member twice.
    var repeatsName = false
    /// Members that no column takes.
    var ignoredMembers = 0

    init(options: JSONReadingOptions) {
        self.options = options
        isLenient = Self.isLenient(options)
    }

    static func isLenient(_ options: JSONReadingOptions) -> Bool {
        options.allowsComments || options.allowsTrailingCommas || options.allowsNonFiniteNumbers
            || options.loneSurrogates == .replaced
    }

    /// The text of the current string with escapes resolved; valid until the next call.
    mutating func resolved(_ tokenizer: borrowing JSONTokenizer) -> UnsafeRawBufferPointer {
        text.removeAll()
        tokenizer.appendText(to: &text)
        return text.bytes
    }

    /// Notes a failure unless the row has one.
    @inline(never)
    mutating func fail(_ problem: CellProblem, _ target: ColumnDecoder, value: String?, found: String) {
        guard failure == nil else { return }
        failure = CellFailure(
            problem: problem, column: target.column, path: target.path, type: target.type, value: value, found: found)
    }

    /// Passes a value that the column does not take and notes the failure.
    @inline(never)
    mutating func refuse(
        _ token: JSONToken, _ target: ColumnDecoder, _ tokenizer: inout JSONTokenizer,
        _ problem: CellProblem = .wrongKind
    ) throws(JSONError) {
        let range = try tokenizer.validate(token)
        guard failure == nil else { return }
        let value = token == .string ? tokenizer.text : Self.text(tokenizer.bytes, range)
        fail(
            problem, target, value: value,
            found: problem == .wrongKind ? Self.name(of: token) : ParseProblem.malformed.description)
    }

    /// The first bytes of a value as text, enough for a reject to cut.
    static func text(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> String {
        String(decoding: bytes[range.lowerBound..<min(range.upperBound, range.lowerBound + 2048)], as: UTF8.self)
    }

    static func name(of token: JSONToken) -> String {
        switch token {
        case .objectStart: "an object"
        case .arrayStart: "an array"
        case .string: "a string"
        case .number: "a number"
        case .true, .false: "a truth value"
        case .null: "null"
        default: "the end"
        }
    }
}
