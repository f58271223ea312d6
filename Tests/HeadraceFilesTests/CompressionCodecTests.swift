import HeadraceCodecs
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceFiles

@Suite struct CompressionCodecTests {
    let folder = TemporaryFolder()
    let context = RunContext.testing()

    @Test(arguments: [0, 1, 70_000, 1_000_000])
    func `what is written through gzip reads back, and is gzip on disk`(count: Int) throws {
        let text = String((0..<count / 10).map { "\($0),value\n" }.joined().prefix(count))
        let codec = try #require(StandardCodecs.named("gzip"))
        let writer = try codec.encoding(AtomicFile(at: folder("a.gz")).create(in: context))
        try writer.write(text)
        try writer.publish()
        let packed = try FileContents.read(folder("a.gz"))
        #expect(packed.withUnsafeBytes { codec.recognises($0) })
        #expect(try Decompressor.decompress(packed, .gzip) == Array(text.utf8))
        let read = try codec.decoding(LocalFileReader(folder("a.gz"), at: 0)).all(piece: 777)
        #expect(read == Array(text.utf8))
    }

    @Test func `an aborted compressed file leaves nothing`() throws {
        let writer = try CompressionCodec(.gzip).encoding(AtomicFile(at: folder("a.gz")).create(in: context))
        try writer.write("abc")
        writer.abort()
        #expect(folder.names == [])
    }

    @Test func `a truncated file gives the rows before the cut and then an error`() throws {
        let packed = try Compressor.compress(Array(String(repeating: "line\n", count: 50_000).utf8), .gzip)
        try FileContents.write(Array(packed.dropLast(20)), to: folder("a.gz"))
        let reader = try CompressionCodec(.gzip).decoding(LocalFileReader(folder("a.gz"), at: 0))
        let error = #expect(throws: HeadraceError.self) { try reader.all() }
        #expect(error?.code.rawValue == "compressedDataTruncated")
        #expect(error?.hint != nil)
    }

    @Test func `names are split into extension and compression`() {
        func split(_ name: String) -> [String?] {
            let parts = StandardCodecs.splitting(name)
            return [parts.fileExtension, parts.codec?.name]
        }
        #expect(split("dir.d/prices.csv.gz") == ["csv", "gzip"])
        #expect(split("PRICES.CSV") == ["csv", nil])
        #expect(split("prices.gz") == [nil, "gzip"])
        #expect(split("prices") == [nil, nil])
        #expect(split(".profile") == [nil, nil])
        #expect(split("a.ndjson.zst") == ["ndjson", "zstd"])
    }
}
