/// What ``JSONTokenizer`` found; the bytes are in the tokenizer until the next call.
package enum JSONToken: UInt8, Sendable {
    /// `{`
    case objectStart
    /// `}`
    case objectEnd
    /// `[`
    case arrayStart
    /// `]`
    case arrayEnd
    /// A member's name; its colon has been read too, a value follows.
    case key
    /// A string value.
    case string
    /// A number, of the kind that ``JSONTokenizer/numberShape`` says.
    case number
    /// `true`
    case `true`
    /// `false`
    case `false`
    /// `null`
    case null
    /// The document is over and nothing but white space follows.
    case end
}

/// How a number is written, which says the kinds of column it fits without being read.
package enum JSONNumberShape: UInt8, Sendable {
    /// Digits with an optional minus sign.
    case integer
    /// A decimal point and no exponent.
    case fraction
    /// An exponent, with or without a decimal point.
    case exponent
    /// `NaN`, `Infinity` or `-Infinity`, which only ``JSONReadingOptions/allowsNonFiniteNumbers`` admits.
    case nonFinite
}
