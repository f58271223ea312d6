import HeadraceColumnar
import HeadraceCore

extension PartitionStore {
    /// Calls `body` with rows of a partition that fit into memory, as often as needed: rows of equal keys come together,
    /// merged when there is a `merge`, in no certain order.
    ///
    /// What does not fit is parted by further bits of the hashes and taken part by part. Rows whose hashes agree in all
    /// the bits used, and a handful of rows, are taken together whether they fit or not.
    /// - Parameter body: gets the rows, how many rows were merged into them just now, and the same rows as they were kept.
    func forEachPart(
        of rows: Rows, merge: Merge? = nil, level: Int = 0,
        _ body: (_ block: RecordBatch, _ merged: Int, _ rows: Rows) throws -> Void
    ) throws {
        if rows.isEmpty { return }
        if let loaded = try loadPart(rows, merge: merge, level: level) {
            defer { budget.release(loaded.bytes) }
            if let block = loaded.block { try body(block, loaded.merged, rows) }
            budget.release(rows.bytes)
            return
        }
        for part in try split(rows, level: level + 1) where !part.isEmpty {
            try forEachPart(of: part, merge: merge, level: level + 1, body)
        }
    }

    /// Calls `body` with all rows, block by block as they were kept; what is reserved for a block is given back before, so
    /// that `body` may reserve it again.
    func forEachBlock(of rows: Rows, _ body: (RecordBatch) throws -> Void) throws {
        for block in rows.blocks {
            budget.release(block.byteCount)
            try body(block.rows)
        }
        for extent in rows.extents {
            budget.force(extent.byteCount)
            defer { budget.release(extent.byteCount) }
            try body(spill.read(extent, schema: schema))
        }
    }

    /// The rows of a part of `level` as one block (nil of no rows), reserved apart from `rows`; nil when they do not fit and should be
    /// split.
    /// - Parameter copies: how many times the block's bytes are reserved besides, for what the caller makes of it.
    func loadPart(
        _ rows: Rows, merge: Merge? = nil, level: Int, copies: Int = 0
    ) throws -> (block: RecordBatch?, bytes: Int, merged: Int)? {
        if rows.isEmpty { return (nil, 0, 0) }
        let isSmall = rows.rowBytes + rows.extents.reduce(0) { $0 + $1.byteCount } <= 4 * budget.chunkBytes
        let mustFit = level < Scatter.Bits.deepest && !isSmall
        guard let loaded = try load(rows, merge: merge, mustFit: mustFit) else { return nil }
        let more = copies * loaded.bytes
        guard take(more, mustFit: mustFit) else {
            budget.release(loaded.bytes)
            return nil
        }
        return (loaded.block, loaded.bytes + more, loaded.merged)
    }

    /// Takes `bytes`; false when they must fit and do not.
    private func take(_ bytes: Int, mustFit: Bool) -> Bool {
        if budget.reserve(bytes) { return true }
        if mustFit { return false }
        budget.force(bytes)
        return true
    }

    /// All rows as one block, reserved apart from `rows`; nil when they do not fit.
    /// - Throws: `outOfBudget` when they must be taken together and are too many for one block.
    private func load(
        _ rows: Rows, merge: Merge?, mustFit: Bool
    ) throws -> (block: RecordBatch, bytes: Int, merged: Int)? {
        var blocks = rows.blocks
        var held = 0
        var merged = 0
        var keptRows = 0
        /// One block of what there is so far, as small as it gets; false when there is no room to make it.
        func compact() throws -> Bool {
            let before = blocks.reduce(0) { $0 + $1.count }
            // The rows once more side by side, and once more as merged.
            let copied = (merge == nil ? 1 : 2) * blocks.reduce(0) { $0 + $1.rowBytes }
            guard take(copied, mustFit: mustFit) else { return false }
            let whole = KeptBlock.joined(blocks)
            let kept = try merge.map { try $0(whole) } ?? whole
            merged += before - kept.count
            let bytes = Self.size(kept)
            budget.force(bytes)
            budget.release(held + copied)
            held = bytes
            blocks = [KeptBlock(kept)]
            keptRows = kept.count
            return true
        }
        var loadedRows = 0
        for extent in rows.extents {
            let isTooMuch = held + extent.byteCount > Self.mostBlockBytes && mustFit
            guard !isTooMuch, take(extent.byteCount, mustFit: mustFit) else {
                budget.release(held)
                return nil
            }
            held += extent.byteCount
            blocks.append(KeptBlock(try spill.read(extent, schema: schema)))
            loadedRows += extent.rows
            if merge != nil, loadedRows >= 2 * keptRows + 4096 {
                guard try compact() else {
                    budget.release(held)
                    return nil
                }
                loadedRows = 0
            }
        }
        if held + rows.rowBytes > Self.mostBlockBytes {
            if mustFit {
                budget.release(held)
                return nil
            }
            throw tooManyRows(blocks[0].rows)
        }
        guard try compact() else {
            budget.release(held)
            return nil
        }
        return (blocks[0].rows, held, merged)
    }

    private func tooManyRows(_ block: RecordBatch) -> HeadraceError {
        let values = keys.map { "\(schema.fields[$0].name) = \(block.columns[$0].scalar(at: 0))" }
        return HeadraceError(
            .outOfBudget, "step \(step) has too many rows of one key to hold them together",
            fields: [("key", values.joined(separator: ", "))],
            hint: "give the run a larger memory budget, or filter this key out before the step")
    }

    /// The rows parted by the hash bits of `level`, all in the spill file, empty parts included; gives back what was
    /// reserved for them.
    func split(_ rows: Rows, level: Int) throws -> [Rows] {
        try faults.reach("spill split")
        let bits = Scatter.Bits.level(level)
        var parts = Array(repeating: Rows(), count: bits.count)
        var waiting: [[RecordBatch]] = Array(repeating: [], count: bits.count)
        var waitingBytes = 0
        func flush() throws {
            for part in 0..<bits.count where !waiting[part].isEmpty {
                for piece in Kernels.concat(waiting[part]).pieces(bytes: budget.chunkBytes) {
                    parts[part].extents.append(try spill.write(piece))
                }
                waiting[part] = []
            }
            budget.release(waitingBytes)
            waitingBytes = 0
        }
        func add(_ block: RecordBatch) throws {
            let bytes = Self.size(block)
            budget.force(bytes)
            waitingBytes += bytes
            for (part, slice) in try Scatter.parts(block, hash: hash, by: bits) { waiting[part].append(slice) }
            if waitingBytes >= 4 * budget.chunkBytes { try flush() }
        }
        for block in rows.blocks {
            for piece in block.rows.pieces(bytes: budget.chunkBytes) { try add(piece) }
        }
        for extent in rows.extents { try add(spill.read(extent, schema: schema)) }
        try flush()
        budget.release(rows.bytes)
        return parts
    }
}
