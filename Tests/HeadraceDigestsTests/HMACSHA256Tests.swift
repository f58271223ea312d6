import HeadraceDigests
import Testing

@Suite struct HMACSHA256Tests {
    struct Vector: Sendable {
        let key: [UInt8]
        let message: [UInt8]
        let code: String
    }

    /// RFC 4231, and the two edges of the key: none, and longer than a block.
    static let vectors = [
        Vector(
            key: [UInt8](repeating: 0x0B, count: 20), message: Array("Hi There".utf8),
            code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Vector(
            key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
            code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Vector(
            key: [UInt8](repeating: 0xAA, count: 20), message: [UInt8](repeating: 0xDD, count: 50),
            code: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        Vector(
            key: [UInt8](repeating: 0xAA, count: 131),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        Vector(
            key: [], message: [], code: "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ]

    @Test(arguments: vectors)
    func `the code of a message under a key is that of the standard`(vector: Vector) throws {
        #expect(try Hexadecimal.encode(HMACSHA256.authenticate(vector.message, key: vector.key)) == vector.code)
    }

    @Test(arguments: vectors)
    func `pieces and a second message under the same key give the same code`(vector: Vector) throws {
        var code = try HMACSHA256(key: vector.key)
        for _ in 0..<2 {
            for byte in vector.message { code.update([byte]) }
            #expect(Hexadecimal.encode(code.finish()) == vector.code)
        }
    }
}
