/// A cast of any type that has a syntax to text.
struct CastToText {
    /// A column without a dictionary.
    let column: ColumnVector

    func run() -> KernelResult {
        switch column.type {
        case .bool:
            let view = column.unsafeView
            return write(BooleanText.capacity) { BooleanText.format(view.bool($0), into: $1) }
        case .int8: return integers(Int8.self)
        case .int16: return integers(Int16.self)
        case .int32: return integers(Int32.self)
        case .int64: return integers(Int64.self)
        case .uint8: return integers(UInt8.self)
        case .uint16: return integers(UInt16.self)
        case .uint32: return integers(UInt32.self)
        case .uint64: return integers(UInt64.self)
        case .float32:
            let values = column.unsafeView.values(as: Float.self)
            return write(DoubleText.capacity) { DoubleText.format(FloatText.shortest(values[$0]), into: $1) }
        case .float64:
            let values = column.unsafeView.values(as: Double.self)
            return write(DoubleText.capacity) { DoubleText.format(values[$0], into: $1) }
        case .decimal(let precision, let scale):
            if precision <= 18 {
                let values = column.unsafeView.values(as: Int64.self)
                return write(DecimalText.capacity(scale: scale)) {
                    DecimalText.format(values[$0], scale: scale, into: $1)
                }
            }
            let values = column.unsafeView.values(as: Int128.self)
            return write(DecimalText.capacity(scale: scale)) { DecimalText.format(values[$0], scale: scale, into: $1) }
        case .date32:
            let values = column.unsafeView.values(as: Int32.self)
            return write(DateText.capacity) { DateText.format(values[$0], into: $1) }
        case .time64:
            let values = column.unsafeView.values(as: Int64.self)
            return write(TimeText.capacity) { TimeText.format(values[$0], into: $1) }
        case .timestamp(let zone):
            let values = column.unsafeView.values(as: Int64.self)
            let hasZone = zone != nil
            return write(TimestampText.capacity) { TimestampText.format(values[$0], hasZone: hasZone, into: $1) }
        case .binary: return validated()
        case .utf8, .json, .list, .struct: preconditionFailure("\(column.type) is not written as text")
        }
    }

    @inline(__always)
    private func integers<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> KernelResult {
        let values = column.unsafeView.values(as: T.self)
        return write(IntegerText.capacity) { IntegerText.format(values[$0], into: $1) }
    }

    @inline(__always)
    private func write(_ capacity: Int, _ format: (_ row: Int, UnsafeMutableRawPointer) -> Int) -> KernelResult {
        let view = column.unsafeView
        var writer = TextWriter(rows: column.count, bytes: column.count &* 12)
        for row in 0..<column.count {
            writer.commit(view.isValid(row) ? format(row, writer.reserve(capacity)) : 0)
        }
        return KernelResult(column: writer.finish(.utf8, Validity(column)), failures: [])
    }

    /// Binary values that are UTF-8 as they are; others fail.
    private func validated() -> KernelResult {
        let view = column.unsafeView
        var failures: [RowFailure] = []
        for row in 0..<column.count where view.isValid(row) && !UTF8Check.isValid(view.bytes(row)) {
            failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: .text(.malformed)))
        }
        if failures.isEmpty { return KernelResult(column: column.viewed(as: .utf8), failures: []) }
        // Bytes that are no text must not lie in a text column, not even behind a null.
        var writer = TextWriter(rows: column.count, bytes: column.values?.byteCount ?? 0)
        var next = 0
        for row in 0..<column.count {
            let fails = next < failures.count && Int(failures[next].row) == row
            if fails { next += 1 }
            let bytes = fails || !view.isValid(row) ? UnsafeRawBufferPointer(start: nil, count: 0) : view.bytes(row)
            if let base = bytes.baseAddress { writer.append(base, count: bytes.count) } else { writer.commit(0) }
        }
        let validity = Validity(column).removing(failures, count: column.count)
        return KernelResult(column: writer.finish(.utf8, validity), failures: failures)
    }
}

/// Checks of text that comes from outside.
enum UTF8Check {
    /// Whether `bytes` are well-formed UTF-8; surrogates, overlong forms and code points beyond U+10FFFF are not.
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        var index = 0
        let count = bytes.count
        while index < count {
            if index &+ 8 <= count
                && base.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                index &+= 8
                continue
            }
            let length = sequenceLength(base + index, count &- index)
            if length == 0 { return false }
            index &+= length
        }
        return true
    }

    /// The length of the well-formed sequence at `base`, 0 when there is none.
    private static func sequenceLength(_ base: UnsafeRawPointer, _ count: Int) -> Int {
        func byte(_ index: Int) -> UInt8 { base.load(fromByteOffset: index, as: UInt8.self) }
        func continues(_ index: Int) -> Bool { byte(index) & 0xc0 == 0x80 }
        let first = byte(0)
        switch first {
        case 0..<0x80: return 1
        case 0xc2..<0xe0: return count >= 2 && continues(1) ? 2 : 0
        case 0xe0..<0xf0:
            guard count >= 3, continues(1), continues(2) else { return 0 }
            if first == 0xe0 && byte(1) < 0xa0 { return 0 }
            if first == 0xed && byte(1) >= 0xa0 { return 0 }
            return 3
        case 0xf0..<0xf5:
            guard count >= 4, continues(1), continues(2), continues(3) else { return 0 }
            if first == 0xf0 && byte(1) < 0x90 { return 0 }
            if first == 0xf4 && byte(1) >= 0x90 { return 0 }
            return 4
        default: return 0
        }
    }
}
