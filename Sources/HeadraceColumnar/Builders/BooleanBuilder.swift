/// Collects booleans, one bit a value.
public final class BooleanBuilder: ColumnBuilder {
    public let type = DataType.bool
    @usableFromInline var storage: MutableBuffer
    @usableFromInline var validity = ValidityBuilder()
    @usableFromInline var length = 0

    public init(capacity: Int = 1024) {
        storage = MutableBuffer(capacity: Bitmap.byteCount(max(capacity, 64)))
    }

    public var count: Int { length }

    @inlinable public func append(_ value: Bool) {
        if Bitmap.byteCount(length &+ 1) > storage.capacity { grow() }
        Bitmap.set(storage.base, length, value)
        length &+= 1
    }

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
