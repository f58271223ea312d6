import HeadraceCBzip2

/// A `bz_stream` at an address that never changes, as libbz2 demands, and the moving of bytes through it.
private struct Bzip2Stream: ~Copyable {
    let pointer: UnsafeMutablePointer<bz_stream>

    init() {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: bz_stream())
    }

    deinit {
        pointer.deinitialize(count: 1)
        pointer.deallocate()
    }

    /// Runs one call of libbz2 over the rest of both buffers, cut to what its 32-bit counts can hold.
    func run(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int, _ call: (UnsafeMutablePointer<bz_stream>) -> Int32
    ) -> Int32 {
        let available = min(input.count - consumed, 1 << 30)
        let room = min(output.count - produced, 1 << 30)
        // libbz2 declares its input as not const but never writes to it.
        pointer.pointee.next_in = input.baseAddress.map {
            UnsafeMutableRawPointer(mutating: $0 + consumed).assumingMemoryBound(to: CChar.self)
        }
        pointer.pointee.avail_in = UInt32(available)
        pointer.pointee.next_out = output.baseAddress.map { ($0 + produced).assumingMemoryBound(to: CChar.self) }
        pointer.pointee.avail_out = UInt32(room)
        let result = call(pointer)
        consumed += available - Int(pointer.pointee.avail_in)
        produced += room - Int(pointer.pointee.avail_out)
        // Nothing may point into buffers that the caller is about to free.
        pointer.pointee.next_in = nil
        pointer.pointee.next_out = nil
        return result
    }
}

/// Reads one bzip2 stream.
final class Bzip2Decoder: DecoderBackend {
    private let stream = Bzip2Stream()

    init() throws(CodecError) {
        guard BZ2_bzDecompressInit(stream.pointer, 0, 0) == BZ_OK else {
            throw CodecError(.outOfMemory, "libbz2 had no memory for a decoder", format: .bzip2)
        }
    }

    deinit {
        BZ2_bzDecompressEnd(stream.pointer)
    }

    func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int
    ) throws(CodecError) -> Bool {
        let result = stream.run(input, consumed: &consumed, output, produced: &produced) { BZ2_bzDecompress($0) }
        switch result {
        case BZ_OK: return false
        case BZ_STREAM_END: return true
        case BZ_MEM_ERROR: throw CodecError(.outOfMemory, "libbz2 had no memory for a block", format: .bzip2)
        case BZ_DATA_ERROR_MAGIC:
            throw CodecError(.corrupt, "the bzip2 data is damaged: no bzip2 header", format: .bzip2)
        default:
            throw CodecError(.corrupt, "the bzip2 data is damaged: a block or its checksum is wrong", format: .bzip2)
        }
    }

    func restart() throws(CodecError) {
        BZ2_bzDecompressEnd(stream.pointer)
        guard BZ2_bzDecompressInit(stream.pointer, 0, 0) == BZ_OK else {
            throw CodecError(.outOfMemory, "libbz2 had no memory for a decoder", format: .bzip2)
        }
    }
}

/// Writes one bzip2 stream.
final class Bzip2Encoder: EncoderBackend {
    private let stream = Bzip2Stream()

    init(level: Int32) throws(CodecError) {
        guard BZ2_bzCompressInit(stream.pointer, level, 0, 0) == BZ_OK else {
            throw CodecError(.outOfMemory, "libbz2 had no memory for an encoder", format: .bzip2)
        }
    }

    deinit {
        BZ2_bzCompressEnd(stream.pointer)
    }

    func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int, finishing: Bool
    ) throws(CodecError) -> Bool {
        let action = finishing ? BZ_FINISH : BZ_RUN
        let result = stream.run(input, consumed: &consumed, output, produced: &produced) { BZ2_bzCompress($0, action) }
        guard result >= BZ_OK else {
            throw CodecError(.corrupt, "libbz2 lost its encoder: error \(result)", format: .bzip2)
        }
        return result == BZ_STREAM_END
    }
}
