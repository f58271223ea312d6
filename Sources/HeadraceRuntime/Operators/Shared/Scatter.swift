import HeadraceColumnar

/// Parts rows by bits of their hashes with one gather a column: the parts are slices of the rows in partition order.
enum Scatter {
    /// The bits of a hash that choose among parts: the upper six for the partitions of an operator, four more for each
    /// level of partitions within them.
    struct Bits: Sendable {
        let shift: UInt64
        let count: Int

        static let partitions = Bits(shift: 58, count: 64)
        /// The deepest level: beyond it rows that are still together have all but equal hashes.
        static let deepest = 7

        /// - Parameter level: from 1.
        static func level(_ level: Int) -> Bits { Bits(shift: UInt64(58 - 4 * level), count: 16) }

        @inline(__always) func part(_ hash: UInt64) -> Int {
            Int(truncatingIfNeeded: hash &>> shift) & (count &- 1)
        }
    }

    /// Calls `body` with the rows of each part that has any, in their order.
    /// - Parameter hash: the column of hashes.
    static func forEachPart(
        of rows: RecordBatch, hash: Int, by bits: Bits, _ body: (Int, UnsafeBufferPointer<Int32>) throws -> Void
    ) throws {
        let count = rows.count
        if count == 0 { return }
        let hashes = rows.words(hash)
        try withUnsafeTemporaryAllocation(of: Int.self, capacity: bits.count + 1) { ends in
            ends.initialize(repeating: 0)
            for row in 0..<count { ends[bits.part(hashes[row]) &+ 1] &+= 1 }
            for part in 0..<bits.count { ends[part &+ 1] &+= ends[part] }
            let memory = MutableBuffer(capacity: count &* 4)
            let order = memory.base.assumingMemoryBound(to: Int32.self)
            // Afterwards `ends[part]` is where the part ends, which is where the next begins.
            for row in 0..<count {
                let part = bits.part(hashes[row])
                order[ends[part]] = Int32(truncatingIfNeeded: row)
                ends[part] &+= 1
            }
            var start = 0
            for part in 0..<bits.count where ends[part] > start {
                try body(part, UnsafeBufferPointer(start: order + start, count: ends[part] - start))
                start = ends[part]
            }
            _ = consume memory
        }
        withExtendedLifetime(rows) {}
    }

    /// The rows of each part that has any, in their order; dictionaries are resolved.
    /// - Parameter hash: the column of hashes.
    static func parts(_ rows: RecordBatch, hash: Int, by bits: Bits) throws -> [(part: Int, rows: RecordBatch)] {
        var counts: [(part: Int, count: Int)] = []
        var order: [Int32] = []
        order.reserveCapacity(rows.count)
        try forEachPart(of: rows, hash: hash, by: bits) { part, indices in
            counts.append((part, indices.count))
            order += indices
        }
        if counts.isEmpty { return [] }
        let taken = order.withUnsafeBufferPointer { Kernels.take(rows, indices: $0) }
        let gathered = RecordBatch(
            schema: rows.schema, columns: taken.columns.map(Kernels.decoded), count: rows.count)
        var start = 0
        return counts.map { part, count in
            defer { start += count }
            return (part, gathered.slice(from: start, count: count))
        }
    }
}
