import HeadraceColumnar

/// Writes the values of one column into the rows of a binary COPY: a length and the bytes, a kernel for each layout.
///
/// Two passes: `measure` adds the size of each value to the size of its row, `write` puts it at the row's cursor and moves
/// that on. So every column is one tight loop, though the server wants rows.
struct PostgreSQLColumnWriter: Sendable {
    /// How values lie in the column and on the wire.
    enum Form: Sendable, Hashable {
        case bits
        /// Integers and floats of this many bytes, turned to the network's order.
        case fixed(Int)
        /// 32 and 64 bits, moved by so much; the highest and lowest number stay.
        case moved32(Int32)
        case moved64(Int64)
        /// Wider integers written as narrower ones; all values are known to fit.
        case coefficient64(scale: Int), coefficient128(scale: Int)
        /// Text or bytes, behind this many bytes of `prefix`.
        case bytes(prefix: UInt8?)
    }

    let form: Form

    func measure(_ column: ColumnVector, _ sizes: UnsafeMutablePointer<Int32>) {
        let view = column.unsafeView
        switch form {
        case .bits: fixed(column, 1, sizes)
        case .fixed(let width): fixed(column, width, sizes)
        case .moved32: fixed(column, 4, sizes)
        case .moved64: fixed(column, 8, sizes)
        case .coefficient64(let scale):
            let values = view.values(as: Int64.self)
            for row in 0..<column.count {
                let digits = PostgreSQLNumericDigits(Int128(values[row]), scale: scale)
                sizes[row] &+= view.isValid(row) ? 12 &+ 2 &* Int32(truncatingIfNeeded: digits.count) : 4
            }
        case .coefficient128(let scale):
            let values = view.values(as: Int128.self)
            for row in 0..<column.count {
                let digits = PostgreSQLNumericDigits(values[row], scale: scale)
                sizes[row] &+= view.isValid(row) ? 12 &+ 2 &* Int32(truncatingIfNeeded: digits.count) : 4
            }
        case .bytes(let prefix):
            let extra: Int32 = prefix == nil ? 4 : 5
            if let dictionary = column.dictionary {
                let words = dictionary.unsafeView
                for row in 0..<column.count {
                    sizes[row] &+=
                        view.isValid(row) ? extra &+ Int32(truncatingIfNeeded: words.bytes(view.key(row)).count) : 4
                }
            } else {
                for row in 0..<column.count {
                    sizes[row] &+= view.isValid(row) ? extra &+ view.textOffset(row &+ 1) &- view.textOffset(row) : 4
                }
            }
        }
        withExtendedLifetime(column) {}
    }

    private func fixed(_ column: ColumnVector, _ width: Int, _ sizes: UnsafeMutablePointer<Int32>) {
        let view = column.unsafeView
        let size = Int32(truncatingIfNeeded: 4 &+ width)
        if view.hasNulls {
            for row in 0..<column.count { sizes[row] &+= view.isValid(row) ? size : 4 }
        } else {
            for row in 0..<column.count { sizes[row] &+= size }
        }
    }

    func write(_ column: ColumnVector, _ base: UnsafeMutableRawPointer, _ cursors: UnsafeMutablePointer<Int32>) {
        let view = column.unsafeView
        switch form {
        case .bits:
            each(column, base, cursors, 1) { row, out in out.storeBytes(of: view.bool(row) ? 1 : 0, as: UInt8.self) }
        case .fixed(2):
            let values = view.values(as: UInt16.self)
            each(column, base, cursors, 2) { row, out in out.storeBytes(of: values[row].bigEndian, as: UInt16.self) }
        case .fixed(4):
            let values = view.values(as: UInt32.self)
            each(column, base, cursors, 4) { row, out in out.storeBytes(of: values[row].bigEndian, as: UInt32.self) }
        case .fixed:
            let values = view.values(as: UInt64.self)
            each(column, base, cursors, 8) { row, out in out.storeBytes(of: values[row].bigEndian, as: UInt64.self) }
        case .moved32(let shift):
            let values = view.values(as: Int32.self)
            each(column, base, cursors, 4) { row, out in
                let value = values[row]
                let moved = value == .max || value == .min ? value : value &+ shift
                out.storeBytes(of: moved.bigEndian, as: Int32.self)
            }
        case .moved64(let shift):
            let values = view.values(as: Int64.self)
            each(column, base, cursors, 8) { row, out in
                let value = values[row]
                let moved = value == .max || value == .min ? value : value &+ shift
                out.storeBytes(of: moved.bigEndian, as: Int64.self)
            }
        case .coefficient64(let scale):
            let values = view.values(as: Int64.self)
            sized(column, base, cursors) { row, out in
                PostgreSQLNumericDigits(Int128(values[row]), scale: scale).write(to: out)
            }
        case .coefficient128(let scale):
            let values = view.values(as: Int128.self)
            sized(column, base, cursors) { row, out in
                PostgreSQLNumericDigits(values[row], scale: scale).write(to: out)
            }
        case .bytes(let prefix):
            if let dictionary = column.dictionary {
                let words = dictionary.unsafeView
                sized(column, base, cursors) { row, out in Self.copy(words.bytes(view.key(row)), prefix, out) }
                withExtendedLifetime(dictionary) {}
            } else {
                sized(column, base, cursors) { row, out in Self.copy(view.bytes(row), prefix, out) }
            }
        }
        withExtendedLifetime(column) {}
    }

    @inline(__always)
    private static func copy(_ bytes: UnsafeRawBufferPointer, _ prefix: UInt8?, _ out: UnsafeMutableRawPointer) -> Int {
        var length = 0
        if let prefix {
            out.storeBytes(of: prefix, as: UInt8.self)
            length = 1
        }
        if let source = bytes.baseAddress { (out + length).copyMemory(from: source, byteCount: bytes.count) }
        return length &+ bytes.count
    }

    /// Values of one width.
    @inline(__always)
    private func each(
        _ column: ColumnVector, _ base: UnsafeMutableRawPointer, _ cursors: UnsafeMutablePointer<Int32>, _ width: Int,
        _ store: (Int, UnsafeMutableRawPointer) -> Void
    ) {
        let view = column.unsafeView
        let head = Int32(truncatingIfNeeded: width).bigEndian
        for row in 0..<column.count {
            let out = base + Int(cursors[row])
            if view.isValid(row) {
                out.storeBytes(of: head, as: Int32.self)
                store(row, out + 4)
                cursors[row] &+= Int32(truncatingIfNeeded: 4 &+ width)
            } else {
                out.storeBytes(of: -1, as: Int32.self)
                cursors[row] &+= 4
            }
        }
    }

    /// Values of any width; `store` gives the bytes it wrote.
    @inline(__always)
    private func sized(
        _ column: ColumnVector, _ base: UnsafeMutableRawPointer, _ cursors: UnsafeMutablePointer<Int32>,
        _ store: (Int, UnsafeMutableRawPointer) -> Int
    ) {
        let view = column.unsafeView
        for row in 0..<column.count {
            let out = base + Int(cursors[row])
            if view.isValid(row) {
                let count = store(row, out + 4)
                out.storeBytes(of: Int32(truncatingIfNeeded: count).bigEndian, as: Int32.self)
                cursors[row] &+= 4 &+ Int32(truncatingIfNeeded: count)
            } else {
                out.storeBytes(of: -1, as: Int32.self)
                cursors[row] &+= 4
            }
        }
    }
}
