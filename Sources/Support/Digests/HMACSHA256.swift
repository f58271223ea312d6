import HeadraceCCrypto

/// HMAC (RFC 2104) with SHA-256 of a message that arrives in pieces, under a key of any length.
///
/// The key stays in libcrypto's memory until the value ends, where it is cleansed. A value is used again for the next
/// message after ``finish()``.
public struct HMACSHA256: ~Copyable, @unchecked Sendable {
    // Invariant: the handle is never handed out, and a value that cannot be copied has one user at a time.

    /// Bytes of an authentication code.
    public static let byteCount = 32

    private struct Algorithm: @unchecked Sendable {
        // Invariant: the EVP_MAC is immutable after the fetch and kept for the process's life.
        let handle = EVP_MAC_fetch(nil, "HMAC", nil)
        static let shared = Algorithm()
    }

    private let handle: OpaquePointer

    /// Starts an empty message under a key; the empty key is a key.
    ///
    /// - Throws: ``DigestError`` when libcrypto does not offer HMAC with SHA-256 here or has no memory.
    public init(key: [UInt8]) throws(DigestError) {
        guard let algorithm = Algorithm.shared.handle else { throw .unavailable("HMAC") }
        guard let context = EVP_MAC_CTX_new(algorithm) else { throw .outOfMemory("HMAC") }
        guard Self.start(context, key: key) else {
            EVP_MAC_CTX_free(context)
            throw .unavailable("HMAC-SHA256")
        }
        handle = context
    }

    deinit {
        EVP_MAC_CTX_free(handle)
    }

    private static func start(_ context: OpaquePointer, key: [UInt8]) -> Bool {
        // A null key would mean "keep the old one", so the empty key is a pointer to nothing.
        var placeholder: UInt8 = 0
        return key.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, !bytes.isEmpty else {
                return headrace_hmac_sha256_init(context, &placeholder, 0) == 1
            }
            return headrace_hmac_sha256_init(context, base, bytes.count) == 1
        }
    }

    /// Adds bytes to the message; an empty buffer adds nothing.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        let accepted = EVP_MAC_update(handle, base.assumingMemoryBound(to: UInt8.self), bytes.count)
        precondition(accepted == 1, "libcrypto refused bytes for an initialised HMAC")
    }

    /// Adds bytes to the message.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Ends the message: returns its 32 bytes and starts an empty one under the same key.
    public mutating func finish() -> [UInt8] {
        let output = [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, initialized in
            let finished = EVP_MAC_final(handle, buffer.baseAddress, &initialized, buffer.count)
            precondition(finished == 1 && initialized == Self.byteCount, "libcrypto lost an HMAC context")
        }
        let restarted = EVP_MAC_init(handle, nil, 0, nil)
        precondition(restarted == 1, "libcrypto lost an HMAC key")
        return output
    }

    /// The authentication code of one message.
    ///
    /// - Throws: ``DigestError`` when libcrypto does not offer HMAC with SHA-256 here or has no memory.
    public static func authenticate(_ message: [UInt8], key: [UInt8]) throws(DigestError) -> [UInt8] {
        var code = try HMACSHA256(key: key)
        code.update(message)
        return code.finish()
    }
}
