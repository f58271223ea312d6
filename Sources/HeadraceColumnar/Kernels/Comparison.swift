/// How two values are compared.
public enum Comparison: Sendable, Hashable, CaseIterable {
    /// The six of SQL: null where either value is null.
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    /// Unequal, where null counts as a value of its own: never null.
    case distinct
    /// Equal, where null counts as a value of its own: never null.
    case notDistinct

    /// The comparison that holds between the operands in the other order.
    public var flipped: Comparison {
        switch self {
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        case .equal, .notEqual, .distinct, .notDistinct: self
        }
    }

    /// The comparison without its rule for null.
    fileprivate var ofValues: Comparison {
        switch self {
        case .distinct: .notEqual
        case .notDistinct: .equal
        default: self
        }
    }

    /// Whether the comparison holds for an order below zero, zero or above zero.
    @inline(__always) func holds(_ order: Int) -> Bool {
        switch self {
        case .equal, .notDistinct: order == 0
        case .notEqual, .distinct: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }
}

extension Kernels {
    /// Compares two columns row by row: a column of booleans, null where either value is null (but for `distinct` and
    /// `notDistinct`).
    ///
    /// Numbers of all types are compared by their exact values, a float against a decimal too. Text and JSON are
    /// compared by bytes; all other types only with themselves, timestamps with a zone with each other whatever the zone.
    /// - Throws: `KernelError` when the types are not comparable.
    public static func compare(
        _ left: ColumnVector, _ comparison: Comparison, _ right: ColumnVector
    ) throws(KernelError) -> ColumnVector {
        precondition(left.count == right.count, "columns of \(left.count) and \(right.count) values are not compared")
        guard areComparable(left.type, right.type) else {
            throw KernelError("a comparison", unsupported: [left.type, right.type])
        }
        let bits = ColumnComparison(left: left, right: right, comparison: comparison.ofValues).bits()
        return finish(bits, comparison, left, right)
    }

    /// Compares each value of a column with one value; comparing with null gives null in every row.
    /// - Throws: `KernelError` when the value is of a kind that the column's type is not compared with.
    public static func compare(
        _ left: ColumnVector, _ comparison: Comparison, _ right: Scalar
    ) throws(KernelError) -> ColumnVector {
        if right.isNull {
            switch comparison {
            case .distinct: return isNotNull(left)
            case .notDistinct: return isNull(left)
            default: return .nulls(.bool, count: left.count)
            }
        }
        guard let constant = constant(right, comparableTo: left.type) else {
            throw KernelError("a comparison with \(right.kind)", unsupported: [left.type])
        }
        let bits = ConstantComparison(column: left, constant: constant, comparison: comparison.ofValues).bits()
        return finish(bits, comparison, left, nil)
    }

    /// Whether values of the two types are compared with each other.
    public static func areComparable(_ left: DataType, _ right: DataType) -> Bool {
        switch (left, right) {
        case (.timestamp(let one), .timestamp(let other)): (one == nil) == (other == nil)
        case (.list(let one), .list(let other)): one.type == other.type
        case (.struct(let one), .struct(let other)): one.map(\.type) == other.map(\.type)
        default: left == right || (left.isNumeric && right.isNumeric) || (left.isText && right.isText)
        }
    }

    /// A column of this one value, of the column type `type` where that holds it exactly, else of a type comparable to it.
    private static func constant(_ value: Scalar, comparableTo type: DataType) -> ColumnVector? {
        if let column = ColumnVector.of(type, [value]) { return column }
        switch value {
        case .integer(let integer) where type.isNumeric:
            return Buffer.column(of: integer, type: .decimal(precision: 38, scale: 0))
        case .decimal(let decimal) where type.isNumeric && (0...38).contains(decimal.scale):
            return Buffer.column(of: decimal.coefficient, type: .decimal(precision: 38, scale: decimal.scale))
        case .double where type.isNumeric: return ColumnVector.of(.float64, [value])
        default: return nil
        }
    }

    /// Puts the nulls of the operands on the bits of a comparison.
    private static func finish(
        _ bits: Buffer, _ comparison: Comparison, _ left: ColumnVector, _ right: ColumnVector?
    ) -> ColumnVector {
        let count = left.count
        switch comparison {
        case .distinct, .notDistinct:
            let one = left.unsafeView
            let other = right?.unsafeView
            let values = Bitmap.build(count) { index, width in
                let leftValid = one.validWord(index &* 64, count: width)
                let rightValid = other?.validWord(index &* 64, count: width) ?? Bitmap.mask(width)
                let word = Bitmap.word(bits.base, index &* 64, count: width)
                let differs = comparison == .distinct ? word : ~word & Bitmap.mask(width)
                let distinct = (leftValid ^ rightValid) | (leftValid & rightValid & differs)
                return comparison == .distinct ? distinct : ~distinct & Bitmap.mask(width)
            }
            return ColumnVector(type: .bool, count: count, nullCount: 0, values: values.buffer)
        default:
            let validity = right.map { Validity(left, $0) } ?? Validity(left)
            return ColumnVector(
                type: .bool, count: count, nullCount: validity.nullCount, validity: validity.buffer, values: bits)
        }
    }
}

extension Buffer {
    /// A column of the one value `value`.
    fileprivate static func column<T: BitwiseCopyable>(of value: T, type: DataType) -> ColumnVector {
        ColumnVector(
            type: type, count: 1, nullCount: 0, values: withUnsafeBytes(of: value) { Buffer(copying: $0) })
    }
}

extension Scalar {
    /// The kind of value, for messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .double: "a float"
        case .decimal: "a decimal"
        case .utf8: "a text"
        case .binary: "binary"
        case .date: "a date"
        case .time: "a time"
        case .timestamp: "a timestamp"
        case .list: "a list"
        case .struct: "a struct"
        }
    }
}
