/// The values of one column of a batch, in Arrow layout, immutable and shared by reference.
///
/// `offset` and `count` select a window, so that slicing copies nothing. When `dictionary` is set, `values` holds 32-bit
/// indices into it, whatever `type` says; every kernel and sink takes both forms.
public final class ColumnVector: Sendable {
    /// The logical type of the values, with or without a dictionary.
    public let type: DataType
    /// The number of values in the window.
    public let count: Int
    /// The first value of the window, counted in values from the start of the buffers.
    public let offset: Int
    /// The number of nulls in the window.
    public let nullCount: Int
    /// One bit a value, set where the value is not null; nil when nothing is null.
    public let validity: Buffer?
    /// Fixed-width values, bits of booleans, bytes of text and binary, or dictionary indices (`Int32`).
    public let values: Buffer?
    /// 32-bit offsets of text, binary and lists: one more than there are values.
    public let offsets: Buffer?
    /// The element column of a list, the field columns of a struct.
    public let children: [ColumnVector]
    /// The distinct values that `values` indexes; never dictionary-encoded itself and never null inside.
    public let dictionary: ColumnVector?
    /// Of a dictionary: what it is a snapshot of, nil for one that stands alone.
    let origin: GrowingDictionary?

    /// A vector over existing buffers; they must cover `offset + count` values of `type`.
    public init(
        type: DataType, count: Int, offset: Int = 0, nullCount: Int? = nil, validity: Buffer? = nil,
        values: Buffer? = nil, offsets: Buffer? = nil, children: [ColumnVector] = [], dictionary: ColumnVector? = nil
    ) {
        self.type = type
        self.count = count
        self.offset = offset
        let nulls = nullCount ?? validity.map { count - Bitmap.countSet($0.base, offset: offset, count: count) } ?? 0
        self.nullCount = nulls
        self.validity = nulls == 0 ? nil : validity
        self.values = values
        self.offsets = offsets
        self.children = children
        self.dictionary = dictionary
        origin = nil
    }

    /// A snapshot of a growing dictionary.
    init(_ type: DataType, count: Int, values: Buffer, offsets: Buffer, origin: GrowingDictionary) {
        self.type = type
        self.count = count
        self.values = values
        self.offsets = offsets
        self.origin = origin
        offset = 0
        nullCount = 0
        validity = nil
        children = []
        dictionary = nil
    }

    /// The one of `dictionaries` in which the indices of all of them mean what they mean in their own; nil when there is
    /// none, or no dictionary.
    static func common(_ dictionaries: [ColumnVector]) -> ColumnVector? {
        guard var longest = dictionaries.first else { return nil }
        for other in dictionaries where other !== longest {
            guard let origin = longest.origin, origin === other.origin else { return nil }
            if other.count > longest.count { longest = other }
        }
        return longest
    }

    /// Whether both columns are over one dictionary, whose entries are distinct.
    static func shareDictionary(_ left: ColumnVector, _ right: ColumnVector) -> Bool {
        guard let one = left.dictionary, let other = right.dictionary else { return false }
        return one === other || (one.origin != nil && one.origin === other.origin)
    }

    /// The window of `count` values from `start`; shares all buffers.
    public func slice(from start: Int, count: Int) -> ColumnVector {
        precondition(start >= 0 && count >= 0 && start + count <= self.count, "a slice reaches outside its column")
        return ColumnVector(
            type: type, count: count, offset: offset + start, validity: validity, values: values, offsets: offsets,
            children: children, dictionary: dictionary)
    }

    /// Pointers to this vector's memory for kernels; valid while the vector lives (`withExtendedLifetime`).
    public var unsafeView: UnsafeColumnView { UnsafeColumnView(self) }

    /// Whether value `index` is not null.
    public func isValid(_ index: Int) -> Bool {
        guard let validity else { return true }
        return Bitmap.get(validity.base, offset + index)
    }

    /// The bytes that the window's values occupy, padding and sharing left aside; of a dictionary that grows with other
    /// batches, no more than they could refer to.
    public var byteSize: Int {
        var size = validity == nil ? 0 : Bitmap.byteCount(count)
        if let dictionary {
            let entries = dictionary.byteSize
            if dictionary.origin == nil || dictionary.count <= count { return size + 4 * count + entries }
            return size + 4 * count + entries / dictionary.count * count
        }
        switch type.layout {
        case .bits: size += Bitmap.byteCount(count)
        case .fixed(let width): size += width * count
        case .bytes:
            let view = unsafeView
            size += 4 * (count + 1) + Int(view.textOffset(count) - view.textOffset(0))
        case .list:
            let view = unsafeView
            let first = Int(view.textOffset(0))
            let used = Int(view.textOffset(count)) - first
            size += 4 * (count + 1) + (children.first.map { $0.slice(from: first, count: used).byteSize } ?? 0)
        case .struct: size += children.reduce(0) { $0 + $1.slice(from: offset, count: count).byteSize }
        }
        return size
    }
}

/// Raw pointers to a vector's window, for loops that must not pay for references.
///
/// The caller keeps the vector alive. Indices count from the start of the window and are not checked.
@frozen public struct UnsafeColumnView {
    @usableFromInline let validity: UnsafeRawPointer?
    @usableFromInline let values: UnsafeRawPointer
    @usableFromInline let offsets: UnsafePointer<Int32>
    @usableFromInline let offset: Int
    /// The number of values in the window.
    public let count: Int

    init(_ vector: ColumnVector) {
        validity = vector.validity.map { UnsafeRawPointer($0.base) }
        values = UnsafeRawPointer(vector.values?.base ?? Self.empty.base)
        offsets = UnsafePointer((vector.offsets?.base ?? Self.empty.base).assumingMemoryBound(to: Int32.self))
        offset = vector.offset
        count = vector.count
    }

    private static let empty = MutableBuffer.zeroed(byteCount: 64)

    /// Whether a value of the window may be null.
    @inlinable public var hasNulls: Bool { validity != nil }

    /// Whether value `index` is not null.
    @inlinable public func isValid(_ index: Int) -> Bool {
        guard let validity else { return true }
        return Bitmap.get(validity, offset &+ index)
    }

    /// The validity bitmap and the bit at which the window starts, nil when nothing is null.
    @inlinable public var validityBits: (base: UnsafeRawPointer, offset: Int)? { validity.map { ($0, offset) } }

    /// The fixed-width values of the window; `T` must have the width of the type (`Int32` for dictionary indices).
    @inlinable public func values<T: BitwiseCopyable>(as type: T.Type) -> UnsafePointer<T> {
        values.assumingMemoryBound(to: T.self) + offset
    }

    /// Boolean value `index`; means nothing at nulls.
    @inlinable public func bool(_ index: Int) -> Bool { Bitmap.get(values, offset &+ index) }

    /// The bitmap of boolean values and the bit at which the window starts.
    @inlinable public var valueBits: (base: UnsafeRawPointer, offset: Int) { (values, offset) }

    /// The offset at which value `index` of text, binary or a list starts.
    @inlinable public func textOffset(_ index: Int) -> Int32 { offsets[offset &+ index] }

    /// All text bytes of the vector; `textOffset` counts from here.
    @inlinable public var textBase: UnsafeRawPointer { values }

    /// The bytes of text or binary value `index`.
    @inlinable public func bytes(_ index: Int) -> UnsafeRawBufferPointer {
        let start = Int(offsets[offset &+ index])
        let end = Int(offsets[offset &+ index &+ 1])
        return UnsafeRawBufferPointer(start: values + start, count: end &- start)
    }

    /// The dictionary index of value `index`, for vectors that have a dictionary.
    @inlinable public func key(_ index: Int) -> Int {
        Int(values.assumingMemoryBound(to: Int32.self)[offset &+ index])
    }
}

extension MutableBuffer {
    /// A buffer of zero bytes.
    public static func zeroed(byteCount: Int) -> Buffer {
        let buffer = MutableBuffer(capacity: byteCount)
        buffer.base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        return buffer.finish(byteCount: byteCount)
    }
}
