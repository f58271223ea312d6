import HeadraceColumnar

/// Results that are whole numbers inside: int64, uint64 or a decimal's coefficients; null until they are set.
struct NumberColumn: ~Copyable {
    private let type: DataType
    private let count: Int
    private let lowest: Int128
    private let highest: Int128
    private let isWide: Bool
    private let numbers: MutableBuffer
    private let isValid: GroupValues<UInt8>

    init(_ type: DataType, count: Int) {
        self.type = type
        self.count = count
        if case .decimal(let precision, _) = type {
            highest = DecimalMath.widePowerOfTen(precision) - 1
            lowest = -highest
            isWide = precision > 18
        } else {
            let range = type.integerRange ?? (0, 0)
            lowest = range.lowest
            highest = range.highest
            isWide = false
        }
        let byteCount = count * (isWide ? 16 : 8)
        numbers = MutableBuffer(capacity: byteCount)
        numbers.base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        isValid = GroupValues<UInt8>(count, repeating: 0)
    }

    /// Sets a value; false, with null in its place, when there is none or the type does not hold it.
    @inline(__always) mutating func set(_ row: Int, _ value: Int128?) -> Bool {
        guard let value, lowest <= value, value <= highest else { return false }
        if isWide {
            numbers.base.storeBytes(of: value, toByteOffset: row &* 16, as: Int128.self)
        } else {
            numbers.base.storeBytes(of: UInt64(truncatingIfNeeded: value), toByteOffset: row &* 8, as: UInt64.self)
        }
        isValid.values[row] = 1
        return true
    }

    consuming func finish() -> ColumnVector {
        let validity = MutableBuffer(capacity: Bitmap.byteCount(count))
        validity.base.initializeMemory(as: UInt8.self, repeating: 0, count: Bitmap.byteCount(count))
        for row in 0..<count where isValid.values[row] != 0 { Bitmap.set(validity.base, row, true) }
        return ColumnVector(
            type: type, count: count, validity: validity.finish(byteCount: Bitmap.byteCount(count)),
            values: numbers.finish(byteCount: count * (isWide ? 16 : 8)))
    }
}
