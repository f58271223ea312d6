/// Reads one kind of fixed-width value from the text of a cell: what a text format runs over each of its columns.
///
/// A format's loop over a column is generic over its parser. Parsers are public and inlinable so that such a loop is
/// specialised in the format's own module: a call through the protocol costs more than the parsing.
public protocol CellParser {
    /// The value as a column stores it.
    associatedtype Value: BitwiseCopyable & Sendable
    /// The value of `count` bytes, all of which must belong to it; blanks around it are for the caller to leave out.
    /// - Returns: the value, or why there is none; a problem beyond `ParseProblem` is told by `explain`.
    func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Value>
    /// What a problem that `parse` gave for these bytes is called.
    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem
}

extension CellParser {
    /// The problem as it stands; parsers that know more say so.
    public func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem {
        .parse(problem)
    }
}

/// Integers of up to 64 bits, by `IntegerText`.
@frozen
public struct IntegerParser<Value: FixedWidthInteger & BitwiseCopyable & Sendable>: CellParser {
    /// A parser for columns of `Value`.
    @inlinable public init() {}

    @inlinable @inline(__always) public func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Value> {
        IntegerText.parse(base, count: count, as: Value.self)
    }
}

/// Decimals of up to 18 digits as their coefficients, by `DecimalText`; what would have to be rounded is refused.
@frozen
public struct Decimal64Parser: CellParser {
    @usableFromInline let precision: Int
    @usableFromInline let scale: Int

    /// A parser for `decimal(precision, scale)`.
    /// - Parameter precision: at most 18.
    @inlinable public init(precision: Int, scale: Int) {
        self.precision = precision
        self.scale = scale
    }

    @inlinable @inline(__always) public func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int64> {
        DecimalText.parse64(base, count: count, precision: precision, scale: scale)
    }
}

/// Decimals of up to 38 digits as their coefficients, by `DecimalText`; what would have to be rounded is refused.
@frozen
public struct Decimal128Parser: CellParser {
    @usableFromInline let precision: Int
    @usableFromInline let scale: Int

    /// A parser for `decimal(precision, scale)`.
    /// - Parameter precision: at most 38; up to 18 the column stores what `Decimal64Parser` gives.
    @inlinable public init(precision: Int, scale: Int) {
        self.precision = precision
        self.scale = scale
    }

    @inlinable @inline(__always) public func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int128> {
        DecimalText.parse128(base, count: count, precision: precision, scale: scale)
    }
}

/// Double-precision numbers by `DoubleText`, NaN and infinities as it spells them.
@frozen
public struct DoubleParser: CellParser {
    /// A parser for `float64`.
    @inlinable public init() {}

    @inlinable public func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Double> {
        DoubleText.parse(base, count: count, allowsNonFinite: true)
    }
}

/// Single-precision numbers: a finite one that the type cannot hold is out of range rather than infinite.
@frozen
public struct FloatParser: CellParser {
    /// A parser for `float32`.
    @inlinable public init() {}

    @inlinable public func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Float> {
        let wide = DoubleText.parse(base, count: count, allowsNonFinite: true)
        let narrow = Float(wide.value)
        let overflows = wide.isValid && wide.value.isFinite && !narrow.isFinite
        return Parsed(narrow, overflows ? .outOfRange : wide.problem)
    }
}

/// Days since 1970-01-01, by `DateText`.
@frozen
public struct DateParser: CellParser {
    /// A parser for `date32`.
    @inlinable public init() {}

    @inlinable @inline(__always) public func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int32> {
        DateText.parse(base, count: count)
    }
}

/// Microseconds since midnight, by `TimeText`.
@frozen
public struct TimeParser: CellParser {
    /// A parser for `time64`.
    @inlinable public init() {}

    @inlinable public func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int64> {
        TimeText.parse(base, count: count)
    }
}

/// Microseconds since 1970-01-01T00:00:00, in UTC where the column has a zone, by `TimestampText`.
///
/// A text has a zone if and only if the column has one. A date alone is its midnight where the column has none.
@frozen
public struct TimestampParser: CellParser {
    @usableFromInline let hasZone: Bool

    /// A parser for `timestamp`, with or without a zone.
    @inlinable public init(hasZone: Bool) { self.hasZone = hasZone }

    @inlinable @inline(__always) public func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int64> {
        let parsed = TimestampText.parse(base, count: count)
        if parsed.problem == .none, parsed.hasZone == hasZone { return Parsed(parsed.microseconds) }
        return parseRest(parsed, base, count)
    }

    @usableFromInline @inline(never)
    func parseRest(_ parsed: ParsedTimestamp, _ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int64> {
        if parsed.problem == .none { return Parsed(0, .malformed) }
        if !hasZone, let day = DateText.parse(base, count: count).valid, let start = Temporal.timestamp(ofDay: day) {
            return Parsed(start)
        }
        return Parsed(0, parsed.problem)
    }

    public func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem {
        let parsed = TimestampText.parse(base, count: count)
        if parsed.problem == .none, parsed.hasZone != hasZone { return hasZone ? .zoneMissing : .zoneUnexpected }
        return .parse(problem)
    }
}

/// `true` and `false`, and in any case also `t`, `yes`, `y`, `1` and their opposites.
@frozen
public struct BooleanParser: CellParser {
    private static let words = BooleanWords(
        true: ["true", "t", "yes", "y", "1"], false: ["false", "f", "no", "n", "0"], ignoringCase: true)

    /// A parser for `bool`.
    @inlinable public init() {}

    @inlinable @inline(__always) public func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Bool> {
        let plain = BooleanText.parse(base, count: count)
        return plain.isValid ? plain : parseWord(base, count)
    }

    @usableFromInline @inline(never)
    func parseWord(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Bool> { Self.words.parse(base, count: count) }
}
