import HeadraceColumnar
import HeadraceCore
import Synchronization

/// Puts any number of rows in order: sorted runs in memory, on disk when they do not fit, merged at the end.
///
/// Many workers may add; one finishes. Each worker sorts the run that its batch has filled, outside the lock.
final class ExternalSorter: Sendable {
    private struct State {
        var pending: [RecordBatch] = []
        var pendingBytes = 0
        var runs: [SortedRun] = []

        /// Bytes of the rows in memory.
        var heldBytes: Int { runs.reduce(pendingBytes) { $0 + $1.bytes } }
    }

    /// Bytes of rows that are sorted as one run; sorting takes as much again twice over.
    private let runBytes: Int
    /// The most runs of a file merged at a time; more are merged in several passes.
    private static let fanIn = 64
    /// Bytes of the pieces that a merge of runs of a file holds; more runs are merged in several passes, two at least.
    private let mergeBytes: Int

    private let schema: Schema
    private let ordering: RowOrdering
    private let limit: Int?
    private let budget: BudgetShare
    private let spill: SpillFile
    private let state = Mutex(State())
    private let added = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)

    /// - Parameter limit: only so many of the first rows are wanted; the rest may be dropped early.
    init(schema: Schema, ordering: RowOrdering, limit: Int? = nil, state operatorState: OperatorState) {
        self.schema = schema
        self.ordering = ordering
        self.limit = limit
        budget = operatorState.budget
        spill = operatorState.spill
        runBytes = max(64 << 10, min(16 << 20, operatorState.budget.limit / 16))
        mergeBytes = operatorState.budget.limit / 8
    }

    /// Rows added so far.
    var rows: Int { added.load(ordering: .relaxed) }

    /// Rows beyond the limit that have been dropped, all of them once `finish` has returned.
    var droppedRows: Int { dropped.load(ordering: .relaxed) }

    func add(_ rows: RecordBatch) throws {
        if rows.count == 0 { return }
        added.wrappingAdd(rows.count, ordering: .relaxed)
        let rows = limit.map { $0 < rows.count } == true ? cut(rows) : rows
        if rows.count == 0 { return }
        let bytes = rows.byteSize
        if !budget.reserve(bytes) {
            // Less than a chunk is not worth a run: writing it frees next to nothing, and merging it costs a piece.
            let isWorthSpilling = state.withLock { $0.heldBytes } >= budget.chunkBytes
            if isWorthSpilling { try spillRuns() }
            if !isWorthSpilling || !budget.reserve(bytes) { budget.force(bytes) }
        }
        let (full, fullBytes) = state.withLock { state -> ([RecordBatch], Int) in
            state.pending.append(rows)
            state.pendingBytes += bytes
            return state.pendingBytes >= runBytes ? Self.takePending(&state) : ([], 0)
        }
        if !full.isEmpty { try keep(sortedRun(full, bytes: fullBytes)) }
    }

    /// Gives all rows in order, in batches of at most 4096, at most `limit` rows.
    func finish(_ emit: (RecordBatch) throws -> Void) throws {
        var (runs, pending, pendingBytes) = state.withLock { state in
            let (pending, bytes) = Self.takePending(&state)
            defer { state.runs = [] }
            return (state.runs, pending, bytes)
        }
        if !pending.isEmpty { runs.append(sortedRun(pending, bytes: pendingBytes)) }
        var files = runs.filter { !$0.isInMemory }
        runs.removeAll { !$0.isInMemory }
        // The shortest runs first, so that as few rows as can be are written once more.
        files.sort { $0.rows < $1.rows }
        while mergeWidth(files) < files.count {
            let width = mergeWidth(files)
            let merged = try merge(Array(files.prefix(width)))
            files.removeFirst(width)
            files.insert(merged, at: files.firstIndex { $0.rows > merged.rows } ?? files.count)
        }
        runs += files
        var emitted = 0
        if runs.count == 1, case .memory(let block) = runs[0].storage {
            for piece in block.pieces(bytes: budget.chunkBytes) { try emit(piece) }
            emitted = block.count
        } else {
            // A piece of each run, and the rows on their way out.
            let held = runs.reduce(chunk(of: runs)) { $0 + $1.pieceBytes }
            budget.force(held)
            defer { budget.release(held) }
            var merger = try RunMerger(runs, ordering: ordering, schema: schema, spill: spill)
            try merger.run(limit: limit, batch: rowsPerChunk(runs)) {
                emitted += $0.count
                try emit($0)
            }
        }
        dropped.wrappingAdd(runs.reduce(0) { $0 + $1.rows } - emitted, ordering: .relaxed)
        for run in runs { budget.release(run.bytes) }
    }

    /// Drops all rows. What they held of the budget is given back with the operator's whole share.
    func discard() {
        state.withLock { $0 = State() }
    }

    private static func takePending(_ state: inout State) -> ([RecordBatch], Int) {
        defer {
            state.pending = []
            state.pendingBytes = 0
        }
        return (state.pending, state.pendingBytes)
    }

    /// The rows in order, without those beyond the limit.
    private func cut(_ rows: RecordBatch) -> RecordBatch {
        let sorted = ordering.sorted(rows, limit: limit)
        dropped.wrappingAdd(rows.count - sorted.count, ordering: .relaxed)
        return sorted
    }

    private func sortedRun(_ blocks: [RecordBatch], bytes: Int) -> SortedRun {
        // All rows once more side by side, and once more in order.
        budget.force(2 * bytes)
        let block = cut(Kernels.concat(blocks))
        let kept = block.byteSize
        budget.release(3 * bytes - kept)
        return SortedRun(storage: .memory(block), rows: block.count, bytes: kept)
    }

    /// How many of the first `files` are merged at a time.
    private func mergeWidth(_ files: [SortedRun]) -> Int {
        var bytes = 0
        for (index, run) in files.enumerated() {
            bytes += run.pieceBytes
            if index >= 2 && (index == Self.fanIn || bytes > mergeBytes) { return index }
        }
        return files.count
    }

    /// The most bytes that a chunk of the rows of `runs` can have.
    private func chunk(of runs: [SortedRun]) -> Int { min(budget.chunkBytes, runs.reduce(0) { $0 + $1.byteCount }) }

    /// How many rows make a chunk, at most 4096.
    private func rowsPerChunk(_ runs: [SortedRun]) -> Int {
        let rows = runs.reduce(0) { $0 + $1.rows }
        let bytes = runs.reduce(0) { $0 + $1.byteCount }
        return max(1, min(4096, budget.chunkBytes / max(1, bytes / max(1, rows))))
    }

    /// Adds a run; with a limit, runs are merged before they hold much more than the rows wanted.
    private func keep(_ run: SortedRun) throws {
        let full = state.withLock { state -> [SortedRun] in
            state.runs.append(run)
            guard let limit, state.runs.count > 1, state.runs.reduce(0, { $0 + $1.rows }) >= 2 * limit,
                state.runs.reduce(0, { $0 + $1.bytes }) <= PartitionStore.mostBlockBytes
            else {
                return []
            }
            defer { state.runs = [] }
            return state.runs
        }
        if !full.isEmpty {
            let merged = try merge(full)
            state.withLock { $0.runs.append(merged) }
        }
    }

    /// Moves all runs in memory and the rows not yet sorted to the spill file.
    private func spillRuns() throws {
        let (runs, pending, bytes) = state.withLock { state in
            let (pending, bytes) = Self.takePending(&state)
            let inMemory = state.runs.filter(\.isInMemory)
            state.runs.removeAll(where: \.isInMemory)
            return (inMemory, pending, bytes)
        }
        for run in runs { try write(run) }
        if !pending.isEmpty { try write(sortedRun(pending, bytes: bytes)) }
    }

    private func write(_ run: SortedRun) throws {
        guard case .memory(let block) = run.storage else { return }
        let extents = try block.pieces(bytes: budget.chunkBytes).map { try spill.write($0) }
        budget.release(run.bytes)
        state.withLock { $0.runs.append(SortedRun(storage: .file(extents), rows: run.rows, bytes: 0)) }
    }

    /// One run of several: in memory when all of them are, else in the file.
    private func merge(_ runs: [SortedRun]) throws -> SortedRun {
        // A piece of each run, rows on their way from the merge, rows waiting for their chunk, and the chunk.
        let held = runs.reduce(3 * chunk(of: runs)) { $0 + $1.pieceBytes }
        budget.force(held)
        let batch = rowsPerChunk(runs)
        var merger = try RunMerger(runs, ordering: ordering, schema: schema, spill: spill)
        var rows = 0
        defer {
            for run in runs { budget.release(run.bytes) }
            budget.release(held)
            dropped.wrappingAdd(runs.reduce(0) { $0 + $1.rows } - rows, ordering: .relaxed)
        }
        if runs.allSatisfy(\.isInMemory) {
            var blocks: [RecordBatch] = []
            var blockBytes = 0
            try merger.run(limit: limit, batch: batch) {
                blockBytes += $0.byteSize
                budget.force($0.byteSize)
                blocks.append($0)
            }
            budget.force(blockBytes)
            let block = blocks.isEmpty ? RecordBatch(empty: schema) : Kernels.concat(blocks)
            let bytes = block.byteSize
            budget.release(2 * blockBytes - bytes)
            rows = block.count
            return SortedRun(storage: .memory(block), rows: block.count, bytes: bytes)
        }
        var extents: [SpillFile.Extent] = []
        var waiting: [RecordBatch] = []
        var waitingBytes = 0
        func flush() throws {
            if waiting.isEmpty { return }
            extents.append(try spill.write(Kernels.concat(waiting)))
            waiting = []
            waitingBytes = 0
        }
        try merger.run(limit: limit, batch: batch) {
            let bytes = $0.byteSize
            if waitingBytes + bytes > budget.chunkBytes { try flush() }
            waiting.append($0)
            waitingBytes += bytes
            rows += $0.count
        }
        try flush()
        return SortedRun(storage: .file(extents), rows: rows, bytes: 0)
    }
}

extension SortedRun {
    var isInMemory: Bool {
        if case .memory = storage { return true }
        return false
    }

    /// Bytes of the rows, in memory or in the file.
    var byteCount: Int {
        switch storage {
        case .memory: bytes
        case .file(let extents): extents.reduce(0) { $0 + $1.byteCount }
        }
    }

    /// Bytes that a merge holds of the run beyond what is reserved for it: its largest piece in the file.
    var pieceBytes: Int {
        switch storage {
        case .memory: 0
        case .file(let extents): extents.reduce(0) { max($0, $1.byteCount) }
        }
    }
}
