import HeadraceDigests
import Testing

@Suite struct CRC32CTests {
    struct Vector: Sendable {
        let message: [UInt8]
        let checksum: UInt32
    }

    /// RFC 3720 appendix B.4 and the check value of the algorithm.
    static let vectors = [
        Vector(message: [], checksum: 0),
        Vector(message: Array("123456789".utf8), checksum: 0xE306_9283),
        Vector(message: [UInt8](repeating: 0, count: 32), checksum: 0x8A91_36AA),
        Vector(message: [UInt8](repeating: 0xFF, count: 32), checksum: 0x62A8_AB43),
        Vector(message: Array(0..<32), checksum: 0x46DD_794E),
        Vector(message: Array((0..<32).reversed()), checksum: 0x113F_DB5C),
    ]

    @Test(arguments: vectors)
    func `a message's checksum is that of the standard`(vector: Vector) {
        #expect(CRC32C.checksum(vector.message) == vector.checksum)
    }

    @Test func `any cut at any alignment gives the checksum of a bit-by-bit reference`() {
        var random = SystemRandomNumberGenerator()
        for length in 0..<70 {
            let message = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let cut = length == 0 ? 0 : Int.random(in: 0..<length, using: &random)
            var crc = CRC32C()
            message.withUnsafeBytes { bytes in
                crc.update(UnsafeRawBufferPointer(rebasing: bytes[..<cut]))
                crc.update(UnsafeRawBufferPointer(rebasing: bytes[cut...]))
            }
            #expect(crc.value == Self.reference(message), "length \(length), cut \(cut), \(message)")
        }
    }

    private static func reference(_ message: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in message {
            for bit in 0..<8 {
                let low = (crc ^ UInt32(byte >> bit)) & 1
                crc = low == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1
            }
        }
        return ~crc
    }
}
