/// Unpacks a stream of bytes piece by piece, with memory that does not depend on its length.
///
/// gzip, zstd, bzip2 and xz data may be several streams in a row, which unpack to their concatenation; gzip and xz may
/// end in zero bytes. Anything else after the end is an error, as is an end in the middle of a stream.
public struct Decompressor: ~Copyable, @unchecked Sendable {
    // Invariant: the backend is never handed out, and a value that cannot be copied has one user at a time.

    private enum Place {
        case beforeFirstByte
        case inStream
        case afterStream
    }

    /// The format that is read.
    public let format: CompressionFormat
    /// Packed bytes taken so far.
    public private(set) var inputCount = 0
    /// Unpacked bytes written so far.
    public private(set) var outputCount = 0

    private let limit: ExpansionLimit
    private let backend: any DecoderBackend
    private var place = Place.beforeFirstByte
    private var streams = 0
    private var streamStart = (input: 0, output: 0)

    /// Makes ready to unpack one format within a bound.
    ///
    /// - Throws: ``CodecError`` when there is no memory.
    public init(_ format: CompressionFormat, limit: ExpansionLimit = .standard) throws(CodecError) {
        self.format = format
        self.limit = limit
        switch format {
        case .identity: backend = IdentityBackend()
        case .gzip, .zlib, .deflate: backend = try ZlibDecoder(format: format)
        case .zstd: backend = try ZstdDecoder()
        case .bzip2: backend = try Bzip2Decoder()
        case .xz: backend = try XZDecoder()
        }
    }

    /// Takes bytes of `input` and writes unpacked bytes to `output`, which must have room.
    ///
    /// `consumed` and `produced` are set to the bytes taken and written, also when the call throws: what was produced
    /// before a failure is good data.
    ///
    /// - Throws: ``CodecError`` when the bytes are not of the format, are damaged, are followed by garbage or unpack to
    ///   more than the limit; the decompressor is of no further use then.
    public mutating func decompress(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, into output: UnsafeMutableRawBufferPointer,
        produced: inout Int
    ) throws(CodecError) -> CodecStatus {
        consumed = 0
        produced = 0
        while true {
            if place == .afterStream {
                guard try beginNextStream(input, consumed: &consumed) else { return .needsInput }
            }
            guard produced < output.count else { return .needsOutput }
            let before = (consumed: consumed, produced: produced)
            let ended = try step(input, consumed: &consumed, output, produced: &produced)
            if ended {
                place = .afterStream
                streams += 1
            } else if produced == output.count {
                return .needsOutput
            } else if consumed == input.count {
                return .needsInput
            } else if before == (consumed, produced) {
                throw CodecError(
                    .corrupt, "the \(format) decoder is stuck", format: format, input: inputCount, output: outputCount)
            }
        }
    }

    /// Says that no input follows.
    ///
    /// - Throws: ``CodecError`` with the code `truncated` when the last stream has not ended, or there was none at all.
    public mutating func finish() throws(CodecError) {
        guard format != .identity, place != .afterStream else { return }
        let what = inputCount == 0 ? "is empty, without even a header" : "ends in the middle of a stream"
        throw CodecError(
            .truncated, "the \(format) data \(what)", format: format, input: inputCount, output: outputCount)
    }

    /// Moves bytes through the backend, with its failures placed in the whole input.
    private mutating func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int
    ) throws(CodecError) -> Bool {
        let before = (consumed: consumed, produced: produced)
        let result: Result<Bool, CodecError>
        do {
            result = .success(try backend.step(input, consumed: &consumed, output, produced: &produced))
        } catch {
            result = .failure(error)
        }
        inputCount += consumed - before.consumed
        outputCount += produced - before.produced
        if consumed > before.consumed, place == .beforeFirstByte { place = .inStream }
        switch result {
        case .success(let ended):
            try limit.check(input: inputCount, output: outputCount, format: format)
            return ended
        case .failure(let error):
            // A second "stream" that fails in its header is not a stream but rubbish that looks like one.
            let isHeader = inputCount - streamStart.input <= 18 && outputCount == streamStart.output
            if streams > 0, isHeader, error.code == .corrupt { throw garbage(at: streamStart.input) }
            throw error.located(input: inputCount, output: outputCount)
        }
    }

    /// Looks at what follows the end of a stream; `false` when nothing does, so far.
    private mutating func beginNextStream(
        _ input: UnsafeRawBufferPointer, consumed: inout Int
    ) throws(CodecError) -> Bool {
        while consumed < input.count {
            let byte = input[consumed]
            if byte == 0, format.allowsPadding {
                consumed += 1
                inputCount += 1
                continue
            }
            guard format.concatenates, format.canBegin(with: byte) else { throw garbage(at: inputCount) }
            try backend.restart()
            streamStart = (inputCount, outputCount)
            place = .inStream
            return true
        }
        return false
    }

    private func garbage(at offset: Int) -> CodecError {
        CodecError(
            .trailingGarbage, "bytes that are not \(format) follow the end of the \(format) data", format: format,
            input: offset, output: outputCount)
    }
}
