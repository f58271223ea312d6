/// Binary as hexadecimal text: `0x` and two lower-case digits a byte.
package enum HexText {
    /// The bytes that `text` says, `0x` in front or not and digits of either case; nil when it says none.
    package static func bytes(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
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

    /// `0x` and the digits of `bytes`.
    package static func text(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var text: [UInt8] = [0x30, 0x78]
        text.reserveCapacity(bytes.count * 2 + 2)
        for byte in bytes {
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
        return text
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
