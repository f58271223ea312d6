import HeadraceCArrow

/// Foreign values that are stored otherwise here.
extension ArrowRead {
    /// Maps values one by one; nil from `convert` at a valid row is an error that names it.
    @inline(__always)
    private func convert<In: BitwiseCopyable, Out: BitwiseCopyable & ExpressibleByIntegerLiteral>(
        _ type: DataType, _: In.Type, _ convert: (In) -> Out?
    ) throws(ArrowError) -> ColumnVector {
        let width = MemoryLayout<In>.size
        let source = try buffer(1, from: offset * width, byteCount: count * width, alignment: 1)
        let out = MutableBuffer(capacity: count * MemoryLayout<Out>.stride)
        let target = out.values(as: Out.self)
        for row in 0..<count {
            let value = source.base.loadUnaligned(fromByteOffset: row &* width, as: In.self)
            if let converted = convert(value) {
                target[row] = converted
            } else if isValid(row) {
                throw inexact(row, "\(value)", type)
            } else {
                target[row] = 0
            }
        }
        withExtendedLifetime(source) {}
        return moved(type, values: out.finish(byteCount: count * MemoryLayout<Out>.stride))
    }

    func halves() throws(ArrowError) -> ColumnVector {
        try convert(.float32, UInt16.self) { (bits: UInt16) -> Float? in HalfFloat.single(bits) }
    }

    func decimals(_ type: DataType, bits: Int) throws(ArrowError) -> ColumnVector {
        let isNarrow = type.layout == .fixed(width: 8)
        switch (bits, isNarrow) {
        case (64, true): return column(type, values: try fixed(1, width: 8))
        case (128, false): return column(type, values: try fixed(1, width: 16))
        case (32, true): return try convert(type, Int32.self) { (value: Int32) -> Int64? in Int64(value) }
        case (32, false): return try convert(type, Int32.self) { (value: Int32) -> Int128? in Int128(value) }
        case (64, false): return try convert(type, Int64.self) { (value: Int64) -> Int128? in Int128(value) }
        case (128, true): return try convert(type, Int128.self) { (value: Int128) -> Int64? in Int64(exactly: value) }
        case (_, true):
            return try convert(type, Int256.self) { (value: Int256) -> Int64? in
                value.narrowed.flatMap(Int64.init(exactly:))
            }
        default: return try convert(type, Int256.self) { (value: Int256) -> Int128? in value.narrowed }
        }
    }

    /// Dates, times and timestamps of other units.
    func scaled(_ type: DataType, width: Int, multiply: Int64, divide: Int64) throws(ArrowError) -> ColumnVector {
        func scale(_ value: Int64) -> Int64? {
            if divide > 1 { return value % divide == 0 ? value / divide : nil }
            let (product, overflows) = value.multipliedReportingOverflow(by: multiply)
            return overflows ? nil : product
        }
        if type == .date32 {
            return try convert(type, Int64.self) { (value: Int64) -> Int32? in
                scale(value).flatMap(Int32.init(exactly:))
            }
        }
        if width == 4 { return try convert(type, Int32.self) { (value: Int32) -> Int64? in scale(Int64(value)) } }
        return try convert(type, Int64.self) { (value: Int64) -> Int64? in scale(value) }
    }

    /// Indices of any width as 32-bit ones from the first value on, 0 at nulls where they would lie outside the dictionary.
    func keys(_ format: String, count entries: Int) throws(ArrowError) -> Buffer {
        switch format {
        case "c": return try keys(Int8.self, entries)
        case "C": return try keys(UInt8.self, entries)
        case "s": return try keys(Int16.self, entries)
        case "S": return try keys(UInt16.self, entries)
        case "I": return try keys(UInt32.self, entries)
        case "l": return try keys(Int64.self, entries)
        case "L": return try keys(UInt64.self, entries)
        default:
            let shared = try buffer(1, from: offset * 4, byteCount: count * 4, alignment: 4)
            let keys = shared.base.assumingMemoryBound(to: Int32.self)
            for row in 0..<count where keys[row] < 0 || Int(keys[row]) >= entries {
                return try self.keys(Int32.self, entries)
            }
            return shared
        }
    }

    private func keys<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type, _ entries: Int) throws(ArrowError) -> Buffer {
        let width = MemoryLayout<T>.size
        let source = try buffer(1, from: offset * width, byteCount: count * width, alignment: 1)
        let out = MutableBuffer(capacity: count * 4)
        let target = out.values(as: Int32.self)
        for row in 0..<count {
            let key = source.base.loadUnaligned(fromByteOffset: row &* width, as: T.self)
            if key >= 0 && key < entries {
                target[row] = Int32(truncatingIfNeeded: key)
            } else if isValid(row) {
                throw malformed("entry \(key) of a dictionary of \(entries)")
            } else {
                target[row] = 0
            }
        }
        withExtendedLifetime(source) {}
        return out.finish(byteCount: count * 4)
    }
}

/// A 256-bit integer as Arrow stores it.
private struct Int256: BitwiseCopyable {
    let low: UInt64
    let second: UInt64
    let third: UInt64
    let high: Int64

    /// The value in 128 bits, nil when they do not hold it.
    var narrowed: Int128? {
        let value = Int128(truncatingIfNeeded: second) &<< 64 | Int128(truncatingIfNeeded: low)
        let sign: UInt64 = value < 0 ? ~0 : 0
        return third == sign && UInt64(bitPattern: high) == sign ? value : nil
    }
}

/// IEEE 754 half precision.
private enum HalfFloat {
    /// The same number in single precision, which holds every half exactly.
    static func single(_ bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10 & 0x1f)
        let fraction = UInt32(bits & 0x3ff)
        switch exponent {
        case 0:
            let magnitude = Float(fraction) * 0x1p-24
            return sign == 0 ? magnitude : -magnitude
        case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}
