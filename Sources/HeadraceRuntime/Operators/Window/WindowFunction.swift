import HeadraceColumnar

/// Sorted rows of whole window partitions, as window functions see them.
struct WindowRows {
    let block: RecordBatch
    /// The first row of each window partition, and the end of the last.
    let starts: [Int]
    /// Whether two neighbours are equal in the sort columns.
    let peers: RowEquality

    /// Calls `body` with the rows of each window partition.
    func forEachPartition(_ body: (Range<Int>) -> Void) {
        for index in 0..<starts.count - 1 { body(starts[index]..<starts[index + 1]) }
    }
}

/// A computation over sorted rows that gives one value a row.
protocol WindowFunction: Sendable {
    var result: Field { get }
    /// The results, null where one does not fit its type.
    func compute(_ rows: WindowRows, failures: inout [AggregateFailure]) -> ColumnVector
}

/// The number of a row in its partition: counted, or as rank with or without gaps after rows that are equal in the order.
struct RankFunction: WindowFunction {
    enum Kind: Sendable { case rowNumber, rank, denseRank }
    let result: Field
    let kind: Kind

    init(_ name: String, _ kind: Kind) {
        result = Field(name, .int64, nullable: false)
        self.kind = kind
    }

    func compute(_ rows: WindowRows, failures: inout [AggregateFailure]) -> ColumnVector {
        let numbers = GroupValues<Int64>(rows.block.count, repeating: 0)
        rows.forEachPartition { range in
            var number: Int64 = 0
            for row in range {
                let position = Int64(row - range.lowerBound + 1)
                switch kind {
                case .rowNumber: number = position
                case _ where row > range.lowerBound && rows.peers(row - 1, row): break
                case .rank: number = position
                case .denseRank: number += 1
                }
                numbers.values[row] = number
            }
        }
        return numbers.column(.int64, count: rows.block.count)
    }
}

/// The value of another row of the partition: some rows away, the first or the last; null where there is none.
struct PickFunction: WindowFunction {
    enum Place: Sendable {
        /// So many rows further on, or back when negative.
        case away(Int)
        case first, last
    }
    let result: Field
    let column: Int
    let place: Place

    func compute(_ rows: WindowRows, failures: inout [AggregateFailure]) -> ColumnVector {
        let count = rows.block.count
        let picked = GroupValues<Int32>(count, repeating: -1)
        rows.forEachPartition { range in
            for row in range {
                let source =
                    switch place {
                    case .away(let distance): row.addingReportingOverflow(distance).partialValue
                    case .first: range.lowerBound
                    case .last: range.upperBound - 1
                    }
                if range.contains(source) { picked.values[row] = Int32(truncatingIfNeeded: source) }
            }
        }
        let column = Kernels.takeNullable(
            rows.block.columns[column], indices: UnsafeBufferPointer(start: picked.values, count: count))
        _ = consume picked
        return column
    }
}

/// The rows from some before a row up to the row itself.
struct WindowFrame: Sendable {
    /// How many rows before; nil for all from the partition's first.
    let preceding: Int?

    func start(_ row: Int, in range: Range<Int>) -> Int {
        guard let preceding else { return range.lowerBound }
        return max(range.lowerBound, row - min(preceding, row))
    }
}

/// The number of rows in the frame.
struct WindowCountFunction: WindowFunction {
    let result: Field
    let frame: WindowFrame

    init(_ name: String, frame: WindowFrame) {
        result = Field(name, .int64, nullable: false)
        self.frame = frame
    }

    func compute(_ rows: WindowRows, failures: inout [AggregateFailure]) -> ColumnVector {
        let counts = GroupValues<Int64>(rows.block.count, repeating: 0)
        rows.forEachPartition { range in
            for row in range { counts.values[row] = Int64(row - frame.start(row, in: range) + 1) }
        }
        return counts.column(.int64, count: rows.block.count)
    }
}

/// The least or greatest value in the frame; nulls do not take part.
struct WindowExtremeFunction: WindowFunction {
    let result: Field
    let column: Int
    let isMinimum: Bool
    let frame: WindowFrame

    func compute(_ rows: WindowRows, failures: inout [AggregateFailure]) -> ColumnVector {
        let count = rows.block.count
        let values = rows.block.columns[column]
        let order = RowOrder([values], [values], orders: [isMinimum ? .ascending : .descending])
        let picked = GroupValues<Int32>(count, repeating: -1)
        // Rows that may still be the best of a later frame, the best first, each better than those behind it.
        var candidates: [Int] = []
        rows.forEachPartition { range in
            candidates.removeAll(keepingCapacity: true)
            var head = 0
            for row in range {
                if values.isValid(row) {
                    while candidates.count > head, let last = candidates.last, order.compare(row, last) < 0 {
                        candidates.removeLast()
                    }
                    candidates.append(row)
                }
                let start = frame.start(row, in: range)
                while head < candidates.count && candidates[head] < start { head += 1 }
                if head < candidates.count { picked.values[row] = Int32(truncatingIfNeeded: candidates[head]) }
            }
        }
        let column = Kernels.takeNullable(
            values, indices: UnsafeBufferPointer(start: picked.values, count: count))
        _ = consume picked
        return column
    }
}
