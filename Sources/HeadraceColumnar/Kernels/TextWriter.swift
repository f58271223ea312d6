/// Writes text, binary or JSON values one after the other, without the cost of a builder object.
struct TextWriter: ~Copyable {
    private var storage: MutableBuffer
    private var offsets: MutableBuffer
    private var used = 0
    private var rows = 0

    /// Room for exactly `rows` values, and for `bytes` bytes to begin with.
    init(rows: Int, bytes: Int) {
        storage = MutableBuffer(capacity: bytes)
        offsets = MutableBuffer(capacity: (rows &+ 1) &* 4)
        offsets.base.storeBytes(of: 0, as: Int32.self)
    }

    /// Room for a value of up to `most` bytes, to be closed by `commit`; 64 bytes behind may be overwritten too.
    @inline(__always) mutating func reserve(_ most: Int) -> UnsafeMutableRawPointer {
        if used &+ most > storage.capacity { grow(most) }
        return storage.base + used
    }

    private mutating func grow(_ most: Int) {
        precondition(used &+ most <= Int(Int32.max), "a text column passed 2 GiB")
        storage.reserve(used &+ most, keeping: used)
    }

    /// Closes the value in the room reserved last; 0 for null.
    @inline(__always) mutating func commit(_ count: Int) {
        used &+= count
        rows &+= 1
        offsets.base.storeBytes(of: Int32(truncatingIfNeeded: used), toByteOffset: rows &* 4, as: Int32.self)
    }

    @inline(__always) mutating func append(_ bytes: UnsafeRawPointer, count: Int) {
        reserve(count).copyMemory(from: bytes, byteCount: count)
        commit(count)
    }

    /// The value closed last; there must be one. Valid until the next is written.
    var last: UnsafeRawBufferPointer {
        let ends = offsets.base.assumingMemoryBound(to: Int32.self)
        let start = Int(ends[rows &- 1])
        return UnsafeRawBufferPointer(start: storage.base + start, count: Int(ends[rows]) &- start)
    }

    /// A column of the values written.
    consuming func finish(_ type: DataType, _ validity: Validity) -> ColumnVector {
        ColumnVector(
            type: type, count: rows, nullCount: validity.nullCount, validity: validity.buffer,
            values: storage.finish(byteCount: used), offsets: offsets.finish(byteCount: (rows &+ 1) &* 4))
    }
}
