import Glibc
import HeadraceCodecs
import Testing

@Suite struct CompressorTests {
    @Test(arguments: CompressionFormat.allCases, [1, 3, 4096])
    func `pieces of any size in and out give a stream that unpacks to the whole`(
        format: CompressionFormat, size: Int
    ) throws {
        let bytes = Array(DecompressorTests.sample.suffix(110_000))
        var compressor = try Compressor(format)
        var packed: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: size)
        for start in stride(from: 0, to: bytes.count, by: 1000) {
            var piece = bytes[start..<min(start + 1000, bytes.count)]
            var status = CodecStatus.needsOutput
            while status == .needsOutput {
                var (consumed, produced) = (0, 0)
                status = try piece.withUnsafeBytes { input in
                    try buffer.withUnsafeMutableBytes { output in
                        try compressor.compress(input, consumed: &consumed, into: output, produced: &produced)
                    }
                }
                piece = piece.dropFirst(consumed)
                packed.append(contentsOf: buffer[..<produced])
            }
        }
        var ended = false
        while !ended {
            var produced = 0
            ended = try buffer.withUnsafeMutableBytes { try compressor.finish(into: $0, produced: &produced) }
            packed.append(contentsOf: buffer[..<produced])
        }
        #expect(compressor.inputCount == bytes.count)
        #expect(compressor.outputCount == packed.count)
        #expect(try Decompressor.decompress(packed, format) == bytes)
    }

    @Test func `equal input gives equal gzip bytes without a time`() throws {
        let packed = try Compressor.compress(DecompressorTests.sample, .gzip)
        #expect(try Compressor.compress(DecompressorTests.sample, .gzip) == packed)
        #expect(packed[4..<8].elementsEqual([0, 0, 0, 0]))
    }

    @Test func `a higher level packs no worse, and a level out of range is brought into it`() throws {
        let bytes = DecompressorTests.sample
        let fast = try Compressor.compress(bytes, .gzip, level: 1)
        let small = try Compressor.compress(bytes, .gzip, level: 9)
        #expect(small.count < fast.count)
        #expect(try Compressor.compress(bytes, .gzip, level: 99) == small)
        #expect(try Compressor.compress(bytes, .gzip, level: -5) == fast)
    }

    @Test(arguments: [("gzip", CompressionFormat.gzip), ("bzip2", .bzip2), ("xz", .xz), ("zstd", .zstd)])
    func `the format's own tool reads what is packed and its output is read`(
        tool: String, format: CompressionFormat
    ) throws {
        let bytes = DecompressorTests.sample
        let packed = try Compressor.compress(bytes, format)
        #expect(try filter("\(tool) -dc", packed) == bytes)
        #expect(try Decompressor.decompress(filter("\(tool) -c", bytes), format) == bytes)
    }

    /// Sends bytes through a shell command by way of files.
    private func filter(_ command: String, _ bytes: [UInt8]) throws -> [UInt8] {
        var template = Array("/tmp/headrace-codecs-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { _ = system("rm -r '\(folder)'") }
        let input = try #require(fopen("\(folder)/in", "w"))
        #expect(fwrite(bytes, 1, bytes.count, input) == bytes.count)
        fclose(input)
        #expect(system("\(command) < '\(folder)/in' > '\(folder)/out'") == 0)
        let output = try #require(fopen("\(folder)/out", "r"))
        defer { fclose(output) }
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while case let count = fread(&buffer, 1, buffer.count, output), count > 0 {
            result.append(contentsOf: buffer[..<count])
        }
        return result
    }
}
