import HeadraceCZlib

/// Inflates one gzip member, zlib stream or raw deflate stream.
final class ZlibDecoder: DecoderBackend {
    private let stream = ZlibStream()
    private let format: CompressionFormat

    init(format: CompressionFormat) throws(CodecError) {
        self.format = format
        let result = inflateInit2_(
            stream.pointer, ZlibStream.windowBits(format), ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            throw CodecError(.outOfMemory, "zlib had no memory for a decoder", format: format)
        }
    }

    deinit {
        inflateEnd(stream.pointer)
    }

    func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int
    ) throws(CodecError) -> Bool {
        let result = stream.run(input, consumed: &consumed, output, produced: &produced) { inflate($0, Z_NO_FLUSH) }
        switch result {
        case Z_OK, Z_BUF_ERROR:
            return false
        case Z_STREAM_END:
            return true
        case Z_MEM_ERROR:
            throw CodecError(.outOfMemory, "zlib had no memory for its window", format: format)
        case Z_NEED_DICT:
            throw CodecError(.corrupt, "the \(format) data needs a preset dictionary", format: format)
        default:
            let reason = stream.message
            let isCheck = reason == "incorrect data check" || reason == "incorrect length check"
            throw CodecError(
                isCheck ? .checksumMismatch : .corrupt, "the \(format) data is damaged: \(reason)", format: format)
        }
    }

    func restart() throws(CodecError) {
        guard inflateReset(stream.pointer) == Z_OK else {
            throw CodecError(.corrupt, "zlib lost its decoder", format: format)
        }
    }
}
