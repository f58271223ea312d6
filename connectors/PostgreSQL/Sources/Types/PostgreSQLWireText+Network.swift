import Glibc
import HeadraceColumnar

extension PostgreSQLWireText {
    // MARK: - Addresses

    /// An address as `inet` and `cidr` print it: `192.168.0.1/24`, `::1`, without a mask the whole address. Nil for other
    /// text, and for a `cidr` with bits set behind its mask, which the server refuses.
    static func network(_ text: UnsafeRawBufferPointer, isCIDR: Bool) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let head = parts.first, parts.count <= 2, head.count < 64, !head.contains(0) else { return nil }
        let name = String(decoding: head, as: UTF8.self)
        // The server numbers families from its own AF_INET, whatever the client's are.
        let isLong = head.contains(UInt8(ascii: ":"))
        var address = [UInt8](repeating: 0, count: isLong ? 16 : 4)
        guard inet_pton(isLong ? AF_INET6 : AF_INET, name, &address) == 1 else { return nil }
        var bits = address.count * 8
        if parts.count == 2 {
            let digits = parts[1]
            guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
                let mask = Int(String(decoding: digits, as: UTF8.self)), mask <= bits
            else { return nil }
            bits = mask
        }
        if isCIDR {
            for bit in bits..<address.count * 8 where address[bit / 8] >> (7 - bit % 8) & 1 != 0 { return nil }
        }
        return [
            isLong ? 3 : 2, UInt8(truncatingIfNeeded: bits), isCIDR ? 1 : 0, UInt8(truncatingIfNeeded: address.count),
        ]
            + address
    }

    /// The bytes of a hardware address in the forms that the server reads: `08:00:2b:01:02:03`, with hyphens, with dots,
    /// or plain digits.
    static func macAddress(_ text: UnsafeRawBufferPointer, bytes count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        var separator: UInt8?
        for byte in text {
            if byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") {
                guard high == nil, !bytes.isEmpty, bytes.count < count, separator == nil || separator == byte else {
                    return nil
                }
                separator = byte
                continue
            }
            guard let value = hexValue(byte) else { return nil }
            if let upper = high {
                bytes.append(upper << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes.count == count && high == nil ? bytes : nil
    }

    // MARK: - Times

    /// A time with zone as `10:00:00.5+02`, `23:59:59-05:30` or with `Z`. Nil for other text, and without a zone.
    static func timeWithZone(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let base = text.baseAddress,
            let mark = text.lastIndex(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") || $0 | 0x20 == 0x7A }
            )
        else { return nil }
        let parsed = TimeText.parse(base, count: mark)
        guard let time = parsed.valid else { return nil }
        var seconds = 0
        if text[mark] | 0x20 == 0x7A {
            guard mark == text.count - 1 else { return nil }
        } else {
            let parts = text[(mark + 1)...].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard (1...3).contains(parts.count) else { return nil }
            for (part, weight) in zip(parts, [3600, 60, 1]) {
                guard part.count == 2, part.allSatisfy({ (0x30...0x39).contains($0) }),
                    let number = Int(String(decoding: part, as: UTF8.self)), number < 60
                else { return nil }
                seconds += number * weight
            }
            // The server takes less than sixteen hours, and counts them west of Greenwich.
            guard seconds < 16 * 3600 else { return nil }
            if text[mark] == UInt8(ascii: "+") { seconds = -seconds }
        }
        var bytes: [UInt8] = []
        append(time, to: &bytes)
        append(Int32(truncatingIfNeeded: seconds), to: &bytes)
        return bytes
    }
}
