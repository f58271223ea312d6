import HeadraceCodecs
import Testing

@Suite struct Base64Tests {
    /// RFC 4648 section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"), ("\u{3FF}\u{7FF}", "z7/fvw=="),
    ])
    func `bytes and text are those of the standard, both ways`(plain: String, text: String) {
        #expect(Base64.encode(plain.utf8) == text)
        #expect(Base64.decode(text) == Array(plain.utf8))
    }

    @Test func `every byte at every position comes back`() {
        for count in 250...260 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }

    @Test(arguments: ["Zg", "Zg=", "Z===", "Zg==Zg==", "Zm9v\n", "Zh==", "Zm9=", "-_-_", "===="])
    func `a text that no encoder writes is refused`(text: String) {
        #expect(Base64.decode(text) == nil)
    }
}
