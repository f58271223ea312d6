import HeadraceColumnar
import HeadraceCore
import Synchronization

/// Keeps rows by partitions of their key hashes, in memory while they fit, else in a spill file.
///
/// Workers add at the same time; a partition's lock is held for an append only. With a `merge`, rows of equal keys are
/// merged while they come in, so that memory is bounded by keys and not by rows.
final class PartitionStore: Sendable {
    /// Rows in, fewer rows out, with which they may be merged again in any order and grouping with the same result.
    typealias Merge = @Sendable (RecordBatch) throws -> RecordBatch

    static let partitionCount = Scatter.Bits.partitions.count
    /// Rows wait for others of their partition until they have this many bytes, and then become a block.
    private static let pendingBytes = 64 << 10
    /// Slices of rows that cannot be appended value by value wait until there are this many.
    private static let pendingSlices = 32
    /// Blocks of fewer rows than this are not merged.
    private static let fewRows = 1024
    /// No block holds many more bytes than this, far from the limits of 32-bit offsets.
    static let mostBlockBytes = 1 << 30

    /// The rows of one partition.
    struct Rows: Sendable {
        var blocks: [RecordBatch] = []
        var extents: [SpillFile.Extent] = []
        /// Bytes reserved for the blocks.
        var bytes = 0

        var count: Int { blocks.reduce(0) { $0 + $1.count } + extents.reduce(0) { $0 + $1.rows } }
        var isEmpty: Bool { blocks.isEmpty && extents.isEmpty }
    }

    /// - Invariant: `rows.bytes` is the size of all blocks and pending rows here, and reserved.
    private struct State {
        /// Where pending rows are put side by side; nil where slices of their batches wait instead.
        let appender: RowAppender?
        var pending: [RecordBatch] = []
        var pendingBytes = 0
        var rows = Rows()
        var blockRows = 0
        /// Rows from which on the blocks are merged again.
        var mergesAt = PartitionStore.fewRows

        init(_ schema: Schema) { appender = RowAppender(schema) }

        mutating func clear() {
            _ = takePending()
            rows = Rows()
            blockRows = 0
            mergesAt = PartitionStore.fewRows
        }

        mutating func append(_ block: RecordBatch, bytes: Int) {
            rows.blocks.append(block)
            rows.bytes += bytes
            blockRows += block.count
        }

        mutating func takePending() -> [RecordBatch] {
            defer {
                pending = []
                pendingBytes = 0
            }
            rows.bytes -= pendingBytes
            if let appender, appender.count > 0 { return [appender.finish()] }
            return pending
        }

        mutating func takeBlocks() -> (blocks: [RecordBatch], bytes: Int) {
            let bytes = rows.blocks.reduce(0) { $0 + size($1) }
            defer {
                rows.blocks = []
                rows.bytes -= bytes
                blockRows = 0
            }
            return (rows.blocks, bytes)
        }

        mutating func takeAll() -> (blocks: [RecordBatch], bytes: Int) {
            let (blocks, bytes) = takeBlocks()
            mergesAt = PartitionStore.fewRows
            let rest = rows.bytes
            return (blocks + takePending(), bytes + rest)
        }
    }

    private final class Partition: Sendable {
        let state: Mutex<State>
        init(_ schema: Schema) { state = Mutex(State(schema)) }
    }

    let step: String
    let schema: Schema
    let hash: Int
    /// The columns of the keys, for messages.
    let keys: [Int]
    let budget: BudgetShare
    let spill: SpillFile
    let faults: any FaultPoints
    let merge: Merge?
    private let partitions: [Partition]
    /// Whether rows are appended value by value.
    private let isAppended: Bool
    private let hasSpilledFlag = Atomic<Bool>(false)
    private let mergedCount = Atomic<Int>(0)
    /// Rows that were looked at for others of their key in their own batch, and how many of these were merged.
    private let lookedAt = Atomic<Int>(0)
    private let mergedEarly = Atomic<Int>(0)

    /// - Parameters:
    ///   - hash: the column of hashes that choose the partition.
    ///   - merge: merges rows of equal keys; nil keeps all rows.
    init(schema: Schema, hash: Int, keys: [Int], state: OperatorState, merge: Merge? = nil) {
        self.schema = schema
        self.hash = hash
        self.keys = keys
        step = state.step
        budget = state.budget
        spill = state.spill
        faults = state.context.faults
        self.merge = merge
        partitions = (0..<Self.partitionCount).map { _ in Partition(schema) }
        isAppended = RowAppender(schema) != nil
    }

    /// Whether rows have gone to the spill file.
    var hasSpilled: Bool { hasSpilledFlag.load(ordering: .acquiring) }
    /// Bytes of the rows in memory.
    var heldBytes: Int { partitions.reduce(0) { $0 + $1.state.withLock { $0.rows.bytes } } }
    /// How many rows have been merged into others while they were kept.
    var mergedRows: Int { mergedCount.load(ordering: .relaxed) }

    func add(_ rows: RecordBatch) throws {
        var rows = rows
        if let merge {
            // Rows merged within their batch cost nothing later; where hardly any are, looking costs more than it saves.
            let looked = lookedAt.load(ordering: .relaxed)
            if looked < 1 << 14 || mergedEarly.load(ordering: .relaxed) >= looked / 8 {
                let fewer = try merge(rows)
                lookedAt.wrappingAdd(rows.count, ordering: .relaxed)
                mergedEarly.wrappingAdd(rows.count - fewer.count, ordering: .relaxed)
                mergedCount.wrappingAdd(rows.count - fewer.count, ordering: .relaxed)
                rows = fewer
            }
        }
        if isAppended {
            let columns = rows.columns.map(Kernels.decoded)
            let sources = columns.map(RowAppender.SourceColumn.init)
            try Scatter.forEachPart(of: rows, hash: hash, by: .partitions) { part, indices in
                // As much again a column as for slices: growing columns have room to spare.
                let bytes = RowAppender.byteSize(sources, indices) &+ 64 &* sources.count
                try add(bytes, to: part) { $0.appender?.append(sources, indices) }
            }
            withExtendedLifetime(columns) {}
        } else {
            for (part, slice) in try Scatter.parts(rows, hash: hash, by: .partitions) {
                try add(Self.size(slice), to: part) { $0.pending.append(slice) }
            }
        }
    }

    /// All rows of a partition, which is empty afterwards; what is reserved for them passes to the caller.
    func takeOut(_ partition: Int) -> Rows {
        partitions[partition].state.withLock { state in
            // A block of pending rows is reserved for by its own size, as all others are.
            let pendingBytes = state.pendingBytes
            let pending = state.takePending()
            let bytes = pending.reduce(0) { $0 + Self.size($1) }
            budget.force(bytes)
            budget.release(pendingBytes)
            var rows = state.rows
            rows.blocks += pending
            rows.bytes += bytes
            state.clear()
            return rows
        }
    }

    /// Drops all rows. What they held of the budget is given back with the operator's whole share.
    func discard() {
        for partition in partitions { partition.state.withLock { $0.clear() } }
    }

    // MARK: - Adding

    /// Reserves `bytes` for rows and has them added to a partition.
    private func add(_ bytes: Int, to part: Int, _ append: (inout State) -> Void) throws {
        while !budget.reserve(bytes) {
            if try !spillLargest(atLeast: bytes) {
                budget.force(bytes)
                break
            }
        }
        let (full, fullBytes) = partitions[part].state.withLock { state -> ([RecordBatch], Int) in
            append(&state)
            state.pendingBytes += bytes
            state.rows.bytes += bytes
            guard state.pendingBytes >= Self.pendingBytes || state.pending.count >= Self.pendingSlices else {
                return ([], 0)
            }
            let bytes = state.pendingBytes
            return (state.takePending(), bytes)
        }
        if !full.isEmpty { try keep(full, bytes: fullBytes, in: part) }
    }

    /// Makes one block of pending rows, for which `pendingBytes` are reserved, and merges the partition's blocks when there
    /// are many more rows than the last merge left.
    private func keep(_ pending: [RecordBatch], bytes pendingBytes: Int, in part: Int) throws {
        let block = pending.count == 1 ? pending[0] : Kernels.concat(pending)
        let bytes = Self.size(block)
        budget.force(bytes)
        budget.release(pendingBytes)
        let (blocks, blockBytes) = partitions[part].state.withLock { state -> ([RecordBatch], Int) in
            state.append(block, bytes: bytes)
            guard merge != nil, state.blockRows >= state.mergesAt, state.rows.bytes <= Self.mostBlockBytes
            else { return ([], 0) }
            return state.takeBlocks()
        }
        guard let merge, !blocks.isEmpty else { return }
        let whole = blocks.count == 1 ? blocks[0] : Kernels.concat(blocks)
        budget.force(blockBytes)
        let merged = try merge(whole)
        mergedCount.wrappingAdd(whole.count - merged.count, ordering: .relaxed)
        let mergedBytes = Self.size(merged)
        budget.force(mergedBytes)
        budget.release(2 * blockBytes)
        // Where merging takes few rows away, rows wait for more of them: what is kept is still bounded by keys.
        let factor = merged.count <= whole.count - whole.count / 4 ? 2 : 8
        partitions[part].state.withLock { state in
            state.append(merged, bytes: mergedBytes)
            state.mergesAt = factor * merged.count + Self.fewRows
        }
    }

    /// The blocks in groups of about `most` bytes, each to become one.
    static func groups(_ blocks: [RecordBatch], bytes most: Int) -> [[RecordBatch]] {
        var groups: [[RecordBatch]] = []
        var bytes = 0
        for block in blocks {
            bytes += size(block)
            if groups.isEmpty || bytes > most {
                groups.append([])
                bytes = size(block)
            }
            groups[groups.count - 1].append(block)
        }
        return groups
    }

    /// The bytes of a block with what its objects cost.
    static func size(_ block: RecordBatch) -> Int { block.byteSize &+ 64 &* block.columns.count }

    // MARK: - Spilling

    /// Moves the largest partitions to the file until `bytes` are free, and a quarter of what is held too.
    /// - Returns: false when nothing was left to move.
    private func spillLargest(atLeast bytes: Int) throws -> Bool {
        let wanted = max(bytes, budget.heldBytes / 4)
        var freed = 0
        while freed < wanted {
            var largest = (partition: 0, bytes: 0)
            for index in partitions.indices {
                let bytes = partitions[index].state.withLock { $0.rows.bytes }
                if bytes > largest.bytes { largest = (index, bytes) }
            }
            if largest.bytes == 0 { break }
            freed += try spill(largest.partition)
        }
        return freed > 0
    }

    /// Moves all rows to the file.
    func spillAll() throws {
        for partition in partitions.indices { _ = try spill(partition) }
        hasSpilledFlag.store(true, ordering: .releasing)
    }

    /// Moves what a partition has in memory to the file; returns the bytes given back.
    private func spill(_ partition: Int) throws -> Int {
        let (blocks, bytes) = partitions[partition].state.withLock { $0.takeAll() }
        if blocks.isEmpty { return 0 }
        hasSpilledFlag.store(true, ordering: .releasing)
        var extents: [SpillFile.Extent] = []
        for group in Self.groups(blocks, bytes: merge == nil ? budget.chunkBytes : Self.mostBlockBytes) {
            // The rows once more side by side, and once more as merged.
            let copied = (merge == nil ? 1 : 2) * group.reduce(0) { $0 + Self.size($1) }
            budget.force(copied)
            defer { budget.release(copied) }
            var whole = Kernels.concat(group)
            if let merge {
                let merged = try merge(whole)
                mergedCount.wrappingAdd(whole.count - merged.count, ordering: .relaxed)
                whole = merged
            }
            for piece in whole.pieces(bytes: budget.chunkBytes) { extents.append(try spill.write(piece)) }
        }
        partitions[partition].state.withLock { $0.rows.extents += extents }
        budget.release(bytes)
        return bytes
    }
}
