import HeadraceCZstd

/// Reads one zstd frame. Windows above 128 MiB, zstd's own bound, are refused.
final class ZstdDecoder: DecoderBackend {
    private let context: OpaquePointer

    init() throws(CodecError) {
        guard let context = ZSTD_createDCtx() else {
            throw CodecError(.outOfMemory, "zstd had no memory for a decoder", format: .zstd)
        }
        self.context = context
    }

    deinit {
        ZSTD_freeDCtx(context)
    }

    func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int
    ) throws(CodecError) -> Bool {
        var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: consumed)
        var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: produced)
        let result = ZSTD_decompressStream(context, &to, &from)
        consumed = from.pos
        produced = to.pos
        if ZSTD_isError(result) != 0 {
            let code = ZSTD_getErrorCode(result)
            let reason = String(cString: ZSTD_getErrorName(result))
            let kind: CodecError.Code =
                code == ZSTD_error_checksum_wrong
                ? .checksumMismatch : code == ZSTD_error_memory_allocation ? .outOfMemory : .corrupt
            throw CodecError(kind, "the zstd data is damaged: \(reason)", format: .zstd)
        }
        return result == 0
    }

    func restart() {
        ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
    }
}

/// Writes one zstd frame with a checksum.
final class ZstdEncoder: EncoderBackend {
    private let context: OpaquePointer

    init(level: Int32) throws(CodecError) {
        guard let context = ZSTD_createCCtx() else {
            throw CodecError(.outOfMemory, "zstd had no memory for an encoder", format: .zstd)
        }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit {
        ZSTD_freeCCtx(context)
    }

    func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int, finishing: Bool
    ) throws(CodecError) -> Bool {
        var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: consumed)
        var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: produced)
        let result = ZSTD_compressStream2(context, &to, &from, finishing ? ZSTD_e_end : ZSTD_e_continue)
        consumed = from.pos
        produced = to.pos
        if ZSTD_isError(result) != 0 {
            let isMemory = ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation
            throw CodecError(
                isMemory ? .outOfMemory : .corrupt, "zstd failed: \(String(cString: ZSTD_getErrorName(result)))",
                format: .zstd)
        }
        return finishing && result == 0
    }
}
