import HeadraceCArrow

/// Fills C array structures that share the buffers of our columns; the buffers live until the consumer releases them.
struct ArrowArrayExport {
    let widensDecimals: Bool

    /// A batch as an array of structs without nulls.
    func fill(_ target: UnsafeMutablePointer<ArrowArray>, _ batch: RecordBatch) {
        fill(
            target,
            ColumnVector(
                type: .struct(batch.schema.fields), count: batch.count, nullCount: 0, children: batch.columns))
    }

    /// Whether a column of this type leaves with its dictionary.
    static func keepsDictionary(_ type: DataType) -> Bool { type == .utf8 || type == .binary }

    func fill(_ target: UnsafeMutablePointer<ArrowArray>, _ column: ColumnVector) {
        let column = widened(Self.keepsDictionary(column.type) ? column : Kernels.decoded(column))
        let memory = ArrowArrayMemory(column, buffers: buffers(of: column))
        for (index, child) in column.children.enumerated() { fill(memory.child(index), child) }
        if let dictionary = column.dictionary, let target = memory.dictionary { fill(target, dictionary) }
        target.initialize(
            to: ArrowArray(
                length: Int64(column.count), null_count: Int64(column.nullCount), offset: Int64(column.offset),
                n_buffers: Int64(memory.bufferCount), n_children: Int64(column.children.count), buffers: memory.buffers,
                children: memory.children, dictionary: memory.dictionary, release: Self.release,
                private_data: Unmanaged.passRetained(memory).toOpaque()))
    }

    private func widened(_ column: ColumnVector) -> ColumnVector {
        guard widensDecimals, case .decimal(let precision, let scale) = column.type, precision <= 18 else {
            return column
        }
        let validity = Validity(column)
        // The same type with the layout of 128 bits, which never leaves this file but as C structures.
        return ColumnVector(
            type: column.type, count: column.count, nullCount: validity.nullCount, validity: validity.buffer,
            values: NumericReader(column).wides(scale: scale))
    }

    /// The buffers in the order of the type's layout; nil for an absent validity bitmap.
    private func buffers(of column: ColumnVector) -> [Buffer?] {
        let empty = column.count == 0 ? Self.empty : nil
        if column.dictionary != nil { return [column.validity, column.values ?? empty] }
        switch column.type.layout {
        case .bits, .fixed: return [column.validity, column.values ?? empty]
        case .bytes: return [column.validity, column.offsets ?? empty, column.values ?? Self.empty]
        case .list: return [column.validity, column.offsets ?? empty]
        case .struct: return [column.validity]
        }
    }

    private static let empty = MutableBuffer.zeroed(byteCount: 64)

    private static let release: @convention(c) (UnsafeMutablePointer<ArrowArray>?) -> Void = { array in
        guard let array, let memory = array.pointee.private_data else { return }
        array.pointee.release = nil
        array.pointee.private_data = nil
        Unmanaged<ArrowArrayMemory>.fromOpaque(memory).release()
    }
}

/// What an exported array points to; keeps its column alive until the consumer releases it.
private final class ArrowArrayMemory {
    private let column: ColumnVector
    private let owned: [Buffer?]
    let buffers: UnsafeMutablePointer<UnsafeRawPointer?>
    let children: UnsafeMutablePointer<UnsafeMutablePointer<ArrowArray>?>?
    let dictionary: UnsafeMutablePointer<ArrowArray>?
    var bufferCount: Int { owned.count }

    init(_ column: ColumnVector, buffers: [Buffer?]) {
        self.column = column
        owned = buffers
        self.buffers = .allocate(capacity: buffers.count)
        for (index, buffer) in buffers.enumerated() { self.buffers[index] = buffer.map { UnsafeRawPointer($0.base) } }
        let count = column.children.count
        children = count == 0 ? nil : .allocate(capacity: count)
        for index in 0..<count { children?[index] = .allocate(capacity: 1) }
        dictionary = column.dictionary == nil ? nil : .allocate(capacity: 1)
    }

    func child(_ index: Int) -> UnsafeMutablePointer<ArrowArray> {
        guard let child = children?[index] else { preconditionFailure("an exported array has no child \(index)") }
        return child
    }

    deinit {
        for index in column.children.indices {
            // A consumer may have moved a child away; then its release is gone.
            child(index).pointee.release?(child(index))
            child(index).deallocate()
        }
        children?.deallocate()
        if let dictionary {
            dictionary.pointee.release?(dictionary)
            dictionary.deallocate()
        }
        buffers.deallocate()
    }
}
