import HeadraceColumnar
import HeadraceCore

/// Cuts a stream of sorted rows where one window partition ends and the next begins.
struct WindowGroups {
    /// Rows of whole window partitions.
    struct Whole {
        let block: RecordBatch
        /// The first row of each partition, and the end of the last.
        let starts: [Int]
    }

    /// Whole partitions are handed over once they have this many rows.
    private static let enough = 4096

    private let keys: [Int]
    private let state: OperatorState
    private var pieces: [RecordBatch] = []
    private var count = 0
    /// Where partitions begin in the rows waiting; the last one may go on.
    private var starts: [Int] = []
    private var held = 0

    init(keys: [Int], state: OperatorState) {
        self.keys = keys
        self.state = state
    }

    /// Takes the next rows; gives whole partitions when there are enough rows of them.
    /// - Throws: `outOfBudget` when one partition does not fit into memory.
    mutating func add(_ piece: RecordBatch) throws -> Whole? {
        let columns = piece.columns(at: keys)
        if let last = pieces.last {
            let equality = RowEquality(last.columns(at: keys), columns)
            if !equality(last.count - 1, 0) { starts.append(count) }
        } else {
            starts.append(0)
        }
        let equality = RowEquality(columns, columns)
        for row in 1..<max(piece.count, 1) where !equality(row - 1, row) { starts.append(count + row) }
        let bytes = piece.byteSize
        var isFull = false
        if !state.budget.reserve(bytes) {
            // Partitions that are whole can go. One that is not is taken up to half of what the run may hold.
            isFull = (starts.last ?? 0) > 0
            guard isFull || held + bytes <= max(4 * state.budget.chunkBytes, state.budget.limit / 2) else {
                throw tooLarge(piece)
            }
            state.budget.force(bytes)
        }
        held += bytes
        pieces.append(piece)
        count += piece.count
        guard let open = starts.last, open > 0, isFull || open >= Self.enough else { return nil }
        let block = Kernels.concat(pieces)
        let whole = Whole(block: block.slice(from: 0, count: open), starts: starts)
        let rest = block.slice(from: open, count: count - open)
        let kept = rest.byteSize
        state.budget.force(kept)
        state.budget.release(held)
        held = kept
        pieces = [rest]
        count = rest.count
        starts = [0]
        return whole
    }

    /// What is left at the end.
    mutating func finish() -> Whole? {
        defer {
            state.budget.release(held)
            pieces = []
        }
        if pieces.isEmpty { return nil }
        return Whole(block: Kernels.concat(pieces), starts: starts + [count])
    }

    private func tooLarge(_ piece: RecordBatch) -> HeadraceError {
        let values = keys.map { "\(piece.schema.fields[$0].name) = \(piece.columns[$0].scalar(at: 0))" }
        return HeadraceError(
            .outOfBudget, "step \(state.step) has a window partition that does not fit into memory",
            fields: [("partition", values.isEmpty ? "all rows" : values.joined(separator: ", "))],
            hint: "give the run a larger memory budget, or partition by more columns")
    }
}
