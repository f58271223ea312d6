import HeadraceCArrow

/// Reads of one foreign array's own buffers.
struct ArrowRead {
    let array: ArrowArray
    let owner: ForeignArray
    let path: String
    /// The number of values.
    let count: Int
    /// The values that come before the first in the buffers.
    let offset: Int

    init(_ array: ArrowArray, owner: ForeignArray, path: String) throws(ArrowError) {
        guard array.length >= 0, array.offset >= 0, array.length + array.offset <= Int64(Int32.max) else {
            throw ArrowError(.malformed, "an array of \(array.length) values from \(array.offset)", column: path)
        }
        self.array = array
        self.owner = owner
        self.path = path
        count = Int(array.length)
        offset = Int(array.offset)
    }

    func malformed(_ what: String) -> ArrowError {
        ArrowError(.malformed, "an array lacks \(what), or has it wrong", column: path)
    }

    func inexact(_ row: Int, _ what: String, _ type: DataType) -> ArrowError {
        ArrowError(.inexactValue, "value \(row), \(what), does not fit \(type)", column: path)
    }

    // MARK: - Buffers

    private func pointer(_ index: Int) -> UnsafeRawPointer? {
        guard index < array.n_buffers else { return nil }
        return array.buffers?[index]
    }

    /// `byteCount` bytes from byte `start` of buffer `index`; a copy where they are not aligned to `alignment`.
    func buffer(_ index: Int, from start: Int = 0, byteCount: Int, alignment: Int) throws(ArrowError) -> Buffer {
        if byteCount == 0 { return Self.empty }
        guard let base = pointer(index) else { throw malformed("buffer \(index)") }
        let first = base + start
        guard Int(bitPattern: first) % alignment == 0 else {
            return Buffer(copying: UnsafeRawBufferPointer(start: first, count: byteCount))
        }
        let owner = owner
        return Buffer(foreign: UnsafeMutableRawPointer(mutating: first), byteCount: byteCount) {
            withExtendedLifetime(owner) {}
        }
    }

    private static let empty = MutableBuffer.zeroed(byteCount: 64)

    /// Fixed-width values from the start of the buffer up to the last of this array, and `extra` more.
    func fixed(_ index: Int, width: Int, extra: Int = 0) throws(ArrowError) -> Buffer {
        // An array without values may have no offsets at all.
        if count == 0 && pointer(index) == nil { return MutableBuffer.zeroed(byteCount: (offset + extra) * width) }
        return try buffer(index, byteCount: (offset + count + extra) * width, alignment: width)
    }

    func bits(_ index: Int) throws(ArrowError) -> Buffer {
        try buffer(index, byteCount: count == 0 ? 0 : Bitmap.byteCount(offset + count), alignment: 1)
    }

    private func validity() -> Buffer? {
        guard array.null_count != 0, count > 0, let base = pointer(0) else { return nil }
        let owner = owner
        return Buffer(
            foreign: UnsafeMutableRawPointer(mutating: base), byteCount: Bitmap.byteCount(offset + count)
        ) {
            withExtendedLifetime(owner) {}
        }
    }

    func isValid(_ row: Int) -> Bool {
        guard array.null_count != 0, let base = pointer(0) else { return true }
        return Bitmap.get(base, offset + row)
    }

    // MARK: - Columns

    /// A column over buffers that start where the foreign ones do.
    func column(
        _ type: DataType, values: Buffer? = nil, offsets: Buffer? = nil, children: [ColumnVector] = []
    ) -> ColumnVector {
        ColumnVector(
            type: type, count: count, offset: offset, validity: validity(), values: values, offsets: offsets,
            children: children)
    }

    /// A column over buffers that start at the first value of this array.
    func moved(
        _ type: DataType, values: Buffer? = nil, offsets: Buffer? = nil, children: [ColumnVector] = [],
        dictionary: ColumnVector? = nil
    ) -> ColumnVector {
        let validity = Validity(
            ColumnVector(type: .bool, count: count, offset: offset, validity: validity(), values: Self.empty))
        return ColumnVector(
            type: type, count: count, nullCount: validity.nullCount, validity: validity.buffer, values: values,
            offsets: offsets, children: children, dictionary: dictionary)
    }

    func bytes(_ type: DataType) throws(ArrowError) -> ColumnVector {
        let offsets = try fixed(1, width: 4, extra: 1)
        let end = Int(offsets.base.assumingMemoryBound(to: Int32.self)[offset + count])
        guard end >= 0 else { throw malformed("offsets") }
        return column(type, values: try buffer(2, byteCount: end, alignment: 1), offsets: offsets)
    }

    func largeBytes(_ type: DataType) throws(ArrowError) -> ColumnVector {
        let (offsets, start, end) = try narrowedOffsets(rebasing: true)
        return moved(
            type, values: try buffer(2, from: start, byteCount: end - start, alignment: 1), offsets: offsets)
    }

    /// 64-bit offsets as 32-bit ones, counted from the first when `rebasing`.
    func narrowedOffsets(rebasing: Bool = false) throws(ArrowError) -> (buffer: Buffer, start: Int, end: Int) {
        let wide = try fixed(1, width: 8, extra: 1)
        let source = wide.base.assumingMemoryBound(to: Int64.self) + offset
        let base = rebasing ? source[0] : 0
        guard source[0] >= 0, source[count] >= source[0], source[count] - base <= Int64(Int32.max) else {
            throw ArrowError(
                .unsupportedType, "large offsets up to \(source[count]): a column holds at most 2^31 bytes or elements",
                column: path)
        }
        let out = MutableBuffer(capacity: (count + 1) * 4)
        let target = out.values(as: Int32.self)
        for row in 0...count { target[row] = Int32(truncatingIfNeeded: source[row] &- base) }
        let (start, end) = (Int(source[0]), Int(source[count]))
        withExtendedLifetime(wide) {}
        return (out.finish(byteCount: (count + 1) * 4), start, end)
    }

    /// Offsets of `count` values of `width` bytes or elements each.
    func evenOffsets(_ width: Int) throws(ArrowError) -> Buffer {
        guard count == 0 || width <= Int(Int32.max) / count else {
            throw ArrowError(.unsupportedType, "more than 2^31 bytes or elements in a column", column: path)
        }
        let out = MutableBuffer(capacity: (count + 1) * 4)
        let target = out.values(as: Int32.self)
        for row in 0...count { target[row] = Int32(truncatingIfNeeded: row &* width) }
        return out.finish(byteCount: (count + 1) * 4)
    }

    func fixedBytes(_ width: Int) throws(ArrowError) -> ColumnVector {
        let offsets = try evenOffsets(width)
        return moved(
            .binary, values: try buffer(1, from: offset * width, byteCount: count * width, alignment: 1),
            offsets: offsets)
    }

    /// Views of 16 bytes: the length, then the bytes themselves or a prefix, a buffer and a place in it.
    func byteViews(_ type: DataType) throws(ArrowError) -> ColumnVector {
        let views = try buffer(1, from: offset * 16, byteCount: count * 16, alignment: 1)
        var total = 0
        for row in 0..<count where isValid(row) {
            total += Int(views.base.loadUnaligned(fromByteOffset: row * 16, as: Int32.self))
        }
        guard total >= 0, total <= Int(Int32.max) else {
            throw ArrowError(.unsupportedType, "\(total) bytes of text in a column", column: path)
        }
        var writer = TextWriter(rows: count, bytes: total)
        for row in 0..<count {
            let view = views.base + row * 16
            let length = Int(view.loadUnaligned(as: Int32.self))
            if !isValid(row) {
                writer.commit(0)
            } else if length <= 12 {
                writer.append(view + 4, count: max(length, 0))
            } else {
                let place = Int(view.loadUnaligned(fromByteOffset: 8, as: Int32.self))
                let start = Int(view.loadUnaligned(fromByteOffset: 12, as: Int32.self))
                guard place >= 0, start >= 0, let data = pointer(2 + place) else {
                    throw malformed("the data of a view")
                }
                writer.append(data + start, count: length)
            }
        }
        withExtendedLifetime(views) {}
        return writer.finish(type, moved(type, values: Self.empty, offsets: Self.empty).asValidity)
    }
}

extension ColumnVector {
    /// The validity of a column that starts at bit 0.
    fileprivate var asValidity: Validity { Validity(buffer: validity, nullCount: nullCount) }
}
