/// Reads numbers of any type as one machine type, so that a kernel over two columns needs one loop.
///
/// The results hold one value a row, valid or not; those at nulls mean nothing.
struct NumericReader {
    /// A column of integers, decimals or floats without a dictionary.
    let column: ColumnVector

    init(_ column: ColumnVector) { self.column = Kernels.decoded(column) }

    /// Digits after the point: that of a decimal, 0 of an integer, nil of a float.
    static func scale(of type: DataType) -> Int? {
        if case .decimal(_, let scale) = type { return scale }
        return type.isInteger ? 0 : nil
    }

    /// The most digits that a value of an integer or decimal type has, nil for other types.
    static func digits(of type: DataType) -> Int? {
        switch type {
        case .decimal(let precision, _): precision
        case .int8, .uint8: 3
        case .int16, .uint16: 5
        case .int32, .uint32: 10
        case .int64: 19
        case .uint64: 20
        default: nil
        }
    }

    /// 10 to the power of `exponent`, for `exponent` up to 38.
    static func power(_ exponent: Int) -> Int128 { (0..<exponent).reduce(1) { value, _ in value * 10 } }

    /// Whether all values of `type`, brought to `scale`, fit 64 bits.
    static func fitsWord(_ type: DataType, scale: Int) -> Bool {
        guard let own = Self.scale(of: type), let digits = Self.digits(of: type) else { return false }
        if type == .int64 { return scale == 0 }
        return digits + scale - own <= 18
    }

    /// Whether a `Double` holds every value of `type` exactly.
    static func fitsDouble(_ type: DataType) -> Bool {
        switch type {
        case .float32, .float64, .int8, .int16, .int32, .uint8, .uint16, .uint32: true
        default: false
        }
    }

    /// Integers or decimals brought to `scale`, which `fitsWord` must have found to fit.
    func words(scale: Int) -> Buffer {
        let view = column.unsafeView
        let factor = Int64(truncatingIfNeeded: Self.power(scale - (Self.scale(of: column.type) ?? 0)))
        switch column.type.physical {
        case .int8: return map(view, Int8.self) { Int64($0) &* factor }
        case .int16: return map(view, Int16.self) { Int64($0) &* factor }
        case .int32: return map(view, Int32.self) { Int64($0) &* factor }
        case .uint8: return map(view, UInt8.self) { Int64($0) &* factor }
        case .uint16: return map(view, UInt16.self) { Int64($0) &* factor }
        case .uint32: return map(view, UInt32.self) { Int64($0) &* factor }
        case .int64:
            if factor == 1, column.offset == 0, let values = column.values { return values }
            return map(view, Int64.self) { $0 &* factor }
        case .int128: return map(view, Int128.self) { Int64(truncatingIfNeeded: $0) &* factor }
        default: preconditionFailure("\(column.type) has no 64-bit coefficients")
        }
    }

    /// Integers or decimals brought to `scale`. A value that passes 128 bits becomes the greatest or least of them, which no
    /// value of at most 38 digits equals.
    func wides(scale: Int) -> Buffer {
        let view = column.unsafeView
        let factor = Self.power(scale - (Self.scale(of: column.type) ?? 0))
        switch column.type.physical {
        case .int8: return map(view, Int8.self) { Self.times(Int128($0), factor) }
        case .int16: return map(view, Int16.self) { Self.times(Int128($0), factor) }
        case .int32: return map(view, Int32.self) { Self.times(Int128($0), factor) }
        case .int64: return map(view, Int64.self) { Self.times(Int128($0), factor) }
        case .uint8: return map(view, UInt8.self) { Self.times(Int128($0), factor) }
        case .uint16: return map(view, UInt16.self) { Self.times(Int128($0), factor) }
        case .uint32: return map(view, UInt32.self) { Self.times(Int128($0), factor) }
        case .uint64: return map(view, UInt64.self) { Self.times(Int128($0), factor) }
        case .int128:
            if factor == 1, column.offset == 0, let values = column.values { return values }
            return map(view, Int128.self) { Self.times($0, factor) }
        default: preconditionFailure("\(column.type) has no coefficients")
        }
    }

    /// Floats, and integers that a `Double` holds exactly.
    func doubles() -> Buffer {
        let view = column.unsafeView
        switch column.type.physical {
        case .int8: return map(view, Int8.self) { Double($0) }
        case .int16: return map(view, Int16.self) { Double($0) }
        case .int32: return map(view, Int32.self) { Double($0) }
        case .uint8: return map(view, UInt8.self) { Double($0) }
        case .uint16: return map(view, UInt16.self) { Double($0) }
        case .uint32: return map(view, UInt32.self) { Double($0) }
        case .float32: return map(view, Float.self) { Double($0) }
        case .float64:
            if column.offset == 0, let values = column.values { return values }
            return map(view, Double.self) { $0 }
        default: preconditionFailure("\(column.type) is not exact as a double")
        }
    }

    @inline(__always) private static func times(_ value: Int128, _ factor: Int128) -> Int128 {
        let (product, overflows) = value.multipliedReportingOverflow(by: factor)
        return overflows ? (value < 0 ? .min : .max) : product
    }

    @inline(__always)
    private func map<T: BitwiseCopyable, R: BitwiseCopyable>(
        _ view: UnsafeColumnView, _: T.Type, _ convert: (T) -> R
    ) -> Buffer {
        let source = view.values(as: T.self)
        let out = MutableBuffer(capacity: column.count &* MemoryLayout<R>.stride)
        let target = out.values(as: R.self)
        for row in 0..<column.count { target[row] = convert(source[row]) }
        return out.finish(byteCount: column.count &* MemoryLayout<R>.stride)
    }
}

/// The order of a binary float against a decimal, by their exact values.
enum ExactOrder {
    /// Below zero, zero or above as `value` is less than, equal to or greater than `coefficient` / 10^`scale`; `scale` is at most
    /// 38. NaN is greater than every number.
    static func compare(_ value: Double, _ coefficient: Int128, scale: Int) -> Int {
        if value.isNaN || value >= 0x1p127 { return 1 }
        if value < -0x1p127 { return -1 }
        let whole = value.rounded(.down)
        let divisor = NumericReader.power(scale)
        var (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: divisor)
        if remainder < 0 {
            quotient -= 1
            remainder += divisor
        }
        let integer = Int128(whole)
        if integer != quotient { return integer < quotient ? -1 : 1 }
        return compareFractions(value - whole, UInt128(remainder), UInt128(divisor))
    }

    /// Compares binary digit by binary digit; both fractions are in 0..<1 and `divisor` is below 2^127.
    private static func compareFractions(_ value: Double, _ remainder: UInt128, _ divisor: UInt128) -> Int {
        var fraction = value
        var rest = remainder
        while true {
            if fraction == 0 { return rest == 0 ? 0 : -1 }
            if rest == 0 { return 1 }
            fraction *= 2
            rest *= 2
            let bit = fraction >= 1
            if bit != (rest >= divisor) { return bit ? 1 : -1 }
            if bit {
                fraction -= 1
                rest -= divisor
            }
        }
    }
}
