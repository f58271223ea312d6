/// What a JSON reader accepts beyond RFC 8259, and the limits it keeps.
///
/// The defaults are strict: every leniency is off. A UTF-8 byte order mark before the first value is always skipped,
/// as RFC 8259 section 8.1 allows.
public struct JSONReadingOptions: Sendable, Hashable {
    /// What becomes of `\uD800`-style escapes that have no partner: they name no character, so no UTF-8 text can
    /// hold them.
    public enum LoneSurrogates: Sendable, Hashable {
        /// The text is refused with ``JSONError/Code-swift.enum/loneSurrogate``.
        case refused
        /// Each becomes U+FFFD REPLACEMENT CHARACTER.
        case replaced
    }

    /// How many arrays and objects may be open at once; the next one is refused.
    public var maximumDepth: Int
    /// The treatment of escapes that are half of a surrogate pair.
    public var loneSurrogates: LoneSurrogates
    /// Whether `NaN`, `Infinity` and `-Infinity` are numbers.
    public var allowsNonFiniteNumbers: Bool
    /// Whether one comma may stand between the last element or member and the closing bracket.
    public var allowsTrailingCommas: Bool
    /// Whether `// …` to the end of the line and `/* … */` may stand wherever white space may.
    public var allowsComments: Bool

    /// RFC 8259 and nothing more, 512 levels deep.
    public static let strict = JSONReadingOptions()

    /// Creates options; whatever is not named is strict.
    public init(
        maximumDepth: Int = 512, loneSurrogates: LoneSurrogates = .refused, allowsNonFiniteNumbers: Bool = false,
        allowsTrailingCommas: Bool = false, allowsComments: Bool = false
    ) {
        self.maximumDepth = maximumDepth
        self.loneSurrogates = loneSurrogates
        self.allowsNonFiniteNumbers = allowsNonFiniteNumbers
        self.allowsTrailingCommas = allowsTrailingCommas
        self.allowsComments = allowsComments
    }
}
