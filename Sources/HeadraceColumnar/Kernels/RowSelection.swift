/// Rows of a batch in a given order, as 32-bit indices: what a filter keeps, how a sort arranges, what a join pairs.
public struct RowSelection: Sendable {
    private let buffer: Buffer
    /// The number of rows selected.
    public let count: Int

    init(buffer: Buffer, count: Int) {
        self.buffer = buffer
        self.count = count
    }

    /// The rows `indices`, in that order.
    public init(_ indices: [Int32]) {
        self.init(buffer: indices.withUnsafeBytes { Buffer(copying: $0) }, count: indices.count)
    }

    /// All of `count` rows in order.
    public init(all count: Int) {
        let out = MutableBuffer(capacity: count &* 4)
        let rows = out.values(as: Int32.self)
        for row in 0..<count { rows[row] = Int32(truncatingIfNeeded: row) }
        self.init(buffer: out.finish(byteCount: count &* 4), count: count)
    }

    /// The rows where `mask`, a column of booleans, is true; null counts as false.
    public init(where mask: ColumnVector) {
        self.init(mask: mask, selecting: true)
    }

    /// The rows where `mask` is false or null: what `init(where:)` leaves out.
    public init(whereNot mask: ColumnVector) {
        self.init(mask: mask, selecting: false)
    }

    private init(mask: ColumnVector, selecting: Bool) {
        precondition(mask.type == .bool, "a mask of type \(mask.type) selects no rows")
        let mask = Kernels.decoded(mask)
        let view = mask.unsafeView
        let out = MutableBuffer(capacity: mask.count &* 4)
        let rows = out.values(as: Int32.self)
        var used = 0
        var start = 0
        while start < mask.count {
            let bits = min(64, mask.count &- start)
            let set =
                Bitmap.word(view.valueBits.base, view.valueBits.offset &+ start, count: bits)
                & view.validWord(start, count: bits)
            var word = selecting ? set : ~set & Bitmap.mask(bits)
            if word == ~0 {
                for lane in 0..<64 { rows[used &+ lane] = Int32(truncatingIfNeeded: start &+ lane) }
                used &+= 64
            } else {
                while word != 0 {
                    rows[used] = Int32(truncatingIfNeeded: start &+ word.trailingZeroBitCount)
                    used &+= 1
                    word &= word &- 1
                }
            }
            start &+= 64
        }
        withExtendedLifetime(mask) {}
        self.init(buffer: out.finish(byteCount: used &* 4), count: used)
    }

    /// The indices; valid inside `body` only.
    public func withIndices<R, E: Error>(_ body: (UnsafeBufferPointer<Int32>) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(buffer) {} }
        return try body(unsafeIndices)
    }

    /// The indices; valid while the selection lives (`withExtendedLifetime`).
    public var unsafeIndices: UnsafeBufferPointer<Int32> {
        UnsafeBufferPointer(start: buffer.base.assumingMemoryBound(to: Int32.self), count: count)
    }

    /// The indices as an array; for tests and small selections.
    public var indices: [Int32] { withIndices { Array($0) } }
}
