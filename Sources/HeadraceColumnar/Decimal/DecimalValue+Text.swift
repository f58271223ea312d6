extension DecimalValue: CustomStringConvertible, LosslessStringConvertible {
    /// Reads a decimal with as many fraction digits as are written: `"1.50"` has scale 2, `"1e3"` scale −3.
    ///
    /// Zeros at the end of a fraction are dropped as far as 38 digits demand it.
    /// - Returns: nil for what `DecimalText` calls malformed, and for more than 38 significant digits.
    public init?(_ text: String) {
        var text = text
        let value = text.withUTF8 { bytes in
            bytes.baseAddress.flatMap { DecimalValue(text: UnsafeRawPointer($0), count: bytes.count) }
        }
        guard let value else { return nil }
        self = value
    }

    /// Reads a decimal from bytes; see `init(_:)`.
    public init?(text base: UnsafeRawPointer, count: Int) {
        guard let scan = DecimalScan(base, count: count), scan.writtenScale.magnitude <= Self.scaleLimit / 2
        else { return nil }
        guard !scan.isZero else {
            self.init(coefficient: 0, scale: scan.writtenScale)
            return
        }
        let scale = min(scan.writtenScale, 37 - scan.highestPower)
        guard scan.significantDigits <= 38, scan.lowestPower + scale >= 0 else { return nil }
        let magnitude = Int128(truncatingIfNeeded: scan.coefficient &* PowerOfTen.wide(scan.lowestPower + scale))
        self.init(coefficient: scan.isNegative ? -magnitude : magnitude, scale: scale)
    }

    /// The shortest decimal that reads back as this number: 0.1 for the double nearest to 0.1.
    ///
    /// Decimals of up to 15 digits survive the way through a double unchanged.
    /// - Returns: nil for infinities, NaN and magnitudes that 38 digits and a scale cannot hold.
    public init?(shortest value: Double) {
        guard value.isFinite, let decimal = DecimalValue(value.description) else { return nil }
        self = decimal.reduced(toScaleAtLeast: min(decimal.scale, 0))
    }

    /// The value in plain digits with all fraction digits of its scale, `-1234.50`; with an exponent only where the
    /// scale is negative or above 38: `12E+3`. Reads back as the same coefficient and scale.
    public var description: String {
        let isPlain = scale >= 0 && scale <= 38
        let digits = String(unsafeUninitializedCapacity: 128) { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return DecimalText.format(coefficient, scale: isPlain ? scale : 0, into: base)
        }
        return isPlain ? digits : "\(digits)E\(scale < 0 ? "+" : "")\(-scale)"
    }

    /// The value in plain digits, never with an exponent; what a reader of money expects to see.
    ///
    /// - Returns: nil if a scale beyond plus or minus 76 would make it a row of zeros.
    public var plainDescription: String? {
        guard scale.magnitude <= 76 else { return nil }
        return String(unsafeUninitializedCapacity: DecimalText.capacity(scale: scale)) { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return DecimalText.format(coefficient, scale: scale, into: base)
        }
    }
}

extension Double {
    /// The double nearest to a decimal, ties to even; infinite if the decimal is beyond the largest.
    public init(_ decimal: DecimalValue) {
        var text = decimal.description
        let parsed = text.withUTF8 { bytes in
            bytes.baseAddress.map { DoubleText.parse($0, count: bytes.count) } ?? Parsed(0)
        }
        self = parsed.isValid ? parsed.value : decimal.isNegative ? -.infinity : .infinity
    }
}

extension DecimalValue: ExpressibleByIntegerLiteral {
    /// An integer literal as a decimal of scale 0.
    /// - Precondition: at most 38 digits.
    public init(integerLiteral value: Int128) {
        precondition(DecimalMath.fits(value, precision: 38), "a decimal literal has at most 38 digits")
        self.init(coefficient: value, scale: 0)
    }
}

extension DecimalValue: ExpressibleByFloatLiteral {
    /// A literal such as `1.1`, exactly as written.
    ///
    /// The compiler passes a double; its shortest text is the literal again as long as that has at most 15 digits.
    /// Zeros at the end of the fraction are lost: `1.50` has scale 1.
    /// - Precondition: at most 15 significant digits; write longer ones as text.
    public init(floatLiteral value: Double) {
        guard let decimal = DecimalValue(shortest: value), decimal.reduced().precision <= 15 else {
            preconditionFailure("decimal literal \(value) has more than 15 digits: write DecimalValue(\"…\")")
        }
        self = decimal
    }
}
