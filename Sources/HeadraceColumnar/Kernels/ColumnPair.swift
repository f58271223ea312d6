import Glibc

/// Two columns of one type, to compare a value of the one with a value of the other, whichever has a dictionary.
///
/// Holds no references: who makes one keeps both columns alive.
struct ColumnPair {
    private let physical: Physical
    private let left: Side
    private let right: Side
    /// Both sides index the same dictionary, whose values are distinct.
    private let sharesDictionary: Bool

    /// One of the columns: its rows, and the values that they stand for.
    private struct Side {
        let rows: UnsafeColumnView
        let values: UnsafeColumnView
        let isEncoded: Bool
        let column: Unmanaged<ColumnVector>

        init(_ column: ColumnVector) {
            rows = column.unsafeView
            isEncoded = column.dictionary != nil
            values = column.dictionary?.unsafeView ?? rows
            self.column = .passUnretained(column)
        }

        @inline(__always) func index(_ row: Int) -> Int { isEncoded ? rows.key(row) : row }
    }

    init(_ left: ColumnVector, _ right: ColumnVector) {
        precondition(
            left.type.physical == right.type.physical, "\(left.type) is not compared with \(right.type) as it is")
        physical = left.type.physical
        self.left = Side(left)
        self.right = Side(right)
        sharesDictionary = ColumnVector.shareDictionary(left, right)
    }

    @inline(__always) func leftIsValid(_ row: Int) -> Bool { left.rows.isValid(row) }
    @inline(__always) func rightIsValid(_ row: Int) -> Bool { right.rows.isValid(row) }

    /// Whether the values are equal; both must be valid.
    @inline(__always)
    func equal(_ leftRow: Int, _ rightRow: Int) -> Bool {
        if sharesDictionary { return left.rows.key(leftRow) == right.rows.key(rightRow) }
        let one = left.index(leftRow)
        let other = right.index(rightRow)
        switch physical {
        case .bits: return left.values.bool(one) == right.values.bool(other)
        case .int8, .uint8: return same(one, other, UInt8.self)
        case .int16, .uint16: return same(one, other, UInt16.self)
        case .int32, .uint32: return same(one, other, UInt32.self)
        case .int64, .uint64: return same(one, other, UInt64.self)
        case .int128: return same(one, other, UInt128.self)
        case .float32:
            return FloatOrder.equal(left.values.values(as: Float.self)[one], right.values.values(as: Float.self)[other])
        case .float64:
            return FloatOrder.equal(
                left.values.values(as: Double.self)[one], right.values.values(as: Double.self)[other])
        case .bytes: return TextOrder.equal(left.values, one, right.values, other)
        case .list, .structure: return NestedOrder.compare(left.column, one, right.column, other) == 0
        }
    }

    /// Below zero, zero or above as the left value is less than, equal to or greater than the right; both must be valid.
    @inline(__always)
    func compare(_ leftRow: Int, _ rightRow: Int) -> Int {
        let one = left.index(leftRow)
        let other = right.index(rightRow)
        switch physical {
        case .bits: return (left.values.bool(one) ? 1 : 0) - (right.values.bool(other) ? 1 : 0)
        case .int8: return order(one, other, Int8.self)
        case .int16: return order(one, other, Int16.self)
        case .int32: return order(one, other, Int32.self)
        case .int64: return order(one, other, Int64.self)
        case .int128: return order(one, other, Int128.self)
        case .uint8: return order(one, other, UInt8.self)
        case .uint16: return order(one, other, UInt16.self)
        case .uint32: return order(one, other, UInt32.self)
        case .uint64: return order(one, other, UInt64.self)
        case .float32:
            return FloatOrder.compare(
                left.values.values(as: Float.self)[one], right.values.values(as: Float.self)[other])
        case .float64:
            return FloatOrder.compare(
                left.values.values(as: Double.self)[one], right.values.values(as: Double.self)[other])
        case .bytes: return TextOrder.compare(left.values, one, right.values, other)
        case .list, .structure: return NestedOrder.compare(left.column, one, right.column, other)
        }
    }

    @inline(__always)
    private func same<T: FixedWidthInteger & BitwiseCopyable>(_ one: Int, _ other: Int, _: T.Type) -> Bool {
        left.values.values(as: T.self)[one] == right.values.values(as: T.self)[other]
    }

    @inline(__always)
    private func order<T: FixedWidthInteger & BitwiseCopyable>(_ one: Int, _ other: Int, _: T.Type) -> Int {
        let first = left.values.values(as: T.self)[one]
        let second = right.values.values(as: T.self)[other]
        return first < second ? -1 : first == second ? 0 : 1
    }
}

/// The order of lists and structs. Only plain columns are nested: a dictionary of lists or structs is decoded when it comes in.
private enum NestedOrder {
    /// Lists by their first different element, then by length; structs by their first different member. Inside, null is greatest.
    static func compare(_ left: Unmanaged<ColumnVector>, _ one: Int, _ right: Unmanaged<ColumnVector>, _ other: Int)
        -> Int
    {
        left._withUnsafeGuaranteedRef { left in
            right._withUnsafeGuaranteedRef { right in
                left.type.layout == .list ? lists(left, one, right, other) : structs(left, one, right, other)
            }
        }
    }

    private static func lists(_ left: ColumnVector, _ one: Int, _ right: ColumnVector, _ other: Int) -> Int {
        let pair = ColumnPair(left.children[0], right.children[0])
        let mine = left.unsafeView
        let theirs = right.unsafeView
        var first = Int(mine.textOffset(one))
        var second = Int(theirs.textOffset(other))
        let firstEnd = Int(mine.textOffset(one + 1))
        let secondEnd = Int(theirs.textOffset(other + 1))
        while first < firstEnd && second < secondEnd {
            let result = nullsLast(pair, first, second)
            if result != 0 { return result }
            first += 1
            second += 1
        }
        return (firstEnd - first) - (secondEnd - second)
    }

    private static func structs(_ left: ColumnVector, _ one: Int, _ right: ColumnVector, _ other: Int) -> Int {
        for (mine, theirs) in zip(left.children, right.children) {
            let result = nullsLast(ColumnPair(mine, theirs), left.offset + one, right.offset + other)
            if result != 0 { return result }
        }
        return 0
    }

    private static func nullsLast(_ pair: ColumnPair, _ one: Int, _ other: Int) -> Int {
        switch (pair.leftIsValid(one), pair.rightIsValid(other)) {
        case (true, true): pair.compare(one, other)
        case (true, false): -1
        case (false, true): 1
        case (false, false): 0
        }
    }
}

/// The total order of floating point: NaN equals NaN and is greater than all, -0 equals 0.
enum FloatOrder {
    @inline(__always) static func equal<T: BinaryFloatingPoint>(_ left: T, _ right: T) -> Bool {
        left == right || (left != left && right != right)
    }

    @inline(__always) static func less<T: BinaryFloatingPoint>(_ left: T, _ right: T) -> Bool {
        left < right || (left == left && right != right)
    }

    @inline(__always) static func compare<T: BinaryFloatingPoint>(_ left: T, _ right: T) -> Int {
        less(left, right) ? -1 : equal(left, right) ? 0 : 1
    }
}

/// The order of text by its bytes.
enum TextOrder {
    @inline(__always)
    static func equal(_ left: UnsafeColumnView, _ one: Int, _ right: UnsafeColumnView, _ other: Int) -> Bool {
        let first = Int(left.textOffset(one))
        let second = Int(right.textOffset(other))
        let count = Int(left.textOffset(one &+ 1)) &- first
        guard count == Int(right.textOffset(other &+ 1)) &- second else { return false }
        return memcmp(left.textBase + first, right.textBase + second, count) == 0
    }

    @inline(__always)
    static func compare(_ left: UnsafeColumnView, _ one: Int, _ right: UnsafeColumnView, _ other: Int) -> Int {
        let first = Int(left.textOffset(one))
        let second = Int(right.textOffset(other))
        return compare(
            left.textBase + first, Int(left.textOffset(one &+ 1)) &- first, right.textBase + second,
            Int(right.textOffset(other &+ 1)) &- second)
    }

    @inline(__always)
    static func compare(_ left: UnsafeRawPointer, _ leftCount: Int, _ right: UnsafeRawPointer, _ rightCount: Int) -> Int
    {
        let result = memcmp(left, right, min(leftCount, rightCount))
        return result != 0 ? Int(result) : leftCount &- rightCount
    }
}
