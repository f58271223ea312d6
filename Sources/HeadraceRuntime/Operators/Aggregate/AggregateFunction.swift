import HeadraceColumnar

/// How one aggregate is computed: every row starts as a state, states of one group merge into one, the last is the result.
///
/// Merging gives the same result in any order and grouping, to the last bit, so that it may happen in each batch, in each
/// partition and after a spill. A state is one value in each of a few columns; null states stand for no value.
protocol AggregateFunction: Sendable {
    /// The types of the state's columns.
    var stateTypes: [DataType] { get }
    /// The column of results.
    var result: Field { get }
    /// The state of each row.
    func initial(_ rows: AggregateRows) -> [ColumnVector]
    /// `count` states of no row.
    func empty(_ count: Int) -> [ColumnVector]
    /// The state of each group from those of its rows.
    func merge(_ states: [ColumnVector], _ groups: KeyGroups) -> [ColumnVector]
    /// The results of finished states, null where a result does not fit its type.
    func finish(_ states: [ColumnVector], failures: inout [AggregateFailure]) -> ColumnVector
}

/// Rows of a batch as aggregates see them.
struct AggregateRows {
    /// The argument, text perhaps with a dictionary; nil for a count of rows.
    let column: ColumnVector?
    /// Source index and ordinal of each row, not null.
    let ordinals: ColumnVector
    var count: Int { ordinals.count }
}

/// A group whose result does not fit its type.
struct AggregateFailure {
    /// The group's row in the block.
    let row: Int
    let field: String
    let message: String
}

extension AggregateFunction {
    func empty(_ count: Int) -> [ColumnVector] { stateTypes.map { .nulls($0, count: count) } }
}

/// Memory for one value a group, zero at first.
struct GroupValues<Value: BitwiseCopyable>: ~Copyable {
    private let memory: MutableBuffer
    let values: UnsafeMutablePointer<Value>

    init(_ count: Int, repeating value: Value) {
        memory = MutableBuffer(capacity: max(count, 1) &* MemoryLayout<Value>.stride)
        values = memory.base.assumingMemoryBound(to: Value.self)
        values.update(repeating: value, count: count)
    }

    /// A column of the values, null where `isValid` is 0; all valid without it.
    consuming func column(
        _ type: DataType, count: Int, isValid: UnsafePointer<UInt8>? = nil
    ) -> ColumnVector {
        var validity: Buffer?
        if let isValid {
            let bits = MutableBuffer(capacity: Bitmap.byteCount(count))
            bits.base.initializeMemory(as: UInt8.self, repeating: 0, count: Bitmap.byteCount(count))
            for index in 0..<count where isValid[index] != 0 { Bitmap.set(bits.base, index, true) }
            validity = bits.finish(byteCount: Bitmap.byteCount(count))
        }
        return ColumnVector(
            type: type, count: count, validity: validity,
            values: memory.finish(byteCount: count &* MemoryLayout<Value>.stride))
    }
}

extension DataType {
    /// The most digits before the point that a value of a numeric type has; nil for floats and other types.
    var integerDigits: Int? {
        switch self {
        case .decimal(let precision, let scale): precision - scale
        case .int8, .uint8: 3
        case .int16, .uint16: 5
        case .int32, .uint32: 10
        case .int64: 19
        case .uint64: 20
        default: nil
        }
    }

    /// The digits after the point of a decimal, none of an integer.
    var fractionDigits: Int {
        if case .decimal(_, let scale) = self { return scale }
        return 0
    }

    var isFloat: Bool { self == .float32 || self == .float64 }
}
