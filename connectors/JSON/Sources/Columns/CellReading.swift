import HeadraceColumnar

/// Reads values from the text of numbers and strings where JSON's rules go beyond those of plain text.
enum CellReading {
    /// Whole numbers; `1.0` and `1e3` are whole too, `1.5` is not.
    @inline(__always)
    static func integer<Value: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ base: UnsafeRawPointer, _ count: Int, as type: Value.Type
    ) -> Parsed<Value> {
        let parsed = IntegerText.parse(base, count: count, as: type)
        if parsed.problem != .malformed { return parsed }
        let exact = exactInteger(base, count)
        guard exact.problem == .none else { return Parsed(0, exact.problem) }
        guard let value = Value(exactly: exact.value) else { return Parsed(0, .outOfRange) }
        return Parsed(value)
    }

    @inline(never)
    private static func exactInteger(_ base: UnsafeRawPointer, _ count: Int) -> Parsed<Int128> {
        DecimalText.parse128(base, count: count, precision: 38, scale: 0)
    }

    /// What a problem with text for a column of `type` is called.
    static func explain(
        _ problem: ParseProblem, _ text: UnsafeRawBufferPointer, _ type: DataType
    ) -> CellProblem {
        switch type {
        case .date32: return .notADate
        case .time64: return .notATime
        case .timestamp(let zone):
            guard let base = text.baseAddress else { return .notATimestamp }
            let parsed = TimestampText.parse(base, count: text.count)
            guard parsed.problem == .none, parsed.hasZone != (zone != nil) else { return .notATimestamp }
            return zone == nil ? .zoneUnexpected : .zoneMissing
        case .decimal:
            return problem == .outOfRange
                ? .outOfRange : problem == .tooManyFractionDigits ? .tooManyFractionDigits : .notADecimal
        case .float32, .float64: return problem == .outOfRange ? .outOfRange : .notANumber
        default: return problem == .outOfRange ? .outOfRange : .notAnInteger
        }
    }
}
