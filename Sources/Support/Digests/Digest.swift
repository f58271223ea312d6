/// MD5 (RFC 1321): for checksums and keys that others fixed, never for security.
public typealias MD5 = Digest<DigestKind.MD5>
/// SHA-256 (FIPS 180-4).
public typealias SHA256 = Digest<DigestKind.SHA256>

/// A hash function of fixed output.
public protocol DigestFunction {
    /// The function's name in libcrypto.
    static var name: String { get }
    /// Bytes of a digest.
    static var byteCount: Int { get }
}

/// The hash functions that `Digest` is made for.
public enum DigestKind {
    /// 16 bytes.
    public enum MD5: DigestFunction {
        public static let name = "MD5"
        public static let byteCount = 16
    }
    /// 32 bytes.
    public enum SHA256: DigestFunction {
        public static let name = "SHA256"
        public static let byteCount = 32
    }
}

/// The digest of a message that arrives in pieces.
///
/// A value has one owner and is used again after ``finish()``: keep one per worker to hash many short messages, since
/// making one costs more than hashing a short message.
public struct Digest<Function: DigestFunction>: ~Copyable, Sendable {
    /// Bytes of a digest.
    public static var byteCount: Int { Function.byteCount }

    private var context: DigestContext

    /// Starts an empty message.
    ///
    /// - Throws: ``DigestError`` when libcrypto does not offer the function here or has no memory.
    public init() throws(DigestError) {
        context = try DigestContext(.of(Function.self))
    }

    /// Adds bytes to the message; an empty buffer adds nothing.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        context.update(bytes)
    }

    /// Adds bytes to the message.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { context.update($0) }
    }

    /// Ends the message: returns its digest and starts an empty one.
    public mutating func finish() -> [UInt8] {
        context.finish()
    }

    /// Ends the message: writes its digest to `output`, which has room for `byteCount` bytes, and starts an empty one.
    public mutating func finish(into output: UnsafeMutableRawPointer) {
        context.finish(into: output)
    }

    /// Writes the digest of one whole message to `output` without allocating; no other message may be under way.
    public mutating func hash(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer) {
        context.update(bytes)
        context.finish(into: output)
    }

    /// The digest of one message.
    ///
    /// - Throws: ``DigestError`` when libcrypto does not offer the function here or has no memory.
    public static func hash(_ bytes: UnsafeRawBufferPointer) throws(DigestError) -> [UInt8] {
        var digest = try Digest()
        digest.update(bytes)
        return digest.finish()
    }

    /// The digest of one message.
    ///
    /// - Throws: ``DigestError`` when libcrypto does not offer the function here or has no memory.
    public static func hash(_ bytes: [UInt8]) throws(DigestError) -> [UInt8] {
        var digest = try Digest()
        digest.update(bytes)
        return digest.finish()
    }

    /// The digest of a text's UTF-8 bytes.
    ///
    /// - Throws: ``DigestError`` when libcrypto does not offer the function here or has no memory.
    public static func hash(_ text: String) throws(DigestError) -> [UInt8] {
        try hash([UInt8](text.utf8))
    }
}
