/// Packs a stream of bytes piece by piece, with memory that does not depend on its length. Equal input, format and level
/// give equal bytes with the same version of the library behind it.
public struct Compressor: ~Copyable, @unchecked Sendable {
    // Invariant: the backend is never handed out, and a value that cannot be copied has one user at a time.

    /// The format that is written.
    public let format: CompressionFormat
    /// Bytes taken so far.
    public private(set) var inputCount = 0
    /// Packed bytes written so far.
    public private(set) var outputCount = 0

    private let backend: any EncoderBackend

    /// Makes ready to pack into one format.
    ///
    /// - Parameter level: effort as the format counts it (gzip, zlib, deflate: 1 to 9; zstd: 1 to 19; bzip2: 1 to 9; xz: 0
    ///   to 9); `nil` for the format's usual level, other values are brought into its range.
    /// - Throws: ``CodecError`` when there is no memory.
    public init(_ format: CompressionFormat, level: Int? = nil) throws(CodecError) {
        self.format = format
        switch format {
        case .identity: backend = IdentityBackend()
        case .gzip, .zlib, .deflate:
            backend = try ZlibEncoder(format: format, level: Int32(min(max(level ?? 6, 1), 9)))
        case .zstd: backend = try ZstdEncoder(level: Int32(min(max(level ?? 3, 1), 19)))
        case .bzip2: backend = try Bzip2Encoder(level: Int32(min(max(level ?? 9, 1), 9)))
        case .xz: backend = try XZEncoder(level: UInt32(min(max(level ?? 6, 0), 9)))
        }
    }

    /// Takes bytes of `input` and writes packed bytes to `output`, which must have room. `consumed` and `produced` are set
    /// to the bytes taken and written.
    ///
    /// - Throws: ``CodecError`` when the library behind the codec fails.
    public mutating func compress(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, into output: UnsafeMutableRawBufferPointer,
        produced: inout Int
    ) throws(CodecError) -> CodecStatus {
        consumed = 0
        produced = 0
        while produced < output.count, consumed < input.count {
            _ = try backend.step(input, consumed: &consumed, output, produced: &produced, finishing: false)
        }
        inputCount += consumed
        outputCount += produced
        return consumed < input.count ? .needsOutput : .needsInput
    }

    /// Writes the end of the stream to `output`, as far as there is room; call until it returns `true`, then no more.
    ///
    /// - Throws: ``CodecError`` when the library behind the codec fails.
    public mutating func finish(
        into output: UnsafeMutableRawBufferPointer, produced: inout Int
    ) throws(CodecError) -> Bool {
        produced = 0
        var consumed = 0
        let ended = try backend.step(
            UnsafeRawBufferPointer(start: nil, count: 0), consumed: &consumed, output, produced: &produced,
            finishing: true)
        outputCount += produced
        return ended
    }
}
