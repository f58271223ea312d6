/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of bytes that arrive in pieces, as object stores check uploads.
public struct CRC32C: Sendable, Hashable {
    private var register: UInt32 = 0xFFFF_FFFF

    /// Starts with no bytes; their checksum is zero.
    public init() {}

    /// The checksum of the bytes so far. Object stores expect its four bytes in network order.
    public var value: UInt32 { ~register }

    /// Adds bytes, eight at a time.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard var pointer = bytes.baseAddress else { return }
        var left = bytes.count
        var crc = register
        Self.tables.withUnsafeBufferPointer { tables in
            while left >= 8 {
                let low = UInt32(littleEndian: pointer.loadUnaligned(as: UInt32.self)) ^ crc
                let high = UInt32(littleEndian: pointer.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
                crc = Self.folded(low, tables, first: 1792) ^ Self.folded(high, tables, first: 768)
                pointer += 8
                left &-= 8
            }
            while left > 0 {
                crc = (crc &>> 8) ^ tables[Int(UInt8(truncatingIfNeeded: crc) ^ pointer.load(as: UInt8.self))]
                pointer += 1
                left &-= 1
            }
        }
        register = crc
    }

    /// Adds bytes.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The checksum of one message.
    public static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var crc = CRC32C()
        crc.update(bytes)
        return crc.value
    }

    /// Four table look-ups for the four bytes of a word; `first` is where the lowest byte's table begins.
    @inline(__always)
    private static func folded(_ word: UInt32, _ tables: UnsafeBufferPointer<UInt32>, first: Int) -> UInt32 {
        tables[first &+ Int(word & 0xFF)]
            ^ tables[first &- 256 &+ Int((word &>> 8) & 0xFF)]
            ^ tables[first &- 512 &+ Int((word &>> 16) & 0xFF)]
            ^ tables[first &- 768 &+ Int(word &>> 24)]
    }

    /// Eight tables of 256 words, one after the other: table n advances a byte by n further zero bytes.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 {
                crc = (crc & 1) == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1
            }
            tables[byte] = crc
        }
        for slot in 256..<tables.count {
            let previous = tables[slot - 256]
            tables[slot] = (previous >> 8) ^ tables[Int(previous & 0xFF)]
        }
        return tables
    }()
}
