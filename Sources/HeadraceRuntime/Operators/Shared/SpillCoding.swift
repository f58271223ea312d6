import HeadraceColumnar

/// Packs columns as runs of bytes: each buffer of a column is a 64-bit length and its bytes, padded to eight.
///
/// Slices are packed from their first value, so that no more is written than the rows hold. Columns must not have a
/// dictionary.
struct SpillEncoder: ~Copyable {
    private var out: MutableBuffer
    private var used: Int

    /// - Parameter reserved: bytes kept free at the start for a header, a multiple of eight.
    init(capacity: Int, reserved: Int) {
        out = MutableBuffer(capacity: capacity + reserved)
        used = reserved
    }

    /// What has been packed, the reserved bytes included; valid until the next append.
    var contents: (base: UnsafeMutableRawPointer, byteCount: Int) { (out.base, used) }

    mutating func append(_ column: ColumnVector) {
        let view = column.unsafeView
        if let bits = view.validityBits {
            append(bits: bits.base, from: bits.offset, count: column.count)
        } else {
            append(UnsafeRawPointer(out.base), byteCount: 0)
        }
        switch column.type.layout {
        case .bits:
            let bits = view.valueBits
            append(bits: bits.base, from: bits.offset, count: column.count)
        case .fixed(let width):
            // Counted in bytes from the buffer's start, because a window's offset counts values.
            guard let values = column.values else { return append(UnsafeRawPointer(out.base), byteCount: 0) }
            append(UnsafeRawPointer(values.base) + column.offset * width, byteCount: column.count * width)
        case .bytes:
            let range = appendOffsets(view)
            append(view.textBase + range.lowerBound, byteCount: range.count)
        case .list:
            let range = appendOffsets(view)
            append(Kernels.decoded(column.children[0].slice(from: range.lowerBound, count: range.count)))
        case .struct:
            for child in column.children {
                append(Kernels.decoded(child.slice(from: column.offset, count: column.count)))
            }
        }
        withExtendedLifetime(column) {}
    }

    /// Packs the offsets of a window as if its first value began at 0; returns the range they cover.
    private mutating func appendOffsets(_ view: UnsafeColumnView) -> Range<Int> {
        let first = view.textOffset(0)
        let target = open(byteCount: (view.count + 1) * 4).assumingMemoryBound(to: Int32.self)
        for index in 0...view.count { target[index] = view.textOffset(index) &- first }
        return Int(first)..<Int(view.textOffset(view.count))
    }

    private mutating func append(_ source: UnsafeRawPointer, byteCount: Int) {
        let target = open(byteCount: byteCount)
        if byteCount > 0 { target.copyMemory(from: source, byteCount: byteCount) }
    }

    private mutating func append(bits source: UnsafeRawPointer, from offset: Int, count: Int) {
        let byteCount = Bitmap.byteCount(count)
        let target = open(byteCount: byteCount)
        let shift = UInt8(truncatingIfNeeded: offset & 7)
        let base = source + (offset &>> 3)
        if shift == 0 {
            target.copyMemory(from: base, byteCount: byteCount)
            return
        }
        let available = Bitmap.byteCount(Int(shift) + count)
        for index in 0..<byteCount {
            var byte = base.load(fromByteOffset: index, as: UInt8.self) &>> shift
            if index + 1 < available { byte |= base.load(fromByteOffset: index + 1, as: UInt8.self) &<< (8 &- shift) }
            target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
    }

    /// Writes the length of the next buffer and makes room for its bytes, the padding zeroed.
    private mutating func open(byteCount: Int) -> UnsafeMutableRawPointer {
        let padded = (byteCount + 7) & ~7
        out.reserve(used + 8 + padded, keeping: used)
        out.base.storeBytes(of: UInt64(byteCount), toByteOffset: used, as: UInt64.self)
        let target = out.base + used + 8
        if padded > 0 { target.storeBytes(of: 0, toByteOffset: padded - 8, as: UInt64.self) }
        used += 8 + padded
        return target
    }
}

/// Unpacks what `SpillEncoder` packed. Answers nil where the bytes do not add up.
struct SpillDecoder {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func column(_ type: DataType, count: Int) -> ColumnVector? {
        guard let validity = buffer(), validity.byteCount == 0 || validity.byteCount == Bitmap.byteCount(count) else {
            return nil
        }
        var values: Buffer?
        var offsets: Buffer?
        var children: [ColumnVector] = []
        switch type.layout {
        case .bits:
            values = buffer()
            guard values?.byteCount == Bitmap.byteCount(count) else { return nil }
        case .fixed(let width):
            values = buffer()
            guard values?.byteCount == count * width else { return nil }
        case .bytes, .list:
            guard let ends = buffer(), ends.byteCount == (count + 1) * 4 else { return nil }
            offsets = ends
            let used = Int(ends.base.load(fromByteOffset: count * 4, as: Int32.self))
            if case .list(let element) = type {
                guard let elements = column(element.type, count: used) else { return nil }
                children = [elements]
            } else {
                values = buffer()
                guard values?.byteCount == used else { return nil }
            }
        case .struct:
            guard case .struct(let fields) = type else { return nil }
            for field in fields {
                guard let child = column(field.type, count: count) else { return nil }
                children.append(child)
            }
        }
        return ColumnVector(
            type: type, count: count, validity: validity.byteCount == 0 ? nil : validity, values: values,
            offsets: offsets, children: children)
    }

    private mutating func buffer() -> Buffer? {
        guard offset + 8 <= bytes.count, let base = bytes.baseAddress else { return nil }
        let length = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        guard length <= UInt64(bytes.count - offset - 8) else { return nil }
        let buffer = Buffer(copying: UnsafeRawBufferPointer(start: base + offset + 8, count: Int(length)))
        offset += 8 + (Int(length) + 7) & ~7
        return buffer
    }
}
