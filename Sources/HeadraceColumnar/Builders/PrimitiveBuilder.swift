/// Collects fixed-width values: integers, floating point, dates, times, timestamps and decimal coefficients.
public final class PrimitiveBuilder<Value: BitwiseCopyable>: ColumnBuilder {
    /// The type of the column that is built, of the width of `Value`.
    public let type: DataType
    @usableFromInline var storage: MutableBuffer
    @usableFromInline var validity = ValidityBuilder()
    @usableFromInline var pointer: UnsafeMutablePointer<Value>
    @usableFromInline var room: Int
    @usableFromInline var length = 0

    public var count: Int { length }

    /// A builder for `type`, whose width must be that of `Value`.
    public init(_ type: DataType, capacity: Int = 1024) {
        precondition(type.layout == .fixed(width: MemoryLayout<Value>.size), "\(type) is not stored as \(Value.self)")
        self.type = type
        storage = MutableBuffer(capacity: max(capacity, 16) * MemoryLayout<Value>.stride)
        pointer = storage.base.assumingMemoryBound(to: Value.self)
        room = storage.capacity / MemoryLayout<Value>.stride
    }

    /// Appends a value as it is stored.
    @inlinable @inline(__always) public func append(_ value: Value) {
        if length == room { grow(by: 1) }
        pointer[length] = value
        length &+= 1
    }

    /// Appends a null, stored as zero.
    @inlinable public func appendNull() {
        if length == room { grow(by: 1) }
        pointer.advanced(by: length).withMemoryRebound(to: UInt8.self, capacity: MemoryLayout<Value>.stride) {
            $0.initialize(repeating: 0, count: MemoryLayout<Value>.stride)
        }
        validity.setNull(length)
        length &+= 1
    }

    /// Appends `values` without nulls.
    public func append(contentsOf values: UnsafeBufferPointer<Value>) {
        guard let source = values.baseAddress else { return }
        if length &+ values.count > room { grow(by: values.count) }
        (pointer + length).update(from: source, count: values.count)
        length &+= values.count
    }

    @usableFromInline func grow(by more: Int) {
        let stride = MemoryLayout<Value>.stride
        storage.reserve((length &+ more) &* stride, keeping: length &* stride)
        pointer = storage.base.assumingMemoryBound(to: Value.self)
        room = storage.capacity / stride
    }

    public func append(_ value: Scalar) -> Bool {
        if case .null = value {
            appendNull()
            return true
        }
        guard let bits = value.fixedWidthValue(for: type, as: Value.self) else { return false }
        append(bits)
        return true
    }

    public func finish() -> ColumnVector {
        let count = length
        let (bits, nulls) = validity.finish(count: count)
        let fresh = MutableBuffer(capacity: min(max(count, 16), 8192) * MemoryLayout<Value>.stride)
        let full = exchange(fresh)
        length = 0
        return ColumnVector(type: type, count: count, nullCount: nulls, validity: bits, values: full)
    }

    private func exchange(_ fresh: consuming MutableBuffer) -> Buffer {
        var incoming = fresh
        swap(&storage, &incoming)
        let full = incoming.finish(byteCount: length &* MemoryLayout<Value>.stride)
        pointer = storage.base.assumingMemoryBound(to: Value.self)
        room = storage.capacity / MemoryLayout<Value>.stride
        return full
    }
}
