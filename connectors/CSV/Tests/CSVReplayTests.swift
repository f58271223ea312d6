import HeadraceCore
import Testing

@testable import HeadraceCSV

@Suite struct CSVReplayTests {
    private func document(_ records: [String], like sample: String, _ options: CSVOptions = CSVOptions()) throws -> (
        text: String, options: CSVOptions
    ) {
        let bytes = Array(sample.utf8)
        let (found, format) = try CSVFormat(options).document(
            of: records.map { Array($0.utf8) },
            like: ByteSample(
                object: ByteObject(name: "prices.csv", byteCount: bytes.count, identity: "1"), bytes: bytes,
                isWhole: true))
        return (String(decoding: found, as: UTF8.self), format.options)
    }

    @Test func `Refused records stand below the header of their file, in its dialect`() throws {
        let (text, options) = try document(
            ["2;x,y;bad\r\n", "3;z;bad"], like: "id;name;price\r\n1;a;2\r\n2;x,y;bad\r\n")
        #expect(text == "id;name;price\r\n2;x,y;bad\r\n3;z;bad\n")
        #expect(options.delimiter == UInt8(ascii: ";") && options.header == .present)
    }

    @Test func `Skipped lines, a byte order mark and a delimiter line stay behind`() throws {
        let (skipped, options) = try document(
            ["2,b\n"], like: "made by hand\nid,name\n1,a\n", CSVOptions(header: .present, skip: 1))
        #expect(skipped == "id,name\n2,b\n" && options.skip == 0)
        #expect(try document(["2;b\n"], like: "\u{FEFF}sep=;\nid;name\n1;a\n").text == "id;name\n2;b\n")
    }

    @Test func `A file without header gives records alone`() throws {
        let (text, options) = try document(["2,b\n"], like: "1,a\n3,c\n", CSVOptions(header: .absent))
        #expect(text == "2,b\n" && options.header == .absent)
    }
}
