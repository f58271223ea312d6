/// Rows in as few bytes as they need, in one piece of memory of just that size: kept, and read back together.
///
/// Integers are kept as what they exceed the least of their column by, in 0, 1, 2, 4 or 8 bytes; a column of 64-bit numbers
/// that goes along with the one before it, as lines go with ordinals, as its distance from that. So are the lengths
/// of text. What comes back is the same to the bit, under nulls too. A dictionary is shared, not copied.
///
/// - Invariant (`@unchecked Sendable`): the memory is written by `init` alone.
package final class PackedRows: @unchecked Sendable {
    /// The number of rows.
    package let count: Int
    /// What the rows hold of memory, dictionaries left aside.
    package var byteCount: Int { size &+ columns.count &* MemoryLayout<PackedColumn>.stride &+ 96 }

    private let schema: Schema
    private let columns: [PackedColumn]
    private let slab: PackedArena.Slab
    private let memory: UnsafeMutableRawPointer
    private let size: Int

    /// Packs a batch into memory of `arena`; nil when it has lists or structs.
    package init?(_ rows: RecordBatch, in arena: PackedArena) {
        schema = rows.schema
        count = rows.count
        var planned: [PackedColumn] = []
        var used = 0
        var previous: UnsafePointer<Int64>?
        for column in rows.columns {
            switch column.type.layout {
            case .list, .struct: return nil
            case .bits, .fixed, .bytes: break
            }
            let packed = PackedColumn(column, after: previous, at: &used)
            previous = packed.isWord ? column.unsafeView.values(as: Int64.self) : nil
            planned.append(packed)
        }
        columns = planned
        size = used
        (slab, memory) = arena.allocate(used)
        previous = nil
        for (packed, column) in zip(planned, rows.columns) {
            packed.write(column, after: previous, to: memory)
            previous = packed.isWord ? column.unsafeView.values(as: Int64.self) : nil
        }
        withExtendedLifetime(rows) {}
    }

    /// The rows of all `parts`, which have one schema, one after the other. There must be at least one part.
    package static func unpack(_ parts: [PackedRows]) -> RecordBatch {
        guard let first = parts.first else { preconditionFailure("there is nothing to unpack") }
        let count = parts.reduce(0) { $0 &+ $1.count }
        var columns: [ColumnVector] = []
        var previous: UnsafePointer<Int64>?
        for (index, field) in first.schema.fields.enumerated() {
            let pieces = parts.map { Piece(column: $0.columns[index], memory: $0.memory, count: $0.count) }
            let column = Piece.unpack(pieces, field.type, count: count, after: previous)
            previous = first.columns[index].isWord ? column.unsafeView.values(as: Int64.self) : nil
            columns.append(column)
        }
        withExtendedLifetime(parts) {}
        return RecordBatch(schema: first.schema, columns: columns, count: count)
    }
}

/// Numbers as they are packed: what each exceeds `base` by.
private struct PackedNumbers {
    /// Where they begin.
    let start: Int
    /// Bytes of each: 0, 1, 2, 4 or 8.
    let width: Int
    let base: Int64

    @inline(__always)
    init(count: Int, at used: inout Int, _ value: (Int) -> Int64) {
        // Hashes and times are told by a few of them, and then none is looked at twice.
        var (least, most) = Self.range(count: count, step: max(count / 16, 1), value)
        if UInt64(bitPattern: most &- least) < 1 << 32 { (least, most) = Self.range(count: count, step: 1, value) }
        let range = UInt64(bitPattern: most &- least)
        width = range == 0 ? 0 : range < 1 << 8 ? 1 : range < 1 << 16 ? 2 : range < 1 << 32 ? 4 : 8
        base = width == 8 ? 0 : least
        start = used
        used &+= (count &* width &+ 7) & ~7
    }

    @inline(__always)
    private static func range(count: Int, step: Int, _ value: (Int) -> Int64) -> (least: Int64, most: Int64) {
        if count == 0 { return (0, 0) }
        var least = value(0)
        var most = least
        var row = step
        while row < count {
            let value = value(row)
            least = min(least, value)
            most = max(most, value)
            row &+= step
        }
        return (least, most)
    }

    @inline(__always)
    func write(count: Int, to memory: UnsafeMutableRawPointer, _ value: (Int) -> Int64) {
        switch width {
        case 0: break
        case 1: write(UInt8.self, count, memory, value)
        case 2: write(UInt16.self, count, memory, value)
        case 4: write(UInt32.self, count, memory, value)
        default: write(UInt64.self, count, memory, value)
        }
    }

    @inline(__always)
    private func write<Stored: FixedWidthInteger & BitwiseCopyable>(
        _: Stored.Type, _ count: Int, _ memory: UnsafeMutableRawPointer, _ value: (Int) -> Int64
    ) {
        let target = (memory + start).assumingMemoryBound(to: Stored.self)
        for row in 0..<count { target[row] = Stored(truncatingIfNeeded: value(row) &- base) }
    }

    @inline(__always)
    func read(count: Int, from memory: UnsafeRawPointer, _ body: (Int, Int64) -> Void) {
        switch width {
        case 0: for row in 0..<count { body(row, base) }
        case 1: read(UInt8.self, count, memory, body)
        case 2: read(UInt16.self, count, memory, body)
        case 4: read(UInt32.self, count, memory, body)
        default: read(UInt64.self, count, memory, body)
        }
    }

    @inline(__always)
    private func read<Stored: FixedWidthInteger & BitwiseCopyable>(
        _: Stored.Type, _ count: Int, _ memory: UnsafeRawPointer, _ body: (Int, Int64) -> Void
    ) {
        let source = (memory + start).assumingMemoryBound(to: Stored.self)
        for row in 0..<count { body(row, Int64(truncatingIfNeeded: source[row]) &+ base) }
    }
}

/// Where one column of packed rows lies and how.
private struct PackedColumn {
    private enum Values {
        /// As they are: this many bytes.
        case raw(Int)
        case numbers(PackedNumbers)
        /// Distances from the values of the column before.
        case distances(PackedNumbers)
        /// The lengths of texts; the texts themselves are raw.
        case lengths(PackedNumbers, bytes: Int)
    }

    /// Bytes of a value in memory; 0 for bits and text.
    let valueWidth: Int
    let isText: Bool
    let nullCount: Int
    let dictionary: ColumnVector?
    private let values: Values
    /// Where raw values begin.
    private let start: Int
    private let validity: Int

    /// Whether values are 64 bits wide, so that those of the next column may be kept as distances from them.
    var isWord: Bool { valueWidth == 8 }

    /// - Parameter previous: the 64-bit values of the column before.
    init(_ column: ColumnVector, after previous: UnsafePointer<Int64>?, at used: inout Int) {
        let count = column.count
        let view = column.unsafeView
        dictionary = column.dictionary
        nullCount = column.nullCount
        validity = used
        if view.hasNulls { used &+= Bitmap.wordBytes(count) }
        var width = 0
        var isText = false
        if dictionary != nil {
            width = 4
        } else {
            switch column.type.layout {
            case .fixed(let bytes): width = bytes
            case .bytes: isText = true
            case .bits, .list, .struct: break
            }
        }
        valueWidth = width
        self.isText = isText
        switch width {
        case 4:
            let source = view.values(as: Int32.self)
            values = .numbers(PackedNumbers(count: count, at: &used) { Int64(source[$0]) })
        case 8:
            let source = view.values(as: Int64.self)
            if let previous, count > 1, Self.isClose(source, previous, count) {
                values = .distances(PackedNumbers(count: count, at: &used) { source[$0] &- previous[$0] })
            } else {
                values = .numbers(PackedNumbers(count: count, at: &used) { source[$0] })
            }
        case 16 where Self.isNarrow(view.values(as: Int128.self), count):
            let source = view.values(as: Int128.self)
            values = .numbers(PackedNumbers(count: count, at: &used) { Int64(truncatingIfNeeded: source[$0]) })
        case 0 where isText:
            let lengths = PackedNumbers(count: count, at: &used) {
                Int64(view.textOffset($0 &+ 1) &- view.textOffset($0))
            }
            values = .lengths(lengths, bytes: Int(view.textOffset(count) &- view.textOffset(0)))
        case 0: values = .raw(Bitmap.wordBytes(count))
        default: values = .raw(count &* width)
        }
        start = used
        switch values {
        case .raw(let bytes), .lengths(_, let bytes): used &+= (bytes &+ 7) & ~7
        case .numbers, .distances: break
        }
        withExtendedLifetime(column) {}
    }

    /// Whether distances from the column before look smaller than the values' own: the first and the last are alike.
    private static func isClose(_ values: UnsafePointer<Int64>, _ previous: UnsafePointer<Int64>, _ count: Int) -> Bool
    {
        let first = values[0] &- previous[0]
        let last = values[count &- 1] &- previous[count &- 1]
        return (last &- first).magnitude < 1 << 8 && (values[count &- 1] &- values[0]).magnitude >= 1 << 8
    }

    private static func isNarrow(_ values: UnsafePointer<Int128>, _ count: Int) -> Bool {
        var differs: Int128 = 0
        for row in 0..<count { differs |= values[row] ^ Int128(Int64(truncatingIfNeeded: values[row])) }
        return differs == 0
    }

    func write(_ column: ColumnVector, after previous: UnsafePointer<Int64>?, to memory: UnsafeMutableRawPointer) {
        let count = column.count
        let view = column.unsafeView
        if let bits = view.validityBits { Self.writeBits(bits, count, to: memory + validity) }
        switch values {
        case .raw(let bytes):
            if valueWidth == 0 {
                Self.writeBits(view.valueBits, count, to: memory + start)
            } else {
                (memory + start).copyMemory(
                    from: view.textBase + column.offset &* valueWidth, byteCount: bytes)
            }
        case .numbers(let numbers):
            switch valueWidth {
            case 4:
                let source = view.values(as: Int32.self)
                numbers.write(count: count, to: memory) { Int64(source[$0]) }
            case 8:
                let source = view.values(as: Int64.self)
                numbers.write(count: count, to: memory) { source[$0] }
            default:
                let source = view.values(as: Int128.self)
                numbers.write(count: count, to: memory) { Int64(truncatingIfNeeded: source[$0]) }
            }
        case .distances(let numbers):
            guard let previous else { preconditionFailure("distances from no column") }
            let source = view.values(as: Int64.self)
            numbers.write(count: count, to: memory) { source[$0] &- previous[$0] }
        case .lengths(let lengths, let bytes):
            lengths.write(count: count, to: memory) { Int64(view.textOffset($0 &+ 1) &- view.textOffset($0)) }
            (memory + start).copyMemory(from: view.textBase + Int(view.textOffset(0)), byteCount: bytes)
        }
        withExtendedLifetime(column) {}
    }

    private static func writeBits(
        _ bits: (base: UnsafeRawPointer, offset: Int), _ count: Int, to target: UnsafeMutableRawPointer
    ) {
        var done = 0
        while done < count {
            let word = Bitmap.word(bits.base, bits.offset &+ done, count: min(64, count &- done))
            target.storeBytes(of: word, toByteOffset: done &>> 3, as: UInt64.self)
            done &+= 64
        }
    }

    // MARK: - Reading

    /// The bytes of the texts.
    var textBytes: Int {
        if case .lengths(_, let bytes) = values { return bytes }
        return 0
    }

    func readValidity(_ memory: UnsafeRawPointer, _ count: Int, into bits: inout BitmapWriter) {
        if nullCount > 0 {
            bits.append(memory + validity, from: 0, count: count)
        } else {
            bits.append(repeating: true, count: count)
        }
    }

    func readBits(_ memory: UnsafeRawPointer, _ count: Int, into bits: inout BitmapWriter) {
        bits.append(memory + start, from: 0, count: count)
    }

    /// - Parameter previous: the values read from the column before, for these rows.
    func readFixed(
        _ memory: UnsafeRawPointer, _ count: Int, after previous: UnsafePointer<Int64>?,
        into target: UnsafeMutableRawPointer
    ) {
        switch values {
        case .raw(let bytes): target.copyMemory(from: memory + start, byteCount: bytes)
        case .numbers(let numbers):
            switch valueWidth {
            case 4:
                let out = target.assumingMemoryBound(to: Int32.self)
                numbers.read(count: count, from: memory) { out[$0] = Int32(truncatingIfNeeded: $1) }
            case 8:
                let out = target.assumingMemoryBound(to: Int64.self)
                numbers.read(count: count, from: memory) { out[$0] = $1 }
            default:
                let out = target.assumingMemoryBound(to: Int128.self)
                numbers.read(count: count, from: memory) { out[$0] = Int128($1) }
            }
        case .distances(let numbers):
            guard let previous else { preconditionFailure("distances from no column") }
            let out = target.assumingMemoryBound(to: Int64.self)
            numbers.read(count: count, from: memory) { out[$0] = $1 &+ previous[$0] }
        case .lengths: preconditionFailure("text has no width")
        }
    }

    /// Appends the texts at `used` bytes; `ends` is where the first of them ends.
    func readText(
        _ memory: UnsafeRawPointer, _ count: Int, ends: UnsafeMutablePointer<Int32>, into text: UnsafeMutableRawPointer,
        used: inout Int
    ) {
        guard case .lengths(let lengths, let bytes) = values else { preconditionFailure("no text was packed") }
        var end = Int64(used)
        lengths.read(count: count, from: memory) {
            end &+= $1
            ends[$0] = Int32(truncatingIfNeeded: end)
        }
        (text + used).copyMemory(from: memory + start, byteCount: bytes)
        used &+= bytes
    }
}

/// A column of one part of packed rows.
private struct Piece {
    let column: PackedColumn
    let memory: UnsafeMutableRawPointer
    let count: Int

    static func unpack(
        _ pieces: [Piece], _ type: DataType, count: Int, after previous: UnsafePointer<Int64>?
    ) -> ColumnVector {
        let dictionaries = pieces.compactMap(\.column.dictionary)
        let dictionary = ColumnVector.common(dictionaries)
        if !dictionaries.isEmpty, dictionary == nil || dictionaries.count < pieces.count {
            // Keys of different dictionaries are not put side by side as they are.
            return Kernels.concat(pieces.map { unpack([$0], type, count: $0.count, after: nil) })
        }
        var validity: Buffer?
        let nullCount = pieces.reduce(0) { $0 &+ $1.column.nullCount }
        if nullCount > 0 {
            var bits = BitmapWriter(capacity: count)
            for piece in pieces { piece.column.readValidity(piece.memory, piece.count, into: &bits) }
            validity = bits.finish(count: count)
        }
        func vector(_ values: Buffer, offsets: Buffer? = nil) -> ColumnVector {
            ColumnVector(
                type: type, count: count, nullCount: nullCount, validity: validity, values: values, offsets: offsets,
                dictionary: dictionary)
        }
        let width = pieces[0].column.valueWidth
        if width > 0 {
            let out = MutableBuffer(capacity: count &* width)
            var row = 0
            for piece in pieces {
                piece.column.readFixed(
                    piece.memory, piece.count, after: previous.map { $0 + row }, into: out.base + row &* width)
                row &+= piece.count
            }
            return vector(out.finish(byteCount: count &* width))
        }
        if pieces[0].column.isText {
            let total = pieces.reduce(0) { $0 &+ $1.column.textBytes }
            precondition(total <= Int(Int32.max), "a text column passed 2 GiB")
            let ends = MutableBuffer(capacity: (count &+ 1) &* 4)
            let offsets = ends.values(as: Int32.self)
            offsets[0] = 0
            let out = MutableBuffer(capacity: total)
            var row = 1
            var used = 0
            for piece in pieces {
                piece.column.readText(piece.memory, piece.count, ends: offsets + row, into: out.base, used: &used)
                row &+= piece.count
            }
            return vector(out.finish(byteCount: total), offsets: ends.finish(byteCount: (count &+ 1) &* 4))
        }
        var bits = BitmapWriter(capacity: count)
        for piece in pieces { piece.column.readBits(piece.memory, piece.count, into: &bits) }
        return vector(bits.finish(count: count))
    }
}
