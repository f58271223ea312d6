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
    /// Slices of rows that cannot be appended value by value wait until there are this many.
    private static let pendingSlices = 32
    /// After so many changes of dictionaries rows are kept without them: each costs a small block.
    private static let mostChanges = 8 * Scatter.Bits.partitions.count
    /// Blocks of fewer rows than this are not merged.
    private static let fewRows = 1024
    /// No block holds many more bytes than this, far from the limits of 32-bit offsets.
    static let mostBlockBytes = 1 << 30

    /// The rows of one partition.
    struct Rows: Sendable {
        var blocks: [KeptBlock] = []
        var extents: [SpillFile.Extent] = []
        /// Bytes reserved for the blocks.
        var bytes = 0

        var count: Int { blocks.reduce(0) { $0 + $1.count } + extents.reduce(0) { $0 + $1.rows } }
        /// Bytes of the rows in memory as batches.
        var rowBytes: Int { blocks.reduce(0) { $0 + $1.rowBytes } }
        var isEmpty: Bool { blocks.isEmpty && extents.isEmpty }
    }

    /// - Invariant: `rows.bytes` is what all blocks and pending rows here hold, and reserved.
    private struct State {
        /// Where pending rows are put side by side; nil where slices of their batches wait instead.
        let appender: RowAppender?
        /// The shape of the columns appended last.
        var shape: RowAppender.Shape = []
        var pending: [RecordBatch] = []
        var pendingBytes = 0
        /// Bytes that growing columns hold beyond those.
        var spareBytes = 0
        var rows = Rows()
        var blockRows = 0
        /// Bytes of the blocks' rows as batches.
        var rowBytes = 0
        /// Rows from which on the blocks are merged again.
        var mergesAt = PartitionStore.fewRows

        init(_ schema: Schema) { appender = RowAppender(schema) }

        mutating func clear() {
            _ = takePending()
            rows = Rows()
            blockRows = 0
            rowBytes = 0
            mergesAt = PartitionStore.fewRows
        }

        mutating func append(_ blocks: [KeptBlock]) {
            for block in blocks {
                rows.blocks.append(block)
                rows.bytes += block.byteCount
                blockRows += block.count
                rowBytes += block.rowBytes
            }
        }

        mutating func takePending() -> [RecordBatch] {
            defer {
                pending = []
                pendingBytes = 0
                spareBytes = 0
            }
            rows.bytes -= pendingBytes + spareBytes
            if let appender, appender.count > 0 { return [appender.finish()] }
            return pending
        }

        mutating func takeBlocks() -> (blocks: [KeptBlock], bytes: Int) {
            let bytes = rows.blocks.reduce(0) { $0 + $1.byteCount }
            defer {
                rows.blocks = []
                rows.bytes -= bytes
                blockRows = 0
                rowBytes = 0
            }
            return (rows.blocks, bytes)
        }

        mutating func takeAll() -> (blocks: [KeptBlock], bytes: Int) {
            let (blocks, bytes) = takeBlocks()
            mergesAt = PartitionStore.fewRows
            let rest = rows.bytes
            return (blocks + takePending().map { KeptBlock($0) }, bytes + rest)
        }
    }

    private final class Partition: Sendable {
        let state: Mutex<State>
        let arena = PackedArena()
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
    /// Rows wait for others of their partition until they have this many bytes, and then become a block.
    private let blockBytes: Int
    /// A partition's rows are packed once they have so many bytes: few rows are not worth it.
    private let plainBytes: Int
    /// Whether rows are appended value by value.
    private let isAppended: Bool
    private let hasSpilledFlag = Atomic<Bool>(false)
    private let mergedCount = Atomic<Int>(0)
    /// How often pending rows became a block because others had other dictionaries.
    private let changes = Atomic<Int>(0)
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
        blockBytes = max(4 << 10, min(64 << 10, budget.limit / 1024))
        plainBytes = max(4 << 10, min(256 << 10, budget.limit / 1024))
        partitions = (0..<Self.partitionCount).map { _ in Partition(schema) }
        isAppended = RowAppender(schema) != nil
    }

    /// Whether rows have gone to the spill file.
    var hasSpilled: Bool { hasSpilledFlag.load(ordering: .acquiring) }
    /// Bytes that the rows in memory take as batches.
    var rowBytes: Int {
        partitions.reduce(0) { $0 + $1.state.withLock { $0.rowBytes + $0.pendingBytes } }
    }
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
            let (columns, shape) = shaped(rows.columns)
            let sources = columns.map(RowAppender.SourceColumn.init)
            try Scatter.forEachPart(of: rows, hash: hash, by: .partitions) { part, indices in
                // As much again a column as for slices: growing columns have room to spare.
                let bytes = RowAppender.byteSize(sources, indices) &+ 64 &* sources.count
                try add(bytes, to: part, shape) { $0.appender?.append(sources, indices) }
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
        defer { partitions[partition].arena.startOver() }
        return partitions[partition].state.withLock { state in
            // A block of pending rows is reserved for by its own size, as all others are.
            let pendingBytes = state.pendingBytes + state.spareBytes
            let pending = state.takePending().map { KeptBlock($0) }
            let bytes = pending.reduce(0) { $0 + $1.byteCount }
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
        for partition in partitions {
            partition.state.withLock { $0.clear() }
            partition.arena.startOver()
        }
    }

    // MARK: - Adding

    /// Columns as they are appended: with their dictionaries, unless these change often.
    private func shaped(_ columns: [ColumnVector]) -> ([ColumnVector], RowAppender.Shape) {
        if changes.load(ordering: .relaxed) < Self.mostChanges, let shape = RowAppender.shape(columns) {
            return (columns, shape)
        }
        let plain = columns.map(Kernels.decoded)
        return (plain, RowAppender.shape(plain) ?? [])
    }

    /// Reserves `bytes` for rows and has them added to a partition.
    private func add(
        _ bytes: Int, to part: Int, _ shape: RowAppender.Shape = [], _ append: (inout State) -> Void
    ) throws {
        while !budget.reserve(bytes) {
            if try !spillLargest(atLeast: bytes) {
                budget.force(bytes)
                break
            }
        }
        let (full, fullBytes) = partitions[part].state.withLock { state -> ([RecordBatch], Int) in
            var full: [RecordBatch] = []
            var held = 0
            if state.shape != shape {
                // What waits and what comes cannot stand side by side.
                held = state.pendingBytes + state.spareBytes
                full = state.takePending()
                state.shape = shape
                if !full.isEmpty { changes.wrappingAdd(1, ordering: .relaxed) }
            }
            append(&state)
            state.pendingBytes += bytes
            state.rows.bytes += bytes
            // Growing columns have room to spare, which is held as well.
            let spare = max((state.appender?.byteCount ?? 0) - state.pendingBytes, 0)
            budget.exchange(state.spareBytes, for: spare)
            state.rows.bytes += spare - state.spareBytes
            state.spareBytes = spare
            guard state.pendingBytes >= blockBytes || state.pending.count >= Self.pendingSlices else {
                return (full, held)
            }
            held += state.pendingBytes + spare
            return (full + state.takePending(), held)
        }
        if !full.isEmpty { try keep(full, bytes: fullBytes, in: part) }
    }

    /// Makes one block of pending rows, for which `pendingBytes` are reserved, and merges the partition's blocks when there
    /// are many more rows than the last merge left.
    private func keep(_ pending: [RecordBatch], bytes pendingBytes: Int, in part: Int) throws {
        let block = pending.count == 1 ? pending[0] : Kernels.concat(pending)
        let isPacked = partitions[part].state.withLock { $0.rowBytes } + Self.size(block) > plainBytes
        let kept = isPacked ? KeptBlock.packing(block, in: partitions[part].arena) : [KeptBlock(block)]
        budget.exchange(pendingBytes, for: kept.reduce(0) { $0 + $1.byteCount })
        let (blocks, takenBytes) = partitions[part].state.withLock { state -> ([KeptBlock], Int) in
            state.append(kept)
            guard merge != nil, state.blockRows >= state.mergesAt, state.rowBytes <= Self.mostBlockBytes
            else { return ([], 0) }
            return state.takeBlocks()
        }
        guard let merge, !blocks.isEmpty else { return }
        // The rows side by side, and once more as merged.
        let copied = 2 * blocks.reduce(0) { $0 + $1.rowBytes }
        budget.force(copied)
        let whole = KeptBlock.joined(blocks)
        let merged = try merge(whole)
        mergedCount.wrappingAdd(whole.count - merged.count, ordering: .relaxed)
        let arena = partitions[part].arena
        arena.startOver()
        let fewer = Self.size(merged) > plainBytes ? KeptBlock.packing(merged, in: arena) : [KeptBlock(merged)]
        budget.force(fewer.reduce(0) { $0 + $1.byteCount })
        budget.release(copied + takenBytes)
        // Where merging takes few rows away, rows wait for more of them: what is kept is still bounded by keys.
        let factor = merged.count <= whole.count - whole.count / 4 ? 2 : 8
        partitions[part].state.withLock { state in
            state.append(fewer)
            state.mergesAt = factor * merged.count + Self.fewRows
        }
    }

    /// The blocks in groups of about `most` bytes, each to become one.
    private static func groups(_ blocks: [KeptBlock], bytes most: Int) -> [[KeptBlock]] {
        var groups: [[KeptBlock]] = []
        var bytes = 0
        for block in blocks {
            bytes += block.rowBytes
            if groups.isEmpty || bytes > most {
                groups.append([])
                bytes = block.rowBytes
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
        partitions[partition].arena.startOver()
        hasSpilledFlag.store(true, ordering: .releasing)
        var extents: [SpillFile.Extent] = []
        for group in Self.groups(blocks, bytes: merge == nil ? budget.chunkBytes : Self.mostBlockBytes) {
            // The rows once more side by side, and once more as merged.
            let copied = (merge == nil ? 1 : 2) * group.reduce(0) { $0 + $1.rowBytes }
            budget.force(copied)
            defer { budget.release(copied) }
            var whole = KeptBlock.joined(group)
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
