/// Maps a column's values to 64-bit numbers in the same order, or at least never in the opposite one.
struct PrefixMaker {
    /// Equal numbers mean equal values.
    let isExact: Bool
    /// Whether the column is plain text or binary, whose prefixes `fillText` can move on.
    let isText: Bool
    private let column: ColumnVector
    private let ranks: [Int32]

    init(_ column: ColumnVector) {
        self.column = column
        isText = column.dictionary == nil && column.type.layout == .bytes
        if let dictionary = column.dictionary, dictionary.count <= column.count {
            ranks = Kernels.ranks(dictionary)
            isExact = true
            return
        }
        ranks = []
        switch column.type.physical {
        case .bytes, .int128, .list, .structure: isExact = false
        default: isExact = column.dictionary == nil
        }
    }

    func fill(_ entries: UnsafeMutablePointer<SortEntry>, count: Int, inverted: Bool) {
        let view = column.unsafeView
        let flip: UInt64 = inverted ? ~0 : 0
        @inline(__always) func each(_ prefix: (Int) -> UInt64) {
            for index in 0..<count { entries[index].prefix = prefix(Int(entries[index].row)) ^ flip }
        }
        @inline(__always) func signed<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) {
            let values = view.values(as: T.self)
            each { UInt64(bitPattern: Int64(truncatingIfNeeded: values[$0])) ^ 1 &<< 63 }
        }
        @inline(__always) func unsigned<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) {
            let values = view.values(as: T.self)
            each { UInt64(truncatingIfNeeded: values[$0]) }
        }
        if let dictionary = column.dictionary {
            if ranks.isEmpty {
                let entries = dictionary.unsafeView
                if dictionary.type.layout == .bytes { each { Self.textPrefix(entries.bytes(view.key($0))) } }
            } else {
                ranks.withUnsafeBufferPointer { ranks in each { UInt64(truncatingIfNeeded: ranks[view.key($0)]) } }
            }
            return
        }
        switch column.type.physical {
        case .bits: each { view.bool($0) ? 1 : 0 }
        case .int8: signed(Int8.self)
        case .int16: signed(Int16.self)
        case .int32: signed(Int32.self)
        case .int64: signed(Int64.self)
        case .uint8: unsigned(UInt8.self)
        case .uint16: unsigned(UInt16.self)
        case .uint32: unsigned(UInt32.self)
        case .uint64: unsigned(UInt64.self)
        case .int128:
            let values = view.values(as: Int128.self)
            each { UInt64(bitPattern: Int64(clamping: values[$0])) ^ 1 &<< 63 }
        case .float32:
            let values = view.values(as: Float.self)
            each { Self.floatPrefix(Double(values[$0])) }
        case .float64:
            let values = view.values(as: Double.self)
            each { Self.floatPrefix(values[$0]) }
        case .bytes: each { Self.textPrefix(view.bytes($0)) }
        // Lists and structs have no prefix; all tie and are compared whole.
        case .list, .structure: each { _ in 0 }
        }
    }

    /// Whether every text has bytes beyond `depth`: only then do longer prefixes order as the texts do.
    func allReach(_ depth: Int, _ entries: UnsafeMutablePointer<SortEntry>, count: Int) -> Bool {
        let view = column.unsafeView
        for index in 0..<count {
            let row = Int(entries[index].row)
            if Int(view.textOffset(row &+ 1) &- view.textOffset(row)) <= depth { return false }
        }
        return true
    }

    /// Puts the eight bytes from `depth` on into the prefixes.
    func fillText(_ entries: UnsafeMutablePointer<SortEntry>, count: Int, from depth: Int, inverted: Bool) {
        let view = column.unsafeView
        let flip: UInt64 = inverted ? ~0 : 0
        for index in 0..<count {
            let bytes = view.bytes(Int(entries[index].row))
            let rest = UnsafeRawBufferPointer(start: bytes.baseAddress.map { $0 + depth }, count: bytes.count &- depth)
            entries[index].prefix = Self.textPrefix(rest) ^ flip
        }
    }

    @inline(__always) private static func floatPrefix(_ value: Double) -> UInt64 {
        let bits = ByteHash.canonicalBits(value)
        return bits &>> 63 == 0 ? bits | 1 &<< 63 : ~bits
    }

    /// The first eight bytes as a big-endian number.
    @inline(__always) private static func textPrefix(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        guard let base = bytes.baseAddress else { return 0 }
        if bytes.count >= 8 { return UInt64(bigEndian: base.loadUnaligned(as: UInt64.self)) }
        var prefix: UInt64 = 0
        for index in 0..<bytes.count {
            prefix |=
                UInt64(base.load(fromByteOffset: index, as: UInt8.self))
                &<< UInt64(truncatingIfNeeded: 56 &- index &* 8)
        }
        return prefix
    }
}
