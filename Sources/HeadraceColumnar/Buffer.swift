import Synchronization

/// A run of bytes that never changes once a `ColumnVector` holds it: 64-byte aligned, padded, reference counted.
///
/// At least 64 bytes before and after the contents may be read (never relied on), so that kernels can load whole words
/// at both ends of memory that Headrace allocated. Foreign memory (Arrow import) has no padding and says so.
///
/// - Invariant (`@unchecked Sendable`): bytes are written only by the builder that created the buffer, before the buffer
///   is handed over; afterwards it is read only.
public final class Buffer: @unchecked Sendable {
    /// The first byte of the contents.
    public let base: UnsafeMutableRawPointer
    /// The number of bytes of contents.
    public let byteCount: Int
    /// Whether 64 readable bytes lie before and after the contents.
    public let isPadded: Bool
    private let release: Release

    private enum Release {
        case pool(capacity: Int)
        case foreign(@Sendable () -> Void)
    }

    /// Memory of the pool, filled by `MutableBuffer`.
    init(pooled base: UnsafeMutableRawPointer, byteCount: Int, capacity: Int) {
        self.base = base
        self.byteCount = byteCount
        self.isPadded = true
        self.release = .pool(capacity: capacity)
    }

    /// Memory of a growing dictionary.
    init(
        shared base: UnsafeMutableRawPointer, byteCount: Int, isPadded: Bool, release: @escaping @Sendable () -> Void
    ) {
        self.base = base
        self.byteCount = byteCount
        self.isPadded = isPadded
        self.release = .foreign(release)
    }

    /// Memory owned by somebody else; `release` runs once, when the last reference goes.
    public init(foreign base: UnsafeMutableRawPointer, byteCount: Int, release: @escaping @Sendable () -> Void) {
        self.base = base
        self.byteCount = byteCount
        self.isPadded = false
        self.release = .foreign(release)
    }

    /// A copy of `bytes`.
    public convenience init(copying bytes: UnsafeRawBufferPointer) {
        let (base, capacity) = BufferPool.allocate(bytes.count)
        if let source = bytes.baseAddress { base.copyMemory(from: source, byteCount: bytes.count) }
        self.init(pooled: base, byteCount: bytes.count, capacity: capacity)
    }

    deinit {
        switch release {
        case .pool(let capacity): BufferPool.deallocate(base, capacity: capacity)
        case .foreign(let release): release()
        }
    }

    /// The contents; valid inside `body` only.
    public func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: base, count: byteCount))
    }
}

/// A growable run of bytes that becomes a `Buffer` once. The base of every builder.
///
/// Growing may move the bytes. Not thread-safe; contents beyond what was written are undefined.
public struct MutableBuffer: ~Copyable {
    /// The first byte; changes when the buffer grows.
    public private(set) var base: UnsafeMutableRawPointer
    /// How many bytes fit before the next growth.
    public private(set) var capacity: Int

    /// A buffer with room for at least `capacity` bytes.
    public init(capacity: Int = 64) {
        (base, self.capacity) = BufferPool.allocate(capacity)
    }

    deinit { BufferPool.deallocate(base, capacity: capacity) }

    /// Makes room for `needed` bytes in all, keeping the first `used`. At least doubles when it grows.
    public mutating func reserve(_ needed: Int, keeping used: Int) {
        if needed <= capacity { return }
        let (newBase, newCapacity) = BufferPool.allocate(max(needed, capacity &* 2))
        newBase.copyMemory(from: base, byteCount: used)
        BufferPool.deallocate(base, capacity: capacity)
        base = newBase
        capacity = newCapacity
    }

    /// The first `byteCount` bytes as an immutable buffer.
    public consuming func finish(byteCount: Int) -> Buffer {
        precondition(byteCount <= capacity, "a builder finished with more bytes than it holds")
        let buffer = Buffer(pooled: base, byteCount: byteCount, capacity: capacity)
        discard self
        return buffer
    }
}
