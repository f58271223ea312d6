/// One bit a row for a comparison of two columns; bits at nulls mean nothing.
struct ColumnComparison {
    let left: ColumnVector
    let right: ColumnVector
    /// One of the six that have no rule for null.
    let comparison: Comparison

    func bits() -> Buffer {
        defer { withExtendedLifetime((left, right)) {} }
        if let one = left.dictionary, one === right.dictionary, comparison == .equal || comparison == .notEqual {
            let mine = left.unsafeView.values(as: Int32.self)
            let theirs = right.unsafeView.values(as: Int32.self)
            return CompareLoop.integers(left.count, comparison) {
                mine[$0]
            } _: {
                theirs[$0]
            }
        }
        if left.type.isNumeric && left.type != right.type { return mixedNumbers() }
        if left.type.layout == .bytes { return slots(either: Kernels.hasEncoded(left, right)) }
        let one = Kernels.decoded(left)
        let other = Kernels.decoded(right)
        defer { withExtendedLifetime((one, other)) {} }
        return ColumnComparison(left: one, right: other, comparison: comparison).plain()
    }

    private func plain() -> Buffer {
        switch left.type.physical {
        case .bits:
            let one = left.unsafeView
            let other = right.unsafeView
            return CompareLoop.integers(left.count, comparison) {
                one.bool($0) ? 1 : 0
            } _: {
                other.bool($0) ? 1 : 0
            }
        case .int8: return integers(Int8.self)
        case .int16: return integers(Int16.self)
        case .int32: return integers(Int32.self)
        case .int64: return integers(Int64.self)
        case .int128: return integers(Int128.self)
        case .uint8: return integers(UInt8.self)
        case .uint16: return integers(UInt16.self)
        case .uint32: return integers(UInt32.self)
        case .uint64: return integers(UInt64.self)
        case .float32: return floats(Float.self)
        case .float64: return floats(Double.self)
        case .bytes, .list, .structure: return slots(either: false)
        }
    }

    private func integers<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> Buffer {
        let one = left.unsafeView.values(as: T.self)
        let other = right.unsafeView.values(as: T.self)
        return CompareLoop.integers(left.count, comparison) {
            one[$0]
        } _: {
            other[$0]
        }
    }

    private func floats<T: BinaryFloatingPoint & BitwiseCopyable>(_: T.Type) -> Buffer {
        let one = left.unsafeView.values(as: T.self)
        let other = right.unsafeView.values(as: T.self)
        return CompareLoop.floats(left.count, comparison) {
            one[$0]
        } _: {
            other[$0]
        }
    }

    /// Text and nested values; asks for validity first, because a null row of an encoded column has no entry to look at.
    private func slots(either encoded: Bool) -> Buffer {
        let pair = ColumnPair(left, right)
        let comparison = comparison
        if comparison == .equal || comparison == .notEqual {
            let wanted = comparison == .equal
            return Bitmap.build(left.count) { row in
                guard !encoded || (pair.leftIsValid(row) && pair.rightIsValid(row)) else { return false }
                return pair.equal(row, row) == wanted
            }
        }
        return Bitmap.build(left.count) { row in
            guard !encoded || (pair.leftIsValid(row) && pair.rightIsValid(row)) else { return false }
            return comparison.holds(pair.compare(row, row))
        }
    }

    private func mixedNumbers() -> Buffer {
        let one = NumericReader(left)
        let other = NumericReader(right)
        guard let leftScale = NumericReader.scale(of: left.type), let rightScale = NumericReader.scale(of: right.type)
        else { return mixedFloats(one, other) }
        let scale = max(leftScale, rightScale)
        if NumericReader.fitsWord(left.type, scale: scale) && NumericReader.fitsWord(right.type, scale: scale) {
            return compare(one.words(scale: scale), other.words(scale: scale), as: Int64.self)
        }
        return compare(one.wides(scale: scale), other.wides(scale: scale), as: Int128.self)
    }

    private func compare<T: FixedWidthInteger & BitwiseCopyable>(_ one: Buffer, _ other: Buffer, as: T.Type) -> Buffer {
        let mine = one.base.assumingMemoryBound(to: T.self)
        let theirs = other.base.assumingMemoryBound(to: T.self)
        defer { withExtendedLifetime((one, other)) {} }
        return CompareLoop.integers(left.count, comparison) {
            mine[$0]
        } _: {
            theirs[$0]
        }
    }

    private func mixedFloats(_ one: NumericReader, _ other: NumericReader) -> Buffer {
        if NumericReader.fitsDouble(left.type) && NumericReader.fitsDouble(right.type) {
            let first = one.doubles()
            let second = other.doubles()
            let mine = first.base.assumingMemoryBound(to: Double.self)
            let theirs = second.base.assumingMemoryBound(to: Double.self)
            defer { withExtendedLifetime((first, second)) {} }
            return CompareLoop.floats(left.count, comparison) {
                mine[$0]
            } _: {
                theirs[$0]
            }
        }
        if let scale = NumericReader.scale(of: right.type) {
            return exact(one.doubles(), other.wides(scale: scale), scale, comparison)
        }
        return exact(
            other.doubles(), one.wides(scale: NumericReader.scale(of: left.type) ?? 0),
            NumericReader.scale(of: left.type) ?? 0, comparison.flipped)
    }

    private func exact(_ floats: Buffer, _ coefficients: Buffer, _ scale: Int, _ comparison: Comparison) -> Buffer {
        let mine = floats.base.assumingMemoryBound(to: Double.self)
        let theirs = coefficients.base.assumingMemoryBound(to: Int128.self)
        defer { withExtendedLifetime((floats, coefficients)) {} }
        return Bitmap.build(left.count) { comparison.holds(ExactOrder.compare(mine[$0], theirs[$0], scale: scale)) }
    }
}

/// One bit a row for a comparison of a column with one value; bits at nulls mean nothing.
struct ConstantComparison {
    let column: ColumnVector
    /// A column of one value, comparable to `column`.
    let constant: ColumnVector
    let comparison: Comparison

    func bits() -> Buffer {
        defer { withExtendedLifetime((column, constant)) {} }
        if let dictionary = column.dictionary {
            // Each entry once, unless there are more entries than rows.
            guard dictionary.count <= column.count else {
                return ConstantComparison(
                    column: Kernels.decoded(column), constant: constant, comparison: comparison
                ).bits()
            }
            let known = ConstantComparison(column: dictionary, constant: constant, comparison: comparison).bits()
            let view = column.unsafeView
            defer { withExtendedLifetime(known) {} }
            return Bitmap.build(column.count) { view.isValid($0) && Bitmap.get(known.base, view.key($0)) }
        }
        guard column.type.physical == constant.type.physical,
            column.type == constant.type || !column.type.isNumeric
        else {
            let row = RowSelection([Int32](repeating: 0, count: column.count))
            return ColumnComparison(left: column, right: Kernels.take(constant, row), comparison: comparison).bits()
        }
        let view = column.unsafeView
        switch column.type.physical {
        case .bits:
            let value = constant.unsafeView.bool(0) ? 1 : 0
            return CompareLoop.integers(column.count, comparison) {
                view.bool($0) ? 1 : 0
            } _: { _ in
                value
            }
        case .int8: return integers(Int8.self)
        case .int16: return integers(Int16.self)
        case .int32: return integers(Int32.self)
        case .int64: return integers(Int64.self)
        case .int128: return integers(Int128.self)
        case .uint8: return integers(UInt8.self)
        case .uint16: return integers(UInt16.self)
        case .uint32: return integers(UInt32.self)
        case .uint64: return integers(UInt64.self)
        case .float32: return floats(Float.self)
        case .float64: return floats(Double.self)
        case .bytes, .list, .structure:
            let pair = ColumnPair(column, constant)
            let comparison = comparison
            if comparison == .equal { return Bitmap.build(column.count) { pair.equal($0, 0) } }
            return Bitmap.build(column.count) { comparison.holds(pair.compare($0, 0)) }
        }
    }

    private func integers<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> Buffer {
        let values = column.unsafeView.values(as: T.self)
        let value = constant.unsafeView.values(as: T.self)[0]
        return CompareLoop.integers(column.count, comparison) {
            values[$0]
        } _: { _ in
            value
        }
    }

    private func floats<T: BinaryFloatingPoint & BitwiseCopyable>(_: T.Type) -> Buffer {
        let values = column.unsafeView.values(as: T.self)
        let value = constant.unsafeView.values(as: T.self)[0]
        return CompareLoop.floats(column.count, comparison) {
            values[$0]
        } _: { _ in
            value
        }
    }
}

/// The loops, one for each comparison, chosen outside.
private enum CompareLoop {
    @inline(__always)
    static func integers<T: FixedWidthInteger>(
        _ count: Int, _ comparison: Comparison, _ left: (Int) -> T, _ right: (Int) -> T
    ) -> Buffer {
        switch comparison {
        case .equal, .notDistinct: Bitmap.build(count) { left($0) == right($0) }
        case .notEqual, .distinct: Bitmap.build(count) { left($0) != right($0) }
        case .less: Bitmap.build(count) { left($0) < right($0) }
        case .lessOrEqual: Bitmap.build(count) { left($0) <= right($0) }
        case .greater: Bitmap.build(count) { left($0) > right($0) }
        case .greaterOrEqual: Bitmap.build(count) { left($0) >= right($0) }
        }
    }

    @inline(__always)
    static func floats<T: BinaryFloatingPoint>(
        _ count: Int, _ comparison: Comparison, _ left: (Int) -> T, _ right: (Int) -> T
    ) -> Buffer {
        switch comparison {
        case .equal, .notDistinct: Bitmap.build(count) { FloatOrder.equal(left($0), right($0)) }
        case .notEqual, .distinct: Bitmap.build(count) { !FloatOrder.equal(left($0), right($0)) }
        case .less: Bitmap.build(count) { FloatOrder.less(left($0), right($0)) }
        case .lessOrEqual: Bitmap.build(count) { !FloatOrder.less(right($0), left($0)) }
        case .greater: Bitmap.build(count) { FloatOrder.less(right($0), left($0)) }
        case .greaterOrEqual: Bitmap.build(count) { !FloatOrder.less(left($0), right($0)) }
        }
    }
}

extension Kernels {
    fileprivate static func hasEncoded(_ left: ColumnVector, _ right: ColumnVector) -> Bool {
        left.dictionary != nil || right.dictionary != nil
    }
}
