import HeadraceCArrow

/// A foreign array taken over from its producer; releases it when the last buffer that reads it goes.
///
/// - Invariant (`@unchecked Sendable`): the structure is only read after `init`, and released once, in `deinit`. The interface
///   demands that a release may run on any thread.
final class ForeignArray: @unchecked Sendable {
    let array: UnsafeMutablePointer<ArrowArray>

    /// Moves the structure: the one at `source` counts as released afterwards.
    init(moving source: UnsafeMutablePointer<ArrowArray>) {
        array = .allocate(capacity: 1)
        array.initialize(to: source.pointee)
        source.pointee.release = nil
    }

    deinit {
        array.pointee.release?(array)
        array.deallocate()
    }
}

/// Reads arrays by their plans, without a copy where the layouts agree.
struct ArrowImport {
    let owner: ForeignArray

    /// The columns of an array of structs that stands for a batch.
    func batch(_ plan: ArrowPlan, _ schema: Schema) throws(ArrowError) -> RecordBatch {
        let array = owner.array.pointee
        let column = try column(plan, array, path: "")
        guard column.nullCount == 0 else {
            throw ArrowError(.malformed, "a batch with rows that are null as a whole")
        }
        return RecordBatch(
            schema: schema, columns: column.children.map { $0.slice(from: column.offset, count: column.count) },
            count: column.count)
    }

    func column(_ plan: ArrowPlan, _ array: ArrowArray, path: String) throws(ArrowError) -> ColumnVector {
        let read = try ArrowRead(array, owner: owner, path: path)
        let type = plan.field.type
        if let dictionary = plan.dictionary { return try encoded(plan, dictionary, read) }
        switch plan.reading {
        case .bits: return read.column(type, values: try read.bits(1))
        case .fixed:
            guard case .fixed(let width) = type.layout else { throw read.malformed("values of no width") }
            return read.column(type, values: try read.fixed(1, width: width))
        case .bytes(largeOffsets: false): return try read.bytes(type)
        case .bytes(largeOffsets: true): return try read.largeBytes(type)
        case .byteViews: return try read.byteViews(type)
        case .fixedBytes(let width): return try read.fixedBytes(width)
        case .float16: return try read.halves()
        case .decimal(let bits): return try read.decimals(type, bits: bits)
        case .scaled(let width, let multiply, let divide):
            return try read.scaled(type, width: width, multiply: multiply, divide: divide)
        case .list(largeOffsets: false):
            let elements = try child(plan, array, 0, path)
            let offsets = try read.fixed(1, width: 4, extra: 1)
            let end = Int(offsets.base.assumingMemoryBound(to: Int32.self)[read.offset + read.count])
            guard (0...elements.count).contains(end) else { throw read.malformed("elements") }
            return read.column(type, offsets: offsets, children: [elements])
        case .list(largeOffsets: true):
            let elements = try child(plan, array, 0, path)
            let offsets = try read.narrowedOffsets()
            guard offsets.end <= elements.count else { throw read.malformed("elements") }
            return read.moved(type, offsets: offsets.buffer, children: [elements])
        case .fixedList(let count):
            let elements = try child(plan, array, 0, path)
            guard elements.count >= (read.offset + read.count) * count else { throw read.malformed("elements") }
            let moved = elements.slice(from: read.offset * count, count: read.count * count)
            return read.moved(type, offsets: try read.evenOffsets(count), children: [moved])
        case .structure:
            var children: [ColumnVector] = []
            for index in plan.children.indices { children.append(try child(plan, array, index, path)) }
            guard children.allSatisfy({ $0.count >= read.offset + read.count }) else { throw read.malformed("values") }
            return read.column(type, children: children)
        }
    }

    private func child(
        _ plan: ArrowPlan, _ array: ArrowArray, _ index: Int, _ path: String
    ) throws(ArrowError) -> ColumnVector {
        let name = plan.children[index].field.name
        let path = path.isEmpty ? name : "\(path).\(name)"
        guard index < array.n_children, let child = array.children?[index] else {
            throw ArrowError(.malformed, "an array lacks the child that its schema names", column: path)
        }
        return try column(plan.children[index], child.pointee, path: path)
    }

    /// Keeps the dictionary of text and binary values, decodes all others.
    private func encoded(
        _ plan: ArrowPlan, _ dictionary: ArrowPlan.Dictionary, _ read: ArrowRead
    ) throws(ArrowError) -> ColumnVector {
        guard let foreign = read.array.dictionary else { throw read.malformed("a dictionary") }
        var values = try column(dictionary.values, foreign.pointee, path: read.path)
        if values.type != plan.field.type { values = values.viewed(as: plan.field.type) }
        let keys = try read.keys(dictionary.indexFormat, count: values.count)
        let column = read.moved(values.type, values: keys, dictionary: values)
        if values.type.layout != .bytes || values.nullCount > 0 {
            return Kernels.decoded(column)
        }
        return Self.hasRepetition(values) ? Kernels.remapped(column, values) : column
    }

    private static func hasRepetition(_ values: ColumnVector) -> Bool {
        let view = values.unsafeView
        var interner = Interner(values.type, capacity: values.count)
        for row in 0..<values.count where Int(interner.intern(view.bytes(row))) != row { return true }
        return false
    }
}
