import HeadraceColumnar
import HeadraceCore

/// The values of one column of a chunk as they lie in the bytes of a binary COPY: each a length and that many bytes.
///
/// The caller keeps the memory alive; every place and length has been checked against the chunk.
struct PostgreSQLCells {
    let base: UnsafeRawPointer
    /// Where each value's length stands, counted from `base`.
    let places: UnsafePointer<Int32>
    let count: Int

    /// The length of value `row`, -1 for null.
    @inline(__always)
    func length(_ row: Int) -> Int {
        Int(Int32(bigEndian: (base + Int(places[row])).loadUnaligned(as: Int32.self)))
    }

    /// The first byte of value `row`.
    @inline(__always)
    func start(_ row: Int) -> UnsafeRawPointer { base + (Int(places[row]) &+ 4) }

    /// The bytes of value `row`, nil for null.
    func bytes(_ row: Int) -> UnsafeRawBufferPointer? {
        let length = length(row)
        return length < 0 ? nil : UnsafeRawBufferPointer(start: start(row), count: length)
    }
}

/// A value that has no place in the column's type, found on the client.
struct PostgreSQLMisfit: Sendable, Hashable {
    let row: Int
    /// A stable word for programs: `notANumber`, `outOfRange`, `tooLong`.
    let code: String
    let message: String
    /// The value as text, where it can be shown.
    let value: String?

    init(row: Int, code: String, message: String, value: String? = nil) {
        self.row = row
        self.code = code
        self.message = message
        self.value = value
    }
}

/// The validity bits of a column that is being filled, made at the first null.
struct PostgreSQLValidity: ~Copyable {
    private var bits: MutableBuffer?
    private var nulls = 0
    private let count: Int

    init(count: Int) { self.count = count }

    @inline(never)
    mutating func setNull(_ row: Int) {
        if bits == nil {
            let fresh = MutableBuffer(capacity: Bitmap.byteCount(count))
            fresh.base.initializeMemory(as: UInt8.self, repeating: 0xff, count: Bitmap.byteCount(count))
            bits = consume fresh
        }
        guard let base = bits?.base else { return }
        Bitmap.set(base, row, false)
        nulls &+= 1
    }

    consuming func finish() -> (buffer: Buffer?, nullCount: Int) {
        let (total, missing) = (count, nulls)
        guard let taken = bits.take() else { return (nil, 0) }
        return (taken.finish(byteCount: Bitmap.byteCount(total)), missing)
    }
}
