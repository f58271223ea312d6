import HeadraceDigests
import Testing

@Suite struct DigestVectorTests {
    /// FIPS 180-4 and RFC 1321 vectors, the last MD5 made by the openssl command.
    static let messages: [(text: [UInt8], sha256: String, md5: String)] = [
        (
            [], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "d41d8cd98f00b204e9800998ecf8427e"
        ),
        (
            Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "900150983cd24fb0d6963f7d28e17f72"
        ),
        (
            Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            "8215ef0796a20bcaaae116d3876c664a"
        ),
    ]

    @Test(arguments: messages.indices)
    func `a message's digests are those of the standards`(index: Int) throws {
        let message = Self.messages[index]
        #expect(try Hexadecimal.encode(SHA256.hash(message.text)) == message.sha256)
        #expect(try Hexadecimal.encode(MD5.hash(message.text)) == message.md5)
    }

    @Test func `a million letters have the digest of the standard`() throws {
        var sha256 = try SHA256()
        let piece = [UInt8](repeating: 0x61, count: 1000)
        for _ in 0..<1000 { sha256.update(piece) }
        #expect(
            Hexadecimal.encode(sha256.finish()) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func `a text is hashed as UTF-8`() throws {
        #expect(try Hexadecimal.encode(MD5.hash("é")) == Hexadecimal.encode(MD5.hash([0xC3, 0xA9])))
    }

    @Test(arguments: [1, 3, 63, 64, 65, 999])
    func `pieces of any size give the digest of the whole`(size: Int) throws {
        let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        var sha256 = try SHA256()
        var md5 = try MD5()
        for start in stride(from: 0, to: message.count, by: size) {
            let piece = Array(message[start..<min(start + size, message.count)])
            sha256.update(piece)
            md5.update(piece)
            sha256.update([])
        }
        #expect(try sha256.finish() == SHA256.hash(message))
        #expect(try md5.finish() == MD5.hash(message))
    }

    @Test func `a context is ready for the next message after the last`() throws {
        var sha256 = try SHA256()
        var md5 = try MD5()
        var code = try HMACSHA256(key: [1, 2, 3])
        for number in 0..<100 {
            let message = Array("message \(number)".utf8)
            sha256.update(message)
            md5.update(message)
            code.update(message)
            #expect(try sha256.finish() == SHA256.hash(message))
            #expect(try md5.finish() == MD5.hash(message))
            #expect(try code.finish() == HMACSHA256.authenticate(message, key: [1, 2, 3]))
        }
    }

    @Test func `many short messages are hashed through one context into memory of the caller`() throws {
        var md5 = try MD5()
        var digests = [UInt8](repeating: 0, count: 1000 * MD5.byteCount)
        let messages = (0..<1000).map { Array("B0\($0)|2025-01-0\($0 % 9 + 1)|amazon".utf8) }
        digests.withUnsafeMutableBytes { output in
            for (index, message) in messages.enumerated() {
                guard let base = output.baseAddress else { return }
                message.withUnsafeBytes { md5.hash($0, into: base + index * MD5.byteCount) }
            }
        }
        for (index, message) in messages.enumerated() {
            let digest = Array(digests[index * MD5.byteCount..<(index + 1) * MD5.byteCount])
            #expect(try digest == MD5.hash(message))
        }
    }

    @Test func `a digest can be kept in a class as an optional`() throws {
        final class Owner {
            var digest: SHA256?
            init() throws { digest = try SHA256() }
        }
        let owner = try Owner()
        owner.digest?.update(Array("ab".utf8))
        owner.digest?.update(Array("c".utf8))
        #expect(owner.digest?.finish() == (try SHA256.hash("abc")))
    }
}
