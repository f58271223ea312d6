/// Tells whether row `i` of one set of key columns equals row `j` of another, for hash tables over batches.
///
/// Each pair of columns has one type, with or without a dictionary on either side.
public final class RowEquality: Sendable {
    private let left: [ColumnVector]
    private let right: [ColumnVector]
    private let nullsEqual: Bool
    private let pairs: Pairs

    /// - Parameter nullsEqual: whether null equals null, as grouping wants it and joins do not.
    public init(_ left: [ColumnVector], _ right: [ColumnVector], nullsEqual: Bool = true) {
        precondition(left.count == right.count, "rows of different numbers of keys are not compared")
        self.left = left
        self.right = right
        self.nullsEqual = nullsEqual
        pairs = Pairs(left, right)
    }

    /// Whether row `leftRow` of the left columns equals row `rightRow` of the right ones. Rows are not checked.
    public func callAsFunction(_ leftRow: Int, _ rightRow: Int) -> Bool {
        for index in 0..<pairs.count {
            let pair = pairs.base + index
            let leftValid = pair.pointee.leftIsValid(leftRow)
            if leftValid != pair.pointee.rightIsValid(rightRow) { return false }
            if leftValid {
                if !pair.pointee.equal(leftRow, rightRow) { return false }
            } else if !nullsEqual {
                return false
            }
        }
        return true
    }
}

/// How one column takes part in an order of rows.
public struct SortOrder: Sendable, Hashable {
    /// Whether least comes first.
    public var ascending: Bool
    /// Whether nulls come before all values, whatever the direction.
    public var nullsFirst: Bool

    /// Nulls come last by default, whatever the direction.
    public init(ascending: Bool = true, nullsFirst: Bool = false) {
        self.ascending = ascending
        self.nullsFirst = nullsFirst
    }

    /// Least first, nulls last.
    public static let ascending = SortOrder()
    /// Greatest first, nulls last.
    public static let descending = SortOrder(ascending: false)
}

/// Orders row `i` of one set of key columns against row `j` of another, for merges of sorted runs.
public final class RowOrder: Sendable {
    private let left: [ColumnVector]
    private let right: [ColumnVector]
    private let orders: [SortOrder]
    private let pairs: Pairs

    /// An order over pairs of columns of one type each, the first pair deciding first; may be the same columns twice.
    public init(_ left: [ColumnVector], _ right: [ColumnVector], orders: [SortOrder]) {
        precondition(left.count == right.count && left.count == orders.count, "each key needs two columns and an order")
        self.left = left
        self.right = right
        self.orders = orders
        pairs = Pairs(left, right)
    }

    /// Below zero, zero or above as row `leftRow` comes before, with or after `rightRow`. Rows are not checked.
    public func compare(_ leftRow: Int, _ rightRow: Int) -> Int { compare(leftRow, rightRow, from: 0) }

    /// The same over the keys from number `first` on.
    func compare(_ leftRow: Int, _ rightRow: Int, from first: Int) -> Int {
        for index in first..<pairs.count {
            let pair = pairs.base + index
            let leftValid = pair.pointee.leftIsValid(leftRow)
            let rightValid = pair.pointee.rightIsValid(rightRow)
            if leftValid && rightValid {
                let result = pair.pointee.compare(leftRow, rightRow)
                if result != 0 { return orders[index].ascending ? result : 0 &- result }
            } else if leftValid != rightValid {
                return leftValid == orders[index].nullsFirst ? 1 : -1
            }
        }
        return 0
    }
}

/// The pairs of two sets of columns in memory of their own, read without reference counting.
///
/// - Invariant (`@unchecked Sendable`): written in `init` only; points into columns, which are immutable and which the owner
///   keeps alive.
private final class Pairs: @unchecked Sendable {
    let base: UnsafeMutablePointer<ColumnPair>
    let count: Int

    init(_ left: [ColumnVector], _ right: [ColumnVector]) {
        count = left.count
        base = .allocate(capacity: max(count, 1))
        for index in 0..<count { (base + index).initialize(to: ColumnPair(left[index], right[index])) }
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }
}
