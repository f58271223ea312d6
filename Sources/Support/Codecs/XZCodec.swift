import HeadraceCLZMA

/// A `lzma_stream` and the moving of bytes through it.
private struct XZStream: ~Copyable {
    let pointer: UnsafeMutablePointer<lzma_stream>

    init() {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: lzma_stream())
    }

    deinit {
        lzma_end(pointer)
        pointer.deinitialize(count: 1)
        pointer.deallocate()
    }

    func run(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int, _ action: lzma_action
    ) -> lzma_ret {
        let available = input.count - consumed
        let room = output.count - produced
        pointer.pointee.next_in = input.baseAddress.map { ($0 + consumed).assumingMemoryBound(to: UInt8.self) }
        pointer.pointee.avail_in = available
        pointer.pointee.next_out = output.baseAddress.map { ($0 + produced).assumingMemoryBound(to: UInt8.self) }
        pointer.pointee.avail_out = room
        let result = lzma_code(pointer, action)
        consumed += available - pointer.pointee.avail_in
        produced += room - pointer.pointee.avail_out
        // Nothing may point into buffers that the caller is about to free.
        pointer.pointee.next_in = nil
        pointer.pointee.next_out = nil
        return result
    }
}

/// Reads one xz stream with at most 128 MiB of memory, which the highest preset of xz stays below.
final class XZDecoder: DecoderBackend {
    private static let memoryLimit: UInt64 = 128 << 20
    private let stream = XZStream()

    init() throws(CodecError) {
        try restart()
    }

    func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int
    ) throws(CodecError) -> Bool {
        switch stream.run(input, consumed: &consumed, output, produced: &produced, LZMA_RUN) {
        case LZMA_OK, LZMA_BUF_ERROR: return false
        case LZMA_STREAM_END: return true
        case LZMA_MEM_ERROR: throw CodecError(.outOfMemory, "liblzma had no memory for its window", format: .xz)
        case LZMA_MEMLIMIT_ERROR:
            throw CodecError(
                .corrupt, "the xz data needs more than the \(Self.memoryLimit >> 20) MiB of memory allowed", format: .xz
            )
        case LZMA_FORMAT_ERROR: throw CodecError(.corrupt, "the xz data is damaged: no xz header", format: .xz)
        case LZMA_OPTIONS_ERROR:
            throw CodecError(.corrupt, "the xz data uses options that liblzma does not know", format: .xz)
        default: throw CodecError(.corrupt, "the xz data is damaged: a block or its checksum is wrong", format: .xz)
        }
    }

    func restart() throws(CodecError) {
        guard lzma_stream_decoder(stream.pointer, Self.memoryLimit, 0) == LZMA_OK else {
            throw CodecError(.outOfMemory, "liblzma had no memory for a decoder", format: .xz)
        }
    }
}

/// Writes one xz stream with a CRC-64 of each block.
final class XZEncoder: EncoderBackend {
    private let stream = XZStream()

    init(level: UInt32) throws(CodecError) {
        guard lzma_easy_encoder(stream.pointer, level, LZMA_CHECK_CRC64) == LZMA_OK else {
            throw CodecError(.outOfMemory, "liblzma had no memory for an encoder", format: .xz)
        }
    }

    func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int, finishing: Bool
    ) throws(CodecError) -> Bool {
        let action = finishing ? LZMA_FINISH : LZMA_RUN
        switch stream.run(input, consumed: &consumed, output, produced: &produced, action) {
        case LZMA_OK, LZMA_BUF_ERROR: return false
        case LZMA_STREAM_END: return true
        case LZMA_MEM_ERROR: throw CodecError(.outOfMemory, "liblzma had no memory to pack with", format: .xz)
        default: throw CodecError(.corrupt, "liblzma lost its encoder", format: .xz)
        }
    }
}
