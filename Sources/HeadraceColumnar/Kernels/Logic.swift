extension Kernels {
    /// Three-valued AND: false when either is false, else null when either is null.
    /// - Throws: `KernelError` unless both columns are booleans.
    public static func and(_ left: ColumnVector, _ right: ColumnVector) throws(KernelError) -> ColumnVector {
        try kleene("and", left, right) { leftTrue, leftFalse, rightTrue, rightFalse in
            (leftTrue & rightTrue, leftFalse | rightFalse)
        }
    }

    /// Three-valued OR: true when either is true, else null when either is null.
    /// - Throws: `KernelError` unless both columns are booleans.
    public static func or(_ left: ColumnVector, _ right: ColumnVector) throws(KernelError) -> ColumnVector {
        try kleene("or", left, right) { leftTrue, leftFalse, rightTrue, rightFalse in
            (leftTrue | rightTrue, leftFalse & rightFalse)
        }
    }

    /// The other truth value; null stays null.
    /// - Throws: `KernelError` unless the column is of booleans.
    public static func not(_ column: ColumnVector) throws(KernelError) -> ColumnVector {
        guard column.type == .bool else { throw KernelError("not", unsupported: [column.type]) }
        let column = decoded(column)
        let view = column.unsafeView
        let values = Bitmap.build(column.count) { index, width in
            ~Bitmap.word(view.valueBits.base, view.valueBits.offset &+ index &* 64, count: width) & Bitmap.mask(width)
        }
        let validity = Validity(column)
        return ColumnVector(
            type: .bool, count: column.count, nullCount: validity.nullCount, validity: validity.buffer,
            values: values.buffer)
    }

    /// Whether each value is null; never null itself.
    public static func isNull(_ column: ColumnVector) -> ColumnVector {
        let view = column.unsafeView
        let values = Bitmap.build(column.count) { index, width in
            ~view.validWord(index &* 64, count: width) & Bitmap.mask(width)
        }
        return ColumnVector(type: .bool, count: column.count, nullCount: 0, values: values.buffer)
    }

    /// Whether each value is not null; never null itself.
    public static func isNotNull(_ column: ColumnVector) -> ColumnVector {
        let view = column.unsafeView
        let values = Bitmap.build(column.count) { index, width in view.validWord(index &* 64, count: width) }
        return ColumnVector(type: .bool, count: column.count, nullCount: 0, values: values.buffer)
    }

    /// Combines words of "is true" and "is false" bits; what is neither is null.
    @inline(__always)
    private static func kleene(
        _ name: String, _ left: ColumnVector, _ right: ColumnVector,
        _ combine: (UInt64, UInt64, UInt64, UInt64) -> (isTrue: UInt64, isFalse: UInt64)
    ) throws(KernelError) -> ColumnVector {
        guard left.type == .bool, right.type == .bool else {
            throw KernelError(name, unsupported: [left.type, right.type])
        }
        precondition(left.count == right.count, "\(name) of columns of different lengths")
        let left = decoded(left)
        let right = decoded(right)
        let count = left.count
        let one = left.unsafeView
        let other = right.unsafeView
        let values = MutableBuffer(capacity: Bitmap.wordBytes(count))
        let words = values.values(as: UInt64.self)
        let known = Bitmap.build(count) { index, width in
            let start = index &* 64
            let leftValid = one.validWord(start, count: width)
            let rightValid = other.validWord(start, count: width)
            let leftBits = Bitmap.word(one.valueBits.base, one.valueBits.offset &+ start, count: width)
            let rightBits = Bitmap.word(other.valueBits.base, other.valueBits.offset &+ start, count: width)
            let (isTrue, isFalse) = combine(
                leftValid & leftBits, leftValid & ~leftBits, rightValid & rightBits, rightValid & ~rightBits)
            words[index] = isTrue
            return isTrue | isFalse
        }
        withExtendedLifetime((left, right)) {}
        return ColumnVector(
            type: .bool, count: count, nullCount: count &- known.setBits, validity: known.buffer,
            values: values.finish(byteCount: Bitmap.byteCount(count)))
    }
}
