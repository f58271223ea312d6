/// Collects the values of one column and hands them over as a `ColumnVector`.
///
/// One call a value through `any ColumnBuilder` costs more than the value; hot paths use the concrete builders.
public protocol ColumnBuilder: AnyObject {
    /// The type of the column that is built.
    var type: DataType { get }
    /// Values appended so far, nulls included.
    var count: Int { get }
    /// Appends a null.
    func appendNull()
    /// Appends a value of this column's type, nulls included.
    /// - Returns: false, with nothing appended, when the value is of another kind or does not fit the type.
    func append(_ value: Scalar) -> Bool
    /// The column; the builder is empty afterwards and may be used again.
    func finish() -> ColumnVector
}

/// A builder for `type`, with room for `capacity` values.
public func makeBuilder(for type: DataType, capacity: Int = 1024) -> any ColumnBuilder {
    switch type {
    case .bool: BooleanBuilder(capacity: capacity)
    case .int8: PrimitiveBuilder<Int8>(type, capacity: capacity)
    case .int16: PrimitiveBuilder<Int16>(type, capacity: capacity)
    case .int32, .date32: PrimitiveBuilder<Int32>(type, capacity: capacity)
    case .int64, .time64, .timestamp: PrimitiveBuilder<Int64>(type, capacity: capacity)
    case .uint8: PrimitiveBuilder<UInt8>(type, capacity: capacity)
    case .uint16: PrimitiveBuilder<UInt16>(type, capacity: capacity)
    case .uint32: PrimitiveBuilder<UInt32>(type, capacity: capacity)
    case .uint64: PrimitiveBuilder<UInt64>(type, capacity: capacity)
    case .float32: PrimitiveBuilder<Float>(type, capacity: capacity)
    case .float64: PrimitiveBuilder<Double>(type, capacity: capacity)
    case .decimal(let precision, _):
        precision <= 18
            ? PrimitiveBuilder<Int64>(type, capacity: capacity) : PrimitiveBuilder<Int128>(type, capacity: capacity)
    case .utf8, .binary, .json: BytesBuilder(type, capacity: capacity)
    case .list(let element): ListBuilder(element)
    case .struct(let fields): StructBuilder(fields)
    }
}

/// The validity bits of a builder, allocated at the first null.
@usableFromInline struct ValidityBuilder: ~Copyable {
    @usableFromInline var bits: MutableBuffer?
    @usableFromInline var nullCount = 0

    init() {}

    /// Notes that value `index` is null; all before it that were not noted are valid.
    @usableFromInline mutating func setNull(_ index: Int) {
        nullCount &+= 1
        grow(to: index)
        guard let base = bits?.base else { return }
        Bitmap.set(base, index, false)
    }

    /// Makes room up to `index` with all new bits set.
    private mutating func grow(to index: Int) {
        let needed = Bitmap.byteCount(index &+ 1)
        if bits == nil {
            let fresh = MutableBuffer(capacity: max(needed, 512))
            fresh.base.initializeMemory(as: UInt8.self, repeating: 0xff, count: fresh.capacity)
            bits = consume fresh
            return
        }
        guard let old = bits?.capacity, old < needed else { return }
        bits?.reserve(needed, keeping: old)
        if let base = bits?.base, let new = bits?.capacity {
            (base + old).initializeMemory(as: UInt8.self, repeating: 0xff, count: new &- old)
        }
    }

    mutating func finish(count: Int) -> (buffer: Buffer?, nullCount: Int) {
        defer { nullCount = 0 }
        guard nullCount > 0 else { return (nil, 0) }
        grow(to: max(count &- 1, 0))
        let taken = bits.take()
        guard let taken else { return (nil, 0) }
        return (taken.finish(byteCount: Bitmap.byteCount(count)), nullCount)
    }
}
