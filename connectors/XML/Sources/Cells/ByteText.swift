/// Text under construction, in memory that is used again and again.
///
/// - Invariant: the memory belongs to the one owner of the object.
final class ByteText {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 64) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    @inline(__always) func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        if count &+ bytes.count > capacity { grow(to: count &+ bytes.count) }
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count &+= bytes.count
    }

    @inline(__always) func append(_ byte: UInt8) {
        if count == capacity { grow(to: count &+ 1) }
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    @inline(__always) func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private func grow(to needed: Int) {
        let larger = max(needed, capacity &* 2)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        fresh.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = fresh
        capacity = larger
    }

    /// Cuts the text to its first `count` bytes.
    func truncate(to count: Int) { self.count = min(count, self.count) }

    /// Empties the text; lets go of memory beyond a megabyte.
    func clear() {
        count = 0
        guard capacity > 1 << 20 else { return }
        base.deallocate()
        capacity = 64
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    /// The text; good until it changes.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}
