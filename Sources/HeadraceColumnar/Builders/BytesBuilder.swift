/// Collects text, binary or JSON values: bytes in one buffer, 32-bit offsets in another.
///
/// A column holds at most 2 GiB of bytes; more is a programming error, because batches are bounded far below.
public final class BytesBuilder: ColumnBuilder {
    /// `utf8`, `binary` or `json`.
    public let type: DataType
    @usableFromInline var storage: MutableBuffer
    @usableFromInline var offsets: MutableBuffer
    @usableFromInline var validity = ValidityBuilder()
    @usableFromInline var length = 0
    /// Bytes appended so far.
    @usableFromInline var used = 0

    /// A builder for `utf8`, `binary` or `json` with room for `capacity` values of `bytesPerValue` bytes.
    public init(_ type: DataType = .utf8, capacity: Int = 1024, bytesPerValue: Int = 16) {
        precondition(type.layout == .bytes, "\(type) is not stored as bytes")
        self.type = type
        storage = MutableBuffer(capacity: max(capacity * bytesPerValue, 64))
        offsets = MutableBuffer(capacity: (max(capacity, 16) + 1) * 4)
        offsets.base.storeBytes(of: 0, as: Int32.self)
    }

    public var count: Int { length }
    /// The bytes of all values appended so far.
    public var byteCount: Int { used }

    /// Appends a value; text must be valid UTF-8.
    @inlinable @inline(__always) public func append(_ bytes: UnsafeRawBufferPointer) {
        if let source = bytes.baseAddress { append(source, count: bytes.count) } else { appendEmpty() }
    }

    /// Appends the `count` bytes at `source`; text must be valid UTF-8.
    @inlinable @inline(__always) public func append(_ source: UnsafeRawPointer, count: Int) {
        let target = reserve(count)
        target.copyMemory(from: source, byteCount: count)
        commit(count)
    }

    /// Appends the empty value, which is not null.
    @inlinable public func appendEmpty() {
        _ = reserve(0)
        commit(0)
    }

    /// Appends a text.
    public func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Room for a value of up to `most` bytes, to be filled by the caller and closed by `commit`.
    @inlinable @inline(__always) public func reserve(_ most: Int) -> UnsafeMutableRawPointer {
        if used &+ most > storage.capacity || (length &+ 2) &* 4 > offsets.capacity { grow(most) }
        return storage.base + used
    }

    /// Closes the value that `reserve` opened at `count` bytes.
    @inlinable @inline(__always) public func commit(_ count: Int) {
        used &+= count
        length &+= 1
        offsets.base.storeBytes(of: Int32(truncatingIfNeeded: used), toByteOffset: length &* 4, as: Int32.self)
    }

    /// Appends a null.
    public func appendNull() {
        appendEmpty()
        validity.setNull(length &- 1)
    }

    @usableFromInline func grow(_ most: Int) {
        precondition(used &+ most <= Int(Int32.max), "a text column passed 2 GiB")
        storage.reserve(used &+ most, keeping: used)
        offsets.reserve((length &+ 2) &* 4, keeping: (length &+ 1) &* 4)
    }

    public func append(_ value: Scalar) -> Bool {
        switch value {
        case .null: appendNull()
        case .utf8(let text) where type.isText: append(text)
        case .binary(let bytes) where type == .binary: bytes.withUnsafeBytes { append($0) }
        default: return false
        }
        return true
    }

    public func finish() -> ColumnVector {
        let count = length
        let (bits, nulls) = validity.finish(count: count)
        var fullValues = MutableBuffer(capacity: min(max(used, 64), 1 << 20))
        var fullOffsets = MutableBuffer(capacity: min(max(count, 16), 8192) * 4 + 4)
        fullOffsets.base.storeBytes(of: 0, as: Int32.self)
        swap(&storage, &fullValues)
        swap(&offsets, &fullOffsets)
        let bytes = used
        length = 0
        used = 0
        return ColumnVector(
            type: type, count: count, nullCount: nulls, validity: bits, values: fullValues.finish(byteCount: bytes),
            offsets: fullOffsets.finish(byteCount: (count + 1) * 4))
    }
}
