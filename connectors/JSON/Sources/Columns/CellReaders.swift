import HeadraceColumnar

/// Reads one kind of fixed-width value from the bytes of a number or of a string's text.
protocol CellReader {
    associatedtype Value: BitwiseCopyable & Sendable
    /// Whether JSON numbers are values of this kind, or strings only.
    static var takesNumbers: Bool { get }
    func read(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Value>
    /// What the problem that `read` found with these bytes is called.
    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem
}

/// Whole numbers; `1.0` and `1e3` are whole too, `1.5` is not.
struct IntegerReader<Value: FixedWidthInteger & BitwiseCopyable & Sendable>: CellReader {
    static var takesNumbers: Bool { true }

    @inline(__always) func read(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Value> {
        let parsed = IntegerText.parse(base, count: count, as: Value.self)
        return parsed.problem == .malformed ? readExactly(base, count) : parsed
    }

    @inline(never) private func readExactly(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Value> {
        let exact = DecimalText.parse128(base, count: count, precision: 38, scale: 0)
        guard exact.isValid else { return Parsed(0, exact.problem) }
        guard let value = Value(exactly: exact.value) else { return Parsed(0, .outOfRange) }
        return Parsed(value)
    }

    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem {
        problem == .outOfRange ? .outOfRange : .notAnInteger
    }
}

/// Decimals of up to 18 digits.
struct ShortDecimalReader: CellReader {
    static var takesNumbers: Bool { true }
    private let precision: Int
    private let scale: Int

    init(_ precision: Int, _ scale: Int) {
        self.precision = precision
        self.scale = scale
    }

    @inline(__always) func read(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int64> {
        DecimalText.parse64(base, count: count, precision: precision, scale: scale)
    }

    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem { .decimal(problem) }
}

/// Decimals of up to 38 digits.
struct LongDecimalReader: CellReader {
    static var takesNumbers: Bool { true }
    private let precision: Int
    private let scale: Int

    init(_ precision: Int, _ scale: Int) {
        self.precision = precision
        self.scale = scale
    }

    @inline(__always) func read(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int128> {
        DecimalText.parse128(base, count: count, precision: precision, scale: scale)
    }

    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem { .decimal(problem) }
}

extension CellProblem {
    static func decimal(_ problem: ParseProblem) -> CellProblem {
        switch problem {
        case .outOfRange: .outOfRange
        case .tooManyFractionDigits: .tooManyFractionDigits
        default: .notADecimal
        }
    }
}

/// Doubles; NaN and infinities as our writers spell them.
struct DoubleReader: CellReader {
    static var takesNumbers: Bool { true }

    func read(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Double> {
        DoubleText.parse(base, count: count, allowsNonFinite: true)
    }

    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem {
        problem == .outOfRange ? .outOfRange : .notANumber
    }
}

/// Single-precision numbers.
struct FloatReader: CellReader {
    static var takesNumbers: Bool { true }

    func read(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Float> {
        let wide = DoubleText.parse(base, count: count, allowsNonFinite: true)
        let narrow = Float(wide.value)
        let overflows = wide.isValid && wide.value.isFinite && !narrow.isFinite
        return Parsed(narrow, overflows ? .outOfRange : wide.problem)
    }

    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem {
        problem == .outOfRange ? .outOfRange : .notANumber
    }
}

/// ISO dates in strings.
struct DateReader: CellReader {
    static var takesNumbers: Bool { false }

    @inline(__always) func read(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int32> {
        DateText.parse(base, count: count)
    }

    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem { .notADate }
}

/// ISO times of day in strings.
struct TimeReader: CellReader {
    static var takesNumbers: Bool { false }

    func read(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int64> { TimeText.parse(base, count: count) }

    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem { .notATime }
}

/// ISO timestamps in strings, with a zone if and only if the column has one. A date alone is its midnight where the
/// column has no zone.
struct TimestampReader: CellReader {
    static var takesNumbers: Bool { false }
    let hasZone: Bool

    @inline(__always) func read(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int64> {
        let parsed = TimestampText.parse(base, count: count)
        if parsed.problem == .none, parsed.hasZone == hasZone { return Parsed(parsed.microseconds) }
        return readRest(parsed, base, count)
    }

    @inline(never)
    private func readRest(_ parsed: ParsedTimestamp, _ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int64> {
        if parsed.problem == .none { return Parsed(0, .malformed) }
        if !hasZone, let day = DateText.parse(base, count: count).valid, let start = Temporal.timestamp(ofDay: day) {
            return Parsed(start)
        }
        return Parsed(0, parsed.problem)
    }

    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem {
        let parsed = TimestampText.parse(base, count: count)
        if parsed.problem == .none, parsed.hasZone != hasZone { return hasZone ? .zoneMissing : .zoneUnexpected }
        return .notATimestamp
    }
}
