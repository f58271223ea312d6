/// What is computed over the values of a group; nulls do not count.
public enum AggregateFunction: Sendable, Hashable {
    /// How many values there are, as `int64`; 0 for none.
    case count
    /// How many different values there are, as `int64`; 0 for none.
    case countDistinct
    /// The sum: `int64` for integers (`decimal(30,0)` for `uint64`), the decimal of `DecimalRules.sum`, `float64` for floats. Null for
    /// no value.
    case sum
    /// The least value, in the order of `Kernels`; null for no value.
    case minimum
    /// The greatest value; null for no value.
    case maximum
    /// The mean of integers and decimals, exact and rounded half-even to `scale` digits after the point; of floats a `float64`
    /// whatever the scale. Null for no value.
    case mean(scale: Int)
    /// Whether any boolean is true; null for no value.
    case any
    /// Whether all booleans are true; null for no value.
    case all
}

/// Takes in values group by group and gives one value for each in the end.
///
/// Not thread-safe. Groups are numbered from 0; one that gets no value is null or, when counted, zero. Float sums depend in
/// their last bits on the order of the rows, everything else does not.
public protocol GroupAccumulator: AnyObject {
    /// The type of the results.
    var resultType: DataType { get }
    /// The bytes of state held.
    var byteSize: Int { get }

    /// Adds value `i` to group `groups[i]`, or all values to group 0 without `groups`.
    /// - Parameters:
    ///   - values: of the type that the accumulator was made for.
    ///   - groups: one for each value, all below `groupCount`; not checked.
    ///   - groupCount: how many groups there are by now; never less than before.
    func update(_ values: ColumnVector, groups: UnsafePointer<Int32>?, groupCount: Int)

    /// One value for each of `groupCount` groups. A group whose result its type does not hold is null and among the failures, where
    /// `row` is its number. The accumulator is empty afterwards.
    func finish(groupCount: Int) -> KernelResult
}

extension Kernels {
    /// An accumulator of `function` over values of `type`.
    /// - Throws: `KernelError` when the function is not defined for them.
    public static func accumulator(
        _ function: AggregateFunction, over type: DataType
    ) throws(KernelError) -> any GroupAccumulator {
        guard let resultType = aggregateType(function, over: type) else {
            throw KernelError("\(function)", unsupported: [type])
        }
        switch function {
        case .count: return CountAccumulator()
        case .countDistinct: return DistinctCountAccumulator(type)
        case .sum, .mean:
            if resultType == .float64 { return FloatSumAccumulator(isMean: function != .sum) }
            return SumAccumulator(over: type, function, resultType)
        case .minimum, .all: return extremum(type, isMaximum: false)
        case .maximum, .any: return extremum(type, isMaximum: true)
        }
    }

    /// The type that `function` gives over values of `type`, nil when it is not defined for them.
    public static func aggregateType(_ function: AggregateFunction, over type: DataType) -> DataType? {
        switch function {
        case .count: return .int64
        case .countDistinct: return type.layout == .list || type.layout == .struct ? nil : .int64
        case .minimum, .maximum: return type.layout == .list || type.layout == .struct ? nil : type
        case .any, .all: return type == .bool ? .bool : nil
        case .sum:
            switch type {
            case .float32, .float64: return .float64
            case .uint64: return .decimal(precision: 30, scale: 0)
            case .decimal(let precision, let scale):
                let shape = DecimalRules.sum(DecimalShape(precision: precision, scale: scale))
                return .decimal(precision: shape.precision, scale: shape.scale)
            default: return type.isInteger ? .int64 : nil
            }
        case .mean(let scale):
            if type == .float32 || type == .float64 { return .float64 }
            guard let shape = DecimalShape(exact: type), (0...38).contains(scale) else { return nil }
            // Rounding up may add a digit in front: 9.96 becomes 10.0.
            let digits = shape.integerDigits + (scale < shape.scale ? 1 : 0)
            return .decimal(precision: min(max(digits + scale, 1), 38), scale: scale)
        }
    }

    /// `function` over all values of a column; a column of one row.
    /// - Throws: `KernelError` when the function is not defined for the type.
    public static func aggregate(
        _ function: AggregateFunction, _ column: ColumnVector
    ) throws(KernelError) -> KernelResult {
        let accumulator = try accumulator(function, over: column.type)
        accumulator.update(column, groups: nil, groupCount: 1)
        return accumulator.finish(groupCount: 1)
    }

    /// `function` over the values of each group; a column of one row a group.
    /// - Parameter groups: the group of each value, 0 up to `groupCount`.
    /// - Throws: `KernelError` when the function is not defined for the type.
    public static func aggregate(
        _ function: AggregateFunction, _ column: ColumnVector, groups: UnsafeBufferPointer<Int32>, groupCount: Int
    ) throws(KernelError) -> KernelResult {
        precondition(groups.count == column.count, "an aggregate needs a group for every value")
        precondition(
            groups.allSatisfy { $0 >= 0 && Int($0) < groupCount }, "a group lies outside the \(groupCount) there are")
        let accumulator = try accumulator(function, over: column.type)
        accumulator.update(column, groups: groups.baseAddress, groupCount: groupCount)
        return accumulator.finish(groupCount: groupCount)
    }

    private static func extremum(_ type: DataType, isMaximum: Bool) -> any GroupAccumulator {
        switch type.physical {
        case .bits: BooleanExtremum(isMaximum: isMaximum)
        case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32: WordExtremum(type, isMaximum)
        case .int128, .uint64: WideExtremum(type, isMaximum)
        case .float32, .float64: FloatExtremum(type, isMaximum)
        case .bytes, .list, .structure: TextExtremum(type, isMaximum)
        }
    }
}

/// One value of state for each group, zero until it is written.
struct GroupStates<T: BitwiseCopyable>: ~Copyable {
    private var storage = MutableBuffer(capacity: 0)
    private var count = 0

    var byteSize: Int { storage.capacity }

    /// The states of `groupCount` groups, new ones of zero bytes; valid until the next call.
    mutating func grown(to groupCount: Int) -> UnsafeMutablePointer<T> {
        if groupCount > count {
            let stride = MemoryLayout<T>.stride
            storage.reserve(groupCount &* stride, keeping: count &* stride)
            (storage.base + count &* stride).initializeMemory(
                as: UInt8.self, repeating: 0, count: (groupCount &- count) &* stride)
            count = groupCount
        }
        return storage.values(as: T.self)
    }

    /// The states of `groupCount` groups as a buffer; empty afterwards.
    mutating func take(_ groupCount: Int) -> Buffer {
        _ = grown(to: groupCount)
        var full = MutableBuffer(capacity: 0)
        swap(&storage, &full)
        count = 0
        return full.finish(byteCount: groupCount &* MemoryLayout<T>.stride)
    }
}

extension GroupAccumulator {
    /// Calls `body` with each row that is not null and its group.
    @inline(__always)
    func each(
        _ view: UnsafeColumnView, _ groups: UnsafePointer<Int32>?, _ body: (_ row: Int, _ group: Int) -> Void
    ) {
        guard let groups else {
            for row in 0..<view.count where view.isValid(row) { body(row, 0) }
            return
        }
        if view.hasNulls {
            for row in 0..<view.count where view.isValid(row) { body(row, Int(groups[row])) }
        } else {
            for row in 0..<view.count { body(row, Int(groups[row])) }
        }
    }
}

/// How many values each group has.
final class CountAccumulator: GroupAccumulator {
    let resultType = DataType.int64
    private var counts = GroupStates<Int64>()
    var byteSize: Int { counts.byteSize }

    func update(_ values: ColumnVector, groups: UnsafePointer<Int32>?, groupCount: Int) {
        let counts = counts.grown(to: groupCount)
        each(values.unsafeView, groups) { counts[$1] &+= 1 }
    }

    func finish(groupCount: Int) -> KernelResult {
        KernelResult(
            column: ColumnVector(type: .int64, count: groupCount, nullCount: 0, values: counts.take(groupCount)),
            failures: [])
    }
}
