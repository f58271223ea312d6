import HeadraceColumnar

// Decoders own their columns' memory instead of using the builders of HeadraceColumnar: a class of another module
// checks every access to its properties for exclusivity, which costs more here than the value itself.

/// Validity bits, made at the first null.
struct NullBits: ~Copyable {
    private var bits: MutableBuffer?
    private var capacity = 0
    private var count = 0

    init() {}

    /// Notes that value `index` is null; all others that were not noted are valid.
    @inline(never)
    mutating func setNull(_ index: Int) {
        count &+= 1
        if index >= capacity { grow(index) }
        if let base = bits?.base { Bitmap.set(base, index, false) }
    }

    private mutating func grow(_ index: Int) {
        let old = Bitmap.byteCount(capacity)
        if bits == nil { bits = MutableBuffer(capacity: max(Bitmap.byteCount(index &+ 1), 512)) }
        bits?.reserve(Bitmap.byteCount(index &+ 1), keeping: old)
        guard let base = bits?.base, let bytes = bits?.capacity else { return }
        (base + old).initializeMemory(as: UInt8.self, repeating: 0xFF, count: bytes - old)
        capacity = bytes * 8
    }

    /// The bits of a column of `count` values, nil without nulls.
    mutating func finish(_ values: Int) -> (buffer: Buffer?, nulls: Int) {
        guard count > 0 else { return (nil, 0) }
        if values > capacity { grow(values &- 1) }
        let taken = bits.take()
        guard let taken else { return (nil, 0) }
        return (taken.finish(byteCount: Bitmap.byteCount(values)), count)
    }
}

/// A growing run of values of one width.
///
/// Decoders copy `base` and `room` into properties of their own, because an access to a property that cannot be copied
/// is checked too, and copy them again after the memory has grown.
struct ValueMemory: ~Copyable {
    private var memory: MutableBuffer
    private let width: Int

    init(width: Int, capacity: Int) {
        self.width = width
        memory = MutableBuffer(capacity: max(capacity, 16) * width)
    }

    var base: UnsafeMutableRawPointer { memory.base }

    /// Values that fit before the memory grows.
    var room: Int { memory.capacity / width }

    /// Makes room for `needed` values in all, the first `count` of which are there.
    mutating func reserve(_ needed: Int, keeping count: Int) {
        memory.reserve(needed &* width, keeping: count &* width)
    }

    /// The first `count` values; nothing is left.
    mutating func finish(_ count: Int) -> Buffer {
        var empty = MutableBuffer(capacity: 64)
        swap(&empty, &memory)
        return empty.finish(byteCount: count * width)
    }
}
