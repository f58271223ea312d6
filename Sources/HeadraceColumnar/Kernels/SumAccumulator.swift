/// Sums and means of integers and decimals, exact in 128 bits.
final class SumAccumulator: GroupAccumulator {
    let resultType: DataType
    private let scale: Int
    private let physical: Physical
    private let meanScale: Int?
    private var sums = GroupStates<Int128>()
    private var counts = GroupStates<Int64>()
    /// Groups whose sum passed 128 bits; only wide decimals can do that.
    private var overflowed: Set<Int32> = []

    init(over type: DataType, _ function: AggregateFunction, _ resultType: DataType) {
        self.resultType = resultType
        physical = type.physical
        scale = NumericReader.scale(of: type) ?? 0
        if case .mean(let scale) = function { meanScale = scale } else { meanScale = nil }
    }

    var byteSize: Int { sums.byteSize + counts.byteSize + overflowed.count * 8 }

    func update(_ values: ColumnVector, groups: UnsafePointer<Int32>?, groupCount: Int) {
        let column = Kernels.decoded(values)
        let view = column.unsafeView
        switch physical {
        case .int8: add(view, groups, groupCount, Int8.self)
        case .int16: add(view, groups, groupCount, Int16.self)
        case .int32: add(view, groups, groupCount, Int32.self)
        case .int64: add(view, groups, groupCount, Int64.self)
        case .uint8: add(view, groups, groupCount, UInt8.self)
        case .uint16: add(view, groups, groupCount, UInt16.self)
        case .uint32: add(view, groups, groupCount, UInt32.self)
        case .uint64: add(view, groups, groupCount, UInt64.self)
        case .int128: addWide(view, groups, groupCount)
        case .bits, .float32, .float64, .bytes, .list, .structure:
            preconditionFailure("\(values.type) has no exact sum")
        }
        withExtendedLifetime(column) {}
    }

    /// A 128-bit sum of 64-bit values cannot overflow.
    @inline(__always)
    private func add<T: FixedWidthInteger & BitwiseCopyable>(
        _ view: UnsafeColumnView, _ groups: UnsafePointer<Int32>?, _ groupCount: Int, _: T.Type
    ) {
        let sums = sums.grown(to: groupCount)
        let counts = counts.grown(to: groupCount)
        let values = view.values(as: T.self)
        each(view, groups) { row, group in
            sums[group] &+= Int128(truncatingIfNeeded: values[row])
            counts[group] &+= 1
        }
    }

    private func addWide(_ view: UnsafeColumnView, _ groups: UnsafePointer<Int32>?, _ groupCount: Int) {
        let sums = sums.grown(to: groupCount)
        let counts = counts.grown(to: groupCount)
        let values = view.values(as: Int128.self)
        each(view, groups) { row, group in
            let (sum, overflows) = sums[group].addingReportingOverflow(values[row])
            sums[group] = sum
            counts[group] &+= 1
            if overflows { note(group) }
        }
    }

    private func note(_ group: Int) { overflowed.insert(Int32(truncatingIfNeeded: group)) }

    func finish(groupCount: Int) -> KernelResult {
        let totals = sums.take(groupCount)
        let sizes = counts.take(groupCount)
        let total = totals.base.assumingMemoryBound(to: Int128.self)
        let size = sizes.base.assumingMemoryBound(to: Int64.self)
        var failures: [RowFailure] = []
        let range = bounds
        let narrow = MutableBuffer(capacity: groupCount &* 8)
        let words = narrow.values(as: Int64.self)
        for group in 0..<groupCount where size[group] != 0 {
            var value: Int128? = total[group]
            if let meanScale, let sum = value {
                value = DecimalMath.divide(sum, by: Int128(size[group]), appending: meanScale - scale, .halfEven)
            }
            if let value, range.contains(value), !overflowed.contains(Int32(truncatingIfNeeded: group)) {
                total[group] = value
            } else {
                failures.append(RowFailure(row: Int32(truncatingIfNeeded: group), reason: .outOfRange))
            }
        }
        overflowed = []
        let isWide = resultType.layout == .fixed(width: 16)
        if !isWide { for group in 0..<groupCount { words[group] = Int64(truncatingIfNeeded: total[group]) } }
        let bits = Bitmap.build(groupCount) { size[$0] != 0 }
        let validity = Validity(
            buffer: bits, nullCount: groupCount &- Bitmap.countSet(bits.base, offset: 0, count: groupCount)
        ).removing(failures, count: groupCount)
        withExtendedLifetime((totals, sizes)) {}
        return KernelResult(
            column: ColumnVector(
                type: resultType, count: groupCount, nullCount: validity.nullCount, validity: validity.buffer,
                values: isWide ? totals : narrow.finish(byteCount: groupCount &* 8)),
            failures: failures)
    }

    /// The values that the result's type holds.
    private var bounds: ClosedRange<Int128> {
        if let range = resultType.integerRange { return range.lowest...range.highest }
        guard case .decimal(let precision, _) = resultType else { return Int128.min...Int128.max }
        let limit = DecimalMath.widePowerOfTen(precision) - 1
        return -limit...limit
    }
}

/// Sums and means of floats with a running compensation (Neumaier), good to the last bits in any order but not bit-equal.
final class FloatSumAccumulator: GroupAccumulator {
    let resultType = DataType.float64
    private let isMean: Bool
    private var sums = GroupStates<Double>()
    private var lost = GroupStates<Double>()
    private var counts = GroupStates<Int64>()

    init(isMean: Bool) { self.isMean = isMean }

    var byteSize: Int { sums.byteSize + lost.byteSize + counts.byteSize }

    func update(_ values: ColumnVector, groups: UnsafePointer<Int32>?, groupCount: Int) {
        let column = Kernels.decoded(values)
        let view = column.unsafeView
        if column.type == .float32 {
            let source = view.values(as: Float.self)
            add(view, groups, groupCount) { Double(source[$0]) }
        } else {
            let source = view.values(as: Double.self)
            add(view, groups, groupCount) { source[$0] }
        }
        withExtendedLifetime(column) {}
    }

    @inline(__always)
    private func add(
        _ view: UnsafeColumnView, _ groups: UnsafePointer<Int32>?, _ groupCount: Int, _ value: (Int) -> Double
    ) {
        let sums = sums.grown(to: groupCount)
        let lost = lost.grown(to: groupCount)
        let counts = counts.grown(to: groupCount)
        each(view, groups) { row, group in
            let next = value(row)
            let before = sums[group]
            let sum = before + next
            lost[group] += before.magnitude >= next.magnitude ? (before - sum) + next : (next - sum) + before
            sums[group] = sum
            counts[group] &+= 1
        }
    }

    func finish(groupCount: Int) -> KernelResult {
        let totals = sums.take(groupCount)
        let rests = lost.take(groupCount)
        let sizes = counts.take(groupCount)
        let total = totals.base.assumingMemoryBound(to: Double.self)
        let rest = rests.base.assumingMemoryBound(to: Double.self)
        let size = sizes.base.assumingMemoryBound(to: Int64.self)
        for group in 0..<groupCount {
            // Compensating an infinite sum would make it no number.
            if total[group].isFinite { total[group] += rest[group] }
            if isMean && size[group] > 0 { total[group] /= Double(size[group]) }
        }
        let bits = Bitmap.build(groupCount) { size[$0] != 0 }
        withExtendedLifetime((totals, rests, sizes)) {}
        return KernelResult(
            column: ColumnVector(type: .float64, count: groupCount, validity: bits, values: totals), failures: [])
    }
}
