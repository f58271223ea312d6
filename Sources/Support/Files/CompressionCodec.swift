public import HeadraceCodecs
public import HeadraceCore

/// One compression format between a carrier and a format.
public struct CompressionCodec: ByteCodec {
    /// What is read and written.
    public let format: CompressionFormat
    private let limit: ExpansionLimit
    private let level: Int?

    /// - Parameters:
    ///   - limit: how much unpacked data is accepted, against archives that grow without end.
    ///   - level: the effort when writing, as the format counts it; nil is its usual level.
    public init(_ format: CompressionFormat, limit: ExpansionLimit = .standard, level: Int? = nil) {
        self.format = format
        self.limit = limit
        self.level = level
    }

    public var name: String { format.description }

    public var extensions: [String] {
        switch format {
        case .gzip: ["gz", "gzip"]
        case .zstd: ["zst", "zstd"]
        case .bzip2: ["bz2"]
        case .xz: ["xz"]
        case .zlib: ["zz"]
        case .identity, .deflate: []
        }
    }

    /// zlib and deflate have no mark and are never recognised.
    public func recognises(_ bytes: UnsafeRawBufferPointer) -> Bool { CompressionFormat.detect(bytes) == format }

    public func decoding(_ reader: any ByteReader) throws -> any ByteReader {
        do {
            return try DecompressingReader(reader, Decompressor(format, limit: limit))
        } catch {
            throw Self.failure(error)
        }
    }

    public func encoding(_ writer: any ByteWriter) throws -> any ByteWriter {
        do {
            return try CompressingWriter(writer, Compressor(format, level: level))
        } catch {
            throw Self.failure(error)
        }
    }

    static func failure(_ error: CodecError) -> HeadraceError {
        HeadraceError(
            HeadraceError.Code(error.code.rawValue), error.message,
            fields: [("packed byte", "\(error.inputOffset)"), ("unpacked bytes", "\(error.outputOffset)")],
            hint: hint(error.code), retry: error.isRetryable ? .mayHelp : .never, underlying: nil)
    }

    private static func hint(_ code: CodecError.Code) -> String? {
        switch code {
        case .truncated: "fetch or copy the file again, its end is missing"
        case .corrupt, .checksumMismatch: "fetch or copy the file again, it was damaged"
        case .expandsTooMuch: "unpack it first if its source is trusted"
        default: nil
        }
    }
}

/// Unpacks while reading.
///
/// - Invariant (`@unchecked Sendable`): used by one thread at a time, as `ByteReader` promises.
final class DecompressingReader: ByteReader, @unchecked Sendable {
    private let inner: any ByteReader
    private var decompressor: Decompressor
    private var input = [UInt8](repeating: 0, count: 64 << 10)
    private var start = 0
    private var end = 0
    private var hasEnded = false

    init(_ inner: any ByteReader, _ decompressor: consuming Decompressor) {
        self.inner = inner
        self.decompressor = decompressor
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard buffer.count > 0 else { return 0 }
        do {
            while !hasEnded {
                if start == end {
                    start = 0
                    end = try input.withUnsafeMutableBytes { try inner.read(into: $0) }
                    if end == 0 {
                        hasEnded = true
                        try decompressor.finish()
                        break
                    }
                }
                var (consumed, produced) = (0, 0)
                try input.withUnsafeBytes { bytes in
                    _ = try decompressor.decompress(
                        UnsafeRawBufferPointer(rebasing: bytes[start..<end]), consumed: &consumed, into: buffer,
                        produced: &produced)
                }
                start += consumed
                if produced > 0 { return produced }
            }
            return 0
        } catch let error as CodecError {
            throw CompressionCodec.failure(error)
        }
    }

    func close() { inner.close() }
}

/// Packs while writing.
///
/// - Invariant (`@unchecked Sendable`): used by one thread at a time, as `ByteWriter` promises.
final class CompressingWriter: ByteWriter, @unchecked Sendable {
    private let inner: any ByteWriter
    private var compressor: Compressor
    private var output = [UInt8](repeating: 0, count: 64 << 10)
    private var isFinished = false

    init(_ inner: any ByteWriter, _ compressor: consuming Compressor) {
        self.inner = inner
        self.compressor = compressor
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        do {
            var done = 0
            while done < bytes.count {
                var (consumed, produced) = (0, 0)
                try output.withUnsafeMutableBytes { room in
                    _ = try compressor.compress(
                        UnsafeRawBufferPointer(rebasing: bytes[done...]), consumed: &consumed, into: room,
                        produced: &produced)
                }
                done += consumed
                try forward(produced)
            }
        } catch let error as CodecError {
            throw CompressionCodec.failure(error)
        }
    }

    func publish() throws {
        do {
            while !isFinished {
                var produced = 0
                isFinished = try output.withUnsafeMutableBytes { try compressor.finish(into: $0, produced: &produced) }
                try forward(produced)
            }
        } catch let error as CodecError {
            throw CompressionCodec.failure(error)
        }
        try inner.publish()
    }

    private func forward(_ count: Int) throws {
        guard count > 0 else { return }
        try output.withUnsafeBytes { try inner.write(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    func abort() { inner.abort() }
}
