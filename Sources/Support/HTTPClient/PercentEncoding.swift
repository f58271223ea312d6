/// Percent-encoding of RFC 3986 section 2: which bytes may stand for themselves in a part of a URL.
public enum PercentEncoding {
    /// Bytes that are written as they are; all others become `%XX` with upper-case digits.
    public struct Unescaped: Sendable, Hashable {
        private let low: UInt64
        private let high: UInt64

        /// The unreserved characters: letters, digits and `-._~`. What a value needs anywhere, and what AWS signs.
        public static let unreserved = Unescaped(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        /// The unreserved characters and the slash, for a whole path whose segments hold no slash of their own.
        public static let path = unreserved.union("/")

        static let userinfo = unreserved.union("!$&'()*+,;=:%")
        static let registeredName = unreserved.union("!$&'()*+,;=%")
        static let wholePath = unreserved.union("!$&'()*+,;=:@/%[]")
        static let wholeQuery = wholePath.union("?|")

        private init(low: UInt64, high: UInt64) {
            self.low = low
            self.high = high
        }

        /// The ASCII characters of a text.
        public init(_ characters: String) {
            var (low, high): (UInt64, UInt64) = (0, 0)
            for byte in characters.utf8 where byte < 128 {
                if byte < 64 { low |= 1 << byte } else { high |= 1 << (byte - 64) }
            }
            self.init(low: low, high: high)
        }

        /// This set and the ASCII characters of a text.
        public func union(_ characters: String) -> Unescaped {
            let other = Unescaped(characters)
            return Unescaped(low: low | other.low, high: high | other.high)
        }

        /// Whether a byte stands for itself.
        public func contains(_ byte: UInt8) -> Bool {
            byte < 64 ? low >> byte & 1 == 1 : byte < 128 && high >> (byte - 64) & 1 == 1
        }
    }

    /// A text's UTF-8 bytes, escaped but for those in `unescaped`; a percent sign of the text is escaped too, unless the set
    /// has it.
    public static func encode(_ text: some StringProtocol, keeping unescaped: Unescaped = .unreserved) -> String {
        encode(bytes: text.utf8, keeping: unescaped)
    }

    /// Bytes, escaped but for those in `unescaped`.
    public static func encode(bytes: some Sequence<UInt8>, keeping unescaped: Unescaped = .unreserved) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in bytes {
            if unescaped.contains(byte) {
                encoded.append(byte)
            } else {
                encoded += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// The bytes that a text stands for. A percent sign without two hexadecimal digits stands for itself, as it does for
    /// browsers and servers.
    public static func decodeBytes(_ text: some StringProtocol) -> [UInt8] {
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x25, index + 2 < bytes.count, let high = digit(bytes[index + 1]),
                let low = digit(bytes[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return decoded
    }

    /// The text that a text stands for; bytes that are not UTF-8 become U+FFFD.
    public static func decode(_ text: some StringProtocol) -> String {
        String(decoding: decodeBytes(text), as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
