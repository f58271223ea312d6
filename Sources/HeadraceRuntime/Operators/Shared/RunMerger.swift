import HeadraceColumnar
import HeadraceCore

/// Rows in order: in memory, or in a spill file piece by piece.
struct SortedRun: Sendable {
    enum Storage: Sendable {
        case memory(RecordBatch)
        case file([SpillFile.Extent])
    }
    var storage: Storage
    var rows: Int
    /// Bytes reserved for it.
    var bytes: Int
}

/// Merges sorted runs into one, by a tournament tree over their next rows.
///
/// Used by one thread. Holds one piece of each run in memory.
struct RunMerger {
    private let ordering: RowOrdering
    private let schema: Schema
    private let spill: SpillFile
    private var runs: [SortedRun]
    /// The piece of each run that is being read.
    private var pieces: [RecordBatch]
    /// The next row of each piece; past the end once the run is exhausted.
    private var heads: [Int]
    private var nextExtent: [Int]
    /// Comparators of pieces, made when first needed and dropped with their pieces.
    private var comparators: [RowOrder?]
    /// The loser of each match; the winner of all at 0.
    private var tree: [Int]

    init(_ runs: [SortedRun], ordering: RowOrdering, schema: Schema, spill: SpillFile) throws {
        self.runs = runs
        self.ordering = ordering
        self.schema = schema
        self.spill = spill
        let empty = RecordBatch(empty: schema)
        pieces = Array(repeating: empty, count: runs.count)
        heads = Array(repeating: 0, count: runs.count)
        nextExtent = Array(repeating: 0, count: runs.count)
        comparators = Array(repeating: nil, count: runs.count * runs.count)
        tree = Array(repeating: -1, count: max(runs.count, 1))
        for run in runs.indices { try load(run) }
        for run in runs.indices { enter(run) }
    }

    /// Gives at most `limit` rows in order, in batches of at most `most`.
    mutating func run(limit: Int?, batch most: Int, emit: (RecordBatch) throws -> Void) throws {
        guard !runs.isEmpty else { return }
        let sources = MutableBuffer(capacity: most * 4)
        let rows = MutableBuffer(capacity: most * 4)
        let source = sources.base.assumingMemoryBound(to: Int32.self)
        let row = rows.base.assumingMemoryBound(to: Int32.self)
        var pending = 0
        var left = limit ?? Int.max
        while left > 0 {
            let winner = tree[0]
            let head = heads[winner]
            guard head < pieces[winner].count else { break }
            source[pending] = Int32(truncatingIfNeeded: winner)
            row[pending] = Int32(truncatingIfNeeded: head)
            pending += 1
            left -= 1
            heads[winner] = head + 1
            let isSpent = head + 1 == pieces[winner].count
            if pending == most || isSpent {
                try flush(source, row, &pending, emit)
                if isSpent { try load(winner) }
            }
            replay(winner)
        }
        try flush(source, row, &pending, emit)
        _ = consume sources
        _ = consume rows
    }

    private func flush(
        _ sources: UnsafeMutablePointer<Int32>, _ rows: UnsafeMutablePointer<Int32>, _ pending: inout Int,
        _ emit: (RecordBatch) throws -> Void
    ) throws {
        guard pending > 0 else { return }
        let count = pending
        pending = 0
        var same = true
        for index in 1..<max(count, 1) where sources[index] != sources[0] {
            same = false
            break
        }
        // Rows of one run follow one another in its piece.
        if same {
            return try emit(pieces[Int(sources[0])].slice(from: Int(rows[0]), count: count))
        }
        try emit(
            Kernels.interleave(
                pieces, sources: UnsafeBufferPointer(start: sources, count: count),
                rows: UnsafeBufferPointer(start: rows, count: count)))
    }

    /// Brings the next piece of a run that has been read to its end; leaves the spent one when there is none.
    private mutating func load(_ run: Int) throws {
        switch runs[run].storage {
        case .memory(let block):
            if nextExtent[run] > 0 { return }
            pieces[run] = block
        case .file(let extents):
            guard nextExtent[run] < extents.count else { return }
            pieces[run] = try spill.read(extents[nextExtent[run]], schema: schema)
        }
        nextExtent[run] += 1
        heads[run] = 0
        for other in runs.indices {
            comparators[run * runs.count + other] = nil
            comparators[other * runs.count + run] = nil
        }
    }

    /// Whether the next row of run `left` comes before that of `right`; an exhausted run comes after all.
    private mutating func precedes(_ left: Int, _ right: Int) -> Bool {
        if heads[left] >= pieces[left].count { return false }
        if heads[right] >= pieces[right].count { return true }
        let place = left * runs.count + right
        let comparator: RowOrder
        if let known = comparators[place] {
            comparator = known
        } else {
            comparator = ordering.comparator(pieces[left], pieces[right])
            comparators[place] = comparator
        }
        let order = comparator.compare(heads[left], heads[right])
        return order < 0 || (order == 0 && left < right)
    }

    /// Plays a run's first matches, while other places of the tree are still empty.
    private mutating func enter(_ run: Int) {
        var winner = run
        var node = (run + runs.count) / 2
        while node > 0 {
            if tree[node] < 0 {
                tree[node] = winner
                return
            }
            if precedes(tree[node], winner) { swap(&tree[node], &winner) }
            node /= 2
        }
        tree[0] = winner
    }

    /// Plays the matches of the run that has just won again, with its next row.
    private mutating func replay(_ run: Int) {
        var winner = run
        var node = (run + runs.count) / 2
        while node > 0 {
            if precedes(tree[node], winner) { swap(&tree[node], &winner) }
            node /= 2
        }
        tree[0] = winner
    }
}
