import HeadraceDigests
import Testing

@Suite struct HexadecimalTests {
    @Test func `every byte is two lower-case digits and comes back`() {
        let bytes = Array(UInt8.min...UInt8.max)
        let text = Hexadecimal.encode(bytes)
        #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff") && text.utf8.count == 512)
        #expect(Hexadecimal.decode(text) == bytes)
        #expect(Hexadecimal.decode(text.uppercased()) == bytes)
        #expect(Hexadecimal.encode([]).isEmpty)
    }

    @Test(arguments: ["a", "0g", "0x", " 1", "é"])
    func `a text that is not hexadecimal is refused`(text: String) {
        #expect(Hexadecimal.decode(text) == nil)
    }
}
