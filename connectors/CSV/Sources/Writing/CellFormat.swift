import HeadraceColumnar

/// Writes one kind of fixed-width value as text.
protocol CellFormat {
    associatedtype Value: BitwiseCopyable
    /// The most bytes that `write` may touch.
    var room: Int { get }
    /// Writes a value and gives the length of its text.
    func write(_ value: Value, to target: UnsafeMutableRawPointer) -> Int
}

struct IntegerFormat<Value: FixedWidthInteger & BitwiseCopyable>: CellFormat {
    var room: Int { IntegerText.capacity }
    @inline(__always) func write(_ value: Value, to target: UnsafeMutableRawPointer) -> Int {
        IntegerText.format(value, into: target)
    }
}

struct Decimal64Format: CellFormat {
    let scale: Int
    var room: Int { DecimalText.capacity(scale: scale) }
    @inline(__always) func write(_ value: Int64, to target: UnsafeMutableRawPointer) -> Int {
        DecimalText.format(value, scale: scale, into: target)
    }
}

struct Decimal128Format: CellFormat {
    let scale: Int
    var room: Int { DecimalText.capacity(scale: scale) }
    func write(_ value: Int128, to target: UnsafeMutableRawPointer) -> Int {
        DecimalText.format(value, scale: scale, into: target)
    }
}

struct DoubleFormat: CellFormat {
    var room: Int { DoubleText.capacity }
    func write(_ value: Double, to target: UnsafeMutableRawPointer) -> Int { DoubleText.format(value, into: target) }
}

/// The shortest text that reads back as the same single-precision number.
struct FloatFormat: CellFormat {
    var room: Int { DoubleText.capacity }

    func write(_ value: Float, to target: UnsafeMutableRawPointer) -> Int {
        guard value.isFinite else { return DoubleText.format(Double(value), into: target) }
        var text = value.description
        return text.withUTF8 { bytes in
            UnsafeMutableRawBufferPointer(start: target, count: room).copyMemory(from: UnsafeRawBufferPointer(bytes))
            return bytes.count
        }
    }
}

struct DateFormat: CellFormat {
    var room: Int { DateText.capacity }
    @inline(__always) func write(_ value: Int32, to target: UnsafeMutableRawPointer) -> Int {
        DateText.format(value, into: target)
    }
}

struct TimeFormat: CellFormat {
    var room: Int { TimeText.capacity }
    @inline(__always) func write(_ value: Int64, to target: UnsafeMutableRawPointer) -> Int {
        TimeText.format(value, into: target)
    }
}

struct TimestampFormat: CellFormat {
    let hasZone: Bool
    var room: Int { TimestampText.capacity }
    @inline(__always) func write(_ value: Int64, to target: UnsafeMutableRawPointer) -> Int {
        TimestampText.format(value, hasZone: hasZone, into: target)
    }
}
