import HeadraceColumnar

/// Reads one kind of fixed-width value from the text of a cell.
protocol CellParser {
    associatedtype Value: BitwiseCopyable & Sendable
    /// The value of `count` bytes, or why there is none.
    func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Value>
    /// What a problem that `parse` gave for these bytes is called.
    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem
}

extension CellParser {
    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem { .parse(problem) }
}

struct IntegerParser<Value: FixedWidthInteger & BitwiseCopyable & Sendable>: CellParser {
    @inline(__always) func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Value> {
        IntegerText.parse(base, count: count, as: Value.self)
    }
}

struct Decimal64Parser: CellParser {
    let precision: Int
    let scale: Int

    @inline(__always) func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int64> {
        DecimalText.parse64(base, count: count, precision: precision, scale: scale)
    }
}

struct Decimal128Parser: CellParser {
    let precision: Int
    let scale: Int

    @inline(__always) func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int128> {
        DecimalText.parse128(base, count: count, precision: precision, scale: scale)
    }
}

struct DoubleParser: CellParser {
    func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Double> {
        DoubleText.parse(base, count: count, allowsNonFinite: true)
    }
}

struct FloatParser: CellParser {
    func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Float> {
        let wide = DoubleText.parse(base, count: count, allowsNonFinite: true)
        let narrow = Float(wide.value)
        let overflows = wide.isValid && wide.value.isFinite && !narrow.isFinite
        return Parsed(narrow, overflows ? .outOfRange : wide.problem)
    }
}

struct DateParser: CellParser {
    @inline(__always) func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int32> {
        DateText.parse(base, count: count)
    }
}

struct TimeParser: CellParser {
    func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int64> { TimeText.parse(base, count: count) }
}

/// Timestamps of a column with or without zone. A date alone is its midnight where the column has no zone.
struct TimestampParser: CellParser {
    let hasZone: Bool

    @inline(__always) func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int64> {
        let parsed = TimestampText.parse(base, count: count)
        if parsed.problem == .none, parsed.hasZone == hasZone { return Parsed(parsed.microseconds) }
        return parseRest(parsed, base, count)
    }

    @inline(never)
    private func parseRest(_ parsed: ParsedTimestamp, _ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int64> {
        if parsed.problem == .none { return Parsed(0, .malformed) }
        if !hasZone, let day = DateText.parse(base, count: count).valid, let start = Temporal.timestamp(ofDay: day) {
            return Parsed(start)
        }
        return Parsed(0, parsed.problem)
    }

    func explain(_ problem: ParseProblem, _ base: UnsafeRawPointer, _ count: Int) -> CellProblem {
        let parsed = TimestampText.parse(base, count: count)
        if parsed.problem == .none, parsed.hasZone != hasZone { return hasZone ? .zoneMissing : .zoneUnexpected }
        return .parse(problem)
    }
}

/// `true` and `false`, and in any case also `t`, `yes`, `y`, `1` and their opposites; a byte of 0 or 1.
struct BooleanParser: CellParser {
    private static let words = BooleanWords(
        true: ["true", "t", "yes", "y", "1"], false: ["false", "f", "no", "n", "0"], ignoringCase: true)

    @inline(__always) func parse(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<UInt8> {
        let plain = BooleanText.parse(base, count: count)
        let parsed = plain.isValid ? plain : Self.words.parse(base, count: count)
        return Parsed(parsed.value ? 1 : 0, parsed.problem)
    }
}
