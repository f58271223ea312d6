/// The numbers that were seen in a column of text: what a type must hold, whatever the column is taken for.
package struct SeenNumbers: Sendable, Hashable {
    /// The most digits before and behind the point.
    package private(set) var wholeDigits = 0
    package private(set) var scale = 0
    private var isNegative = false
    /// The extremes of whole numbers of 3, 5, 10 and 19 digits, within which types end; of others their digits tell.
    private var lowest: Int64 = 0
    private var highest: Int64 = 0
    private var exceedsInt64 = false

    /// Nothing was seen yet.
    package init() {}

    /// Whole numbers from one to another.
    package init(from lowest: Int64, through highest: Int64) {
        (self.lowest, self.highest) = (lowest, highest)
        isNegative = lowest < 0
        wholeDigits = max(DecimalMath.digitCount(lowest), DecimalMath.digitCount(highest))
    }

    /// Takes note of a whole number: `digits` digits, a minus sign before them where `count` is greater.
    @inline(__always)
    package mutating func seeWhole(_ base: UnsafeRawPointer, count: Int, digits: Int) {
        if digits > wholeDigits { wholeDigits = digits }
        if count != digits { isNegative = true }
        // Bits 3, 5, 10 and 19 on.
        if digits >= 19 || 0x428 >> digits & 1 != 0 { seeExactly(base, count) }
    }

    @inline(never)
    private mutating func seeExactly(_ base: UnsafeRawPointer, _ count: Int) {
        let parsed = IntegerText.parse(base, count: count, as: Int64.self)
        guard parsed.isValid else { return exceedsInt64 = true }
        if parsed.value < lowest { lowest = parsed.value }
        if parsed.value > highest { highest = parsed.value }
    }

    /// Takes note of a number with a point.
    @inline(__always)
    package mutating func seeFraction(digits: Int, scale: Int) {
        if digits > wholeDigits { wholeDigits = digits }
        if scale > self.scale { self.scale = scale }
    }

    /// Whether a whole number was seen that 64 bits do not hold.
    package var isBeyondInt64: Bool { exceedsInt64 }

    /// Whether values of `type` are all that was seen, digit for digit.
    package func fit(in type: DataType) -> Bool {
        if let range = type.integerRange {
            guard scale == 0, range.lowest < 0 || !isNegative else { return false }
            let digits = "\(range.highest)".utf8.count
            guard wholeDigits == digits else { return wholeDigits < digits }
            return !exceedsInt64 && Int128(lowest) >= range.lowest && Int128(highest) <= range.highest
        }
        return switch type {
        case .decimal(let precision, let scale): self.scale <= scale && wholeDigits <= precision - scale
        case .float64: wholeDigits + scale <= 15
        case .float32: wholeDigits + scale <= 6
        default: true
        }
    }

    /// The narrowest type that holds what was seen, of those that widening a column makes of it; nil where none does.
    package var type: DataType? {
        if let whole = [DataType.int16, .int32, .int64].first(where: fit) { return whole }
        let precision = max(wholeDigits + scale, 1)
        return precision <= 38 ? .decimal(precision: precision, scale: scale) : nil
    }
}
