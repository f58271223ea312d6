/// MD5 (RFC 1321) of a message that arrives in pieces: for checksums and keys that others fixed, never for security.
///
/// A value has one owner and is used again after ``finish()``: keep one per worker to hash many short messages, since
/// making one costs more than hashing a short message.
public struct MD5: ~Copyable, Sendable {
    /// Bytes of a digest.
    public static let byteCount = 16

    private var context: DigestContext

    /// Starts an empty message.
    ///
    /// - Throws: ``DigestError`` when libcrypto does not offer MD5 here or has no memory.
    public init() throws(DigestError) {
        context = try DigestContext(.md5)
    }

    /// Adds bytes to the message; an empty buffer adds nothing.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        context.update(bytes)
    }

    /// Adds bytes to the message.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { context.update($0) }
    }

    /// Ends the message: returns its 16 bytes and starts an empty one.
    public mutating func finish() -> [UInt8] {
        context.finish()
    }

    /// Ends the message: writes its 16 bytes to `output`, which has room for them, and starts an empty one.
    public mutating func finish(into output: UnsafeMutableRawPointer) {
        context.finish(into: output)
    }

    /// Writes the 16 bytes of one whole message to `output` without allocating; no other message may be under way.
    public mutating func md5(of bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer) {
        context.update(bytes)
        context.finish(into: output)
    }

    /// The digest of one message.
    ///
    /// - Throws: ``DigestError`` when libcrypto does not offer MD5 here or has no memory.
    public static func hash(_ bytes: UnsafeRawBufferPointer) throws(DigestError) -> [UInt8] {
        var digest = try MD5()
        digest.update(bytes)
        return digest.finish()
    }

    /// The digest of one message.
    ///
    /// - Throws: ``DigestError`` when libcrypto does not offer MD5 here or has no memory.
    public static func hash(_ bytes: [UInt8]) throws(DigestError) -> [UInt8] {
        var digest = try MD5()
        digest.update(bytes)
        return digest.finish()
    }

    /// The digest of a text's UTF-8 bytes.
    ///
    /// - Throws: ``DigestError`` when libcrypto does not offer MD5 here or has no memory.
    public static func hash(_ text: String) throws(DigestError) -> [UInt8] {
        try hash([UInt8](text.utf8))
    }
}
