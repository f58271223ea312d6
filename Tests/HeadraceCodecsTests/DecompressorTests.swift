import HeadraceCodecs
import Testing

@Suite struct DecompressorTests {
    /// Rows that pack well, followed by bytes that do not.
    static let sample: [UInt8] = {
        var bytes: [UInt8] = []
        for row in 0..<20_000 { bytes.append(contentsOf: "\(row),Steel Kettle \(row % 97),12.50,EUR\n".utf8) }
        var state: UInt64 = 42
        for _ in 0..<100_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes.append(UInt8(truncatingIfNeeded: state >> 56))
        }
        return bytes
    }()

    static let packers = CompressionFormat.allCases
    static let checked: [CompressionFormat] = [.gzip, .zlib, .zstd, .bzip2, .xz]
    static let concatenating: [CompressionFormat] = [.gzip, .zstd, .bzip2, .xz]

    @Test(arguments: packers, [0, 1, 100, sample.count])
    func `what was packed unpacks to itself`(format: CompressionFormat, count: Int) throws {
        let bytes = Array(Self.sample.suffix(count))
        let packed = try Compressor.compress(bytes, format)
        #expect(try Decompressor.decompress(packed, format) == bytes)
    }

    @Test(arguments: packers, [1, 2, 7, 4096])
    func `pieces of any size in and out give the same bytes`(format: CompressionFormat, size: Int) throws {
        let bytes = Array(Self.sample.suffix(120_000))
        let packed = try Compressor.compress(bytes, format)
        let unpacked = try unpack(packed, format, pieces: size, room: size)
        #expect(unpacked == bytes)
    }

    @Test(arguments: packers.dropFirst())
    func `every truncation is an error that says so, and what came before it is good`(
        format: CompressionFormat
    ) throws {
        let bytes = Array(Self.sample.prefix(3000))
        let packed = try Compressor.compress(bytes, format)
        for end in 0..<packed.count {
            var unpacked: [UInt8] = []
            var decompressor = try Decompressor(format)
            try decompressor.decompress(Array(packed[..<end]), appendingTo: &unpacked)
            let error = finishError(&decompressor)
            #expect(error?.code == .truncated, "cut at \(end)")
            #expect(error?.inputOffset == end)
            #expect(bytes.starts(with: unpacked))
        }
    }

    /// Some bits say nothing about the data, such as gzip's time, zstd's unused bit and bzip2's padding; the rest must not
    /// flip unnoticed.
    @Test(arguments: checked)
    func `a flipped bit is an error, or one that changes nothing`(format: CompressionFormat) throws {
        let bytes = Array(Self.sample.prefix(2000))
        let packed = try Compressor.compress(bytes, format)
        var idle = 0
        for index in packed.indices {
            var damaged = packed
            damaged[index] ^= 1 << (index % 8)
            guard let unpacked = try? Decompressor.decompress(damaged, format) else { continue }
            idle += 1
            #expect(unpacked.elementsEqual(bytes), "byte \(index)")
        }
        #expect(idle <= 8)
    }

    @Test func `a wrong checksum and a wrong length are told apart from damage`() throws {
        let packed = try Compressor.compress(Array(Self.sample.prefix(2000)), .gzip)
        for offset in [5, 1] {
            var damaged = packed
            damaged[damaged.count - offset] ^= 0xFF
            let error = #expect(throws: CodecError.self) { try Decompressor.decompress(damaged, .gzip) }
            #expect(error?.code == .checksumMismatch)
        }
        let error = #expect(throws: CodecError.self) { try Decompressor.decompress(Array("<html>".utf8), .gzip) }
        #expect(error?.code == .corrupt)
        #expect(error?.isRetryable == false)
    }

    @Test(arguments: concatenating, [1, 3, 65_536])
    func `streams in a row unpack to their concatenation`(format: CompressionFormat, size: Int) throws {
        let parts = [Array("one\n".utf8), [], Array(Self.sample.prefix(5000)), Array("last".utf8)]
        let packed = try parts.flatMap { try Compressor.compress($0, format) }
        #expect(try unpack(packed, format, pieces: size, room: 1000) == parts.flatMap { $0 })
    }

    @Test(arguments: concatenating)
    func `a second stream that is cut is an error`(format: CompressionFormat) throws {
        let one = try Compressor.compress(Array("one".utf8), format)
        let error = #expect(throws: CodecError.self) {
            try Decompressor.decompress(one + Array(one.dropLast(3)), format)
        }
        #expect(error?.code == .truncated)
        #expect(error?.outputOffset == 3 || error?.outputOffset == 6)
    }

    @Test(arguments: packers.dropFirst(), [1, 4096])
    func `bytes after the end that are no stream are an error with their place`(
        format: CompressionFormat, size: Int
    ) throws {
        let packed = try Compressor.compress(Array("row\n".utf8), format)
        for garbage in ["\n", "garbage", "\u{1F}not gzip", "(not zstd"] {
            let error = #expect(throws: CodecError.self, "\(garbage)") {
                try unpack(packed + Array(garbage.utf8), format, pieces: size, room: 4096)
            }
            #expect(error?.code == .trailingGarbage)
            #expect(error?.inputOffset == packed.count)
            #expect(error?.outputOffset == 4)
        }
    }

    @Test func `zero bytes may follow gzip data and nothing else`() throws {
        let packed = try Compressor.compress(Array("row\n".utf8), .gzip)
        let padding = [UInt8](repeating: 0, count: 512)
        #expect(try unpack(packed + padding, .gzip, pieces: 5, room: 100) == Array("row\n".utf8))
        let error = #expect(throws: CodecError.self) { try Decompressor.decompress(packed + padding + [1], .gzip) }
        #expect(error?.code == .trailingGarbage)
        #expect(throws: CodecError.self) {
            try Decompressor.decompress(Compressor.compress([1], .zlib) + [0], .zlib)
        }
    }

    @Test(arguments: checked)
    func `a bomb ends as an error after a bounded number of bytes`(format: CompressionFormat) throws {
        let packed = try Compressor.compress([UInt8](repeating: 0, count: 16 << 20), format)
        let ratio = ExpansionLimit(ratio: 100, ratioAppliesAfter: 1 << 20)
        let bytes = ExpansionLimit(bytes: 2 << 20)
        for limit in [ratio, bytes] {
            var decompressor = try Decompressor(format, limit: limit)
            var output: [UInt8] = []
            do {
                try decompressor.decompress(packed, appendingTo: &output)
                Issue.record("unpacked all of it")
            } catch {
                #expect(error.code == .expandsTooMuch)
                #expect(output.count <= (2 << 20) + (64 << 10))
            }
        }
        #expect(try Decompressor.decompress(packed, format, limit: .unlimited).count == 16 << 20)
        #expect(try Decompressor.decompress(packed, format).count == 16 << 20)
    }

    @Test func `a decompressor can be kept in a class as an optional`() throws {
        final class Owner {
            var decompressor: Decompressor?
            init() throws { decompressor = try Decompressor(.gzip) }
        }
        let owner = try Owner()
        var output: [UInt8] = []
        try owner.decompressor?.decompress(Compressor.compress([1, 2], .gzip), appendingTo: &output)
        try owner.decompressor?.finish()
        #expect(output == [1, 2])
    }

    private func finishError(_ decompressor: inout Decompressor) -> CodecError? {
        do {
            try decompressor.finish()
            return nil
        } catch {
            return error
        }
    }

    /// Unpacks with input pieces and output room of given sizes through the raw buffers.
    private func unpack(
        _ packed: [UInt8], _ format: CompressionFormat, pieces: Int, room: Int
    ) throws -> [UInt8] {
        var decompressor = try Decompressor(format)
        var unpacked: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: room)
        for start in stride(from: 0, to: packed.count, by: pieces) {
            var piece = packed[start..<min(start + pieces, packed.count)]
            var status = CodecStatus.needsOutput
            while status == .needsOutput {
                var consumed = 0
                var produced = 0
                status = try piece.withUnsafeBytes { input in
                    try buffer.withUnsafeMutableBytes { output in
                        try decompressor.decompress(input, consumed: &consumed, into: output, produced: &produced)
                    }
                }
                piece = piece.dropFirst(consumed)
                unpacked.append(contentsOf: buffer[..<produced])
            }
            #expect(piece.isEmpty)
        }
        try decompressor.finish()
        #expect(decompressor.inputCount == packed.count)
        #expect(decompressor.outputCount == unpacked.count)
        return unpacked
    }
}
