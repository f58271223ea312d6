/// Binary as hexadecimal text: `0x` and two lower-case digits a byte.
enum HexText {
    /// The bytes that `text` says, `0x` in front or not and digits of either case; nil when it says none.
    static func bytes(_ text: [UInt8]) -> [UInt8]? {
        let digits = text.starts(with: [0x30, 0x78]) ? text.dropFirst(2) : text[...]
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        var place = digits.startIndex
        while place < digits.endIndex {
            guard let high = value(digits[place]), let low = value(digits[place + 1]) else { return nil }
            bytes.append(high << 4 | low)
            place += 2
        }
        return bytes
    }

    /// Writes `0x` and the digits of `bytes`, two bytes and two a byte in all, and gives that length.
    static func write(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int {
        target.storeBytes(of: 0x30, as: UInt8.self)
        target.storeBytes(of: 0x78, toByteOffset: 1, as: UInt8.self)
        for (index, byte) in bytes.enumerated() {
            target.storeBytes(of: digit(byte >> 4), toByteOffset: 2 + index * 2, as: UInt8.self)
            target.storeBytes(of: digit(byte & 15), toByteOffset: 3 + index * 2, as: UInt8.self)
        }
        return 2 + bytes.count * 2
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x41 + 10
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}
