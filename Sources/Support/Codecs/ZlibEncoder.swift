import HeadraceCZlib

/// Deflates into one gzip member (time zero, so that equal input gives equal bytes), zlib stream or raw deflate stream.
final class ZlibEncoder: EncoderBackend {
    private let stream = ZlibStream()
    private let format: CompressionFormat

    init(format: CompressionFormat, level: Int32) throws(CodecError) {
        self.format = format
        let result = deflateInit2_(
            stream.pointer, level, Z_DEFLATED, ZlibStream.windowBits(format), 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            throw CodecError(.outOfMemory, "zlib had no memory for an encoder", format: format)
        }
    }

    deinit {
        deflateEnd(stream.pointer)
    }

    func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int, finishing: Bool
    ) throws(CodecError) -> Bool {
        let mode = finishing ? Z_FINISH : Z_NO_FLUSH
        let result = stream.run(input, consumed: &consumed, output, produced: &produced) { deflate($0, mode) }
        switch result {
        case Z_OK, Z_BUF_ERROR: return false
        case Z_STREAM_END: return true
        default: throw CodecError(.corrupt, "zlib lost its encoder: \(stream.message)", format: format)
        }
    }
}
