/// Collects booleans, one bit a value.
public final class BooleanBuilder: ColumnBuilder {
    /// Always `bool`.
    public let type = DataType.bool
    @usableFromInline var storage: MutableBuffer
    @usableFromInline var validity = ValidityBuilder()
    @usableFromInline var length = 0

    /// A builder with room for `capacity` values, which grows as needed.
    public init(capacity: Int = 1024) {
        storage = MutableBuffer(capacity: Bitmap.byteCount(max(capacity, 64)))
    }

    public var count: Int { length }

    /// Appends a value.
    @inlinable public func append(_ value: Bool) {
        if Bitmap.byteCount(length &+ 1) > storage.capacity { grow() }
        Bitmap.set(storage.base, length, value)
        length &+= 1
    }

    /// Appends a null.
    public func appendNull() {
        append(false)
        validity.setNull(length &- 1)
    }

    @usableFromInline func grow() {
        storage.reserve(storage.capacity &* 2, keeping: Bitmap.byteCount(length))
    }

    public func append(_ value: Scalar) -> Bool {
        switch value {
        case .null: appendNull()
        case .bool(let bit): append(bit)
        default: return false
        }
        return true
    }

    public func finish() -> ColumnVector {
        let count = length
        let (bits, nulls) = validity.finish(count: count)
        var full = MutableBuffer(capacity: 1024)
        swap(&storage, &full)
        length = 0
        return ColumnVector(
            type: .bool, count: count, nullCount: nulls, validity: bits,
            values: full.finish(byteCount: Bitmap.byteCount(count)))
    }
}
