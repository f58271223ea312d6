import HeadraceCodecs
import Testing

@Suite struct CompressionFormatTests {
    @Test(arguments: [CompressionFormat.gzip, .zstd, .bzip2, .xz], ["a,b\n1,2\n", ""])
    func `packed data is recognised by its first bytes, empty or not`(format: CompressionFormat, text: String) throws {
        let packed = try Compressor.compress(Array(text.utf8), format)
        #expect(CompressionFormat.detect(packed) == format)
        #expect(CompressionFormat.detect(Array(packed.prefix(CompressionFormat.detectionByteCount))) == format)
    }

    @Test(
        arguments: [
            ([0x28, 0xB5, 0x2F, 0xFD, 0x24], CompressionFormat.zstd),
            ([0x53, 0x2A, 0x4D, 0x18, 0x04], .zstd),
            ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], .xz),
            ([0x42, 0x5A, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59], .bzip2),
            ([0x42, 0x5A, 0x68, 0x39, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90], .bzip2),
        ] as [([UInt8], CompressionFormat)])
    func `the other formats are recognised by their first bytes`(prefix: [UInt8], format: CompressionFormat) {
        #expect(CompressionFormat.detect(prefix) == format)
    }

    @Test(arguments: ["", "\u{1F}", "id,name\n1,x\n", "BZh9 is a name\n", "{\"a\":1}", "PK\u{3}\u{4}", "(\u{B5}"])
    func `text and short prefixes are not taken for packed data`(text: String) {
        #expect(CompressionFormat.detect(Array(text.utf8)) == nil)
    }

    @Test(arguments: [("gz", CompressionFormat.gzip), ("GZ", .gzip), ("zst", .zstd), ("bz2", .bzip2), ("xz", .xz)])
    func `a file extension names its format`(name: String, format: CompressionFormat) {
        #expect(CompressionFormat(fileExtension: name) == format)
        #expect(CompressionFormat(fileExtension: "csv") == nil)
    }
}
