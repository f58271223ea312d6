/// A cast of text to any type that has a syntax.
struct CastFromText {
    /// A text column without a dictionary.
    let column: ColumnVector
    let type: DataType

    func run() -> KernelResult {
        switch type {
        case .bool: return booleans()
        case .int8: return integers(Int8.self)
        case .int16: return integers(Int16.self)
        case .int32: return integers(Int32.self)
        case .int64: return integers(Int64.self)
        case .uint8: return integers(UInt8.self)
        case .uint16: return integers(UInt16.self)
        case .uint32: return integers(UInt32.self)
        case .uint64: return integers(UInt64.self)
        case .float64: return parse { Self.plain(DoubleText.parse($0, count: $1, allowsNonFinite: true)) }
        case .float32:
            return parse {
                let parsed = DoubleText.parse($0, count: $1, allowsNonFinite: true)
                let value = Float(parsed.value)
                if value.isInfinite && parsed.value.isFinite { return (value, .text(.outOfRange)) }
                return (value, parsed.isValid ? nil : .text(parsed.problem))
            }
        case .decimal(let precision, let scale):
            if precision <= 18 {
                return parse { Self.plain(DecimalText.parse64($0, count: $1, precision: precision, scale: scale)) }
            }
            return parse { Self.plain(DecimalText.parse128($0, count: $1, precision: precision, scale: scale)) }
        case .date32: return parse { Self.plain(DateText.parse($0, count: $1)) }
        case .time64: return parse { Self.plain(TimeText.parse($0, count: $1)) }
        case .timestamp(let zone):
            let wantsZone = zone != nil
            return parse {
                let parsed = TimestampText.parse($0, count: $1)
                if !parsed.isValid { return (Int64(0), .text(parsed.problem)) }
                return (parsed.microseconds, parsed.hasZone == wantsZone ? nil : .zone)
            }
        default: preconditionFailure("text is not read as \(type)")
        }
    }

    @inline(__always)
    private static func plain<T>(_ parsed: Parsed<T>) -> (T, RowFailure.Reason?) {
        (parsed.value, parsed.isValid ? nil : .text(parsed.problem))
    }

    @inline(__always)
    private func integers<T: FixedWidthInteger & BitwiseCopyable & Sendable>(_: T.Type) -> KernelResult {
        parse { Self.plain(IntegerText.parse($0, count: $1, as: T.self)) }
    }

    private func booleans() -> KernelResult {
        let parsed = parse { base, count -> (UInt8, RowFailure.Reason?) in
            let parsed = BooleanText.parse(base, count: count)
            return (parsed.value ? 1 : 0, parsed.isValid ? nil : .text(parsed.problem))
        }
        let view = parsed.column.unsafeView
        let flags = view.values(as: UInt8.self)
        let bits = Bitmap.build(column.count) { flags[$0] == 1 }
        withExtendedLifetime(parsed) {}
        return Kernels.result(.bool, column, bits, parsed.failures)
    }

    @inline(__always)
    private func parse<T: BitwiseCopyable>(
        _ read: (_ base: UnsafeRawPointer, _ count: Int) -> (T, RowFailure.Reason?)
    ) -> KernelResult {
        let view = column.unsafeView
        let out = MutableBuffer(capacity: column.count &* MemoryLayout<T>.stride)
        let target = out.values(as: T.self)
        var failures: [RowFailure] = []
        for row in 0..<column.count {
            if !view.isValid(row) {
                (out.base + row &* MemoryLayout<T>.stride).initializeMemory(
                    as: UInt8.self, repeating: 0, count: MemoryLayout<T>.size)
                continue
            }
            let start = Int(view.textOffset(row))
            let (value, reason) = read(view.textBase + start, Int(view.textOffset(row &+ 1)) &- start)
            target[row] = value
            if let reason { failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: reason)) }
        }
        return Kernels.result(
            type == .bool ? .uint8 : type, column, out.finish(byteCount: column.count &* MemoryLayout<T>.stride),
            failures)
    }
}
