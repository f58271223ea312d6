import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceXML

@Suite struct XMLEncodingTests {
    static let schema = Schema([Field("a", .utf8)])
    static let options = XMLOptions(rows: "/r/i")

    static func utf16(_ text: String, bigEndian: Bool) -> [UInt8] {
        [0xFEFF].flatMap { [$0] + Array(text.utf16) }.flatMap { unit -> [UInt8] in
            let unit = UInt16(unit)
            let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
            return bigEndian ? [high, low] : [low, high]
        }
    }

    static func document(_ declaration: String, _ value: [UInt8]) -> [UInt8] {
        Array(declaration.utf8) + Array("<r><i><a>".utf8) + value + Array("</a></i></r>".utf8)
    }

    static let cases: [(name: String, bytes: [UInt8], text: String)] = [
        ("utf-8 undeclared", document("", Array("Café €".utf8)), "Café €"),
        ("utf-8 with mark", [0xEF, 0xBB, 0xBF] + document("", Array("Café €".utf8)), "Café €"),
        ("latin1", document("<?xml version='1.0' encoding='ISO-8859-1'?>", [0x43, 0xE9]), "Cé"),
        ("windows-1252", document("<?xml version='1.0' encoding='windows-1252'?>", [0x80, 0x93, 0xE9]), "€“é"),
        ("shift_jis", document("<?xml version='1.0' encoding='Shift_JIS'?>", [0x93, 0xFA, 0x96, 0x7B]), "日本"),
        (
            "utf-16 big",
            utf16("<?xml version='1.0' encoding='UTF-16'?><r><i><a>Café 日本 🎁</a></i></r>", bigEndian: true), "Café 日本 🎁"
        ),
        ("utf-16 little", utf16("<r><i><a>Café 日本 🎁</a></i></r>", bigEndian: false), "Café 日本 🎁"),
    ]

    @Test(arguments: cases, [[1], [3], [50], [1 << 16]])
    func `A document is read in the encoding it names`(
        document: (name: String, bytes: [UInt8], text: String), sizes: [Int]
    ) async throws {
        let result = try await readXML(bytes: document.bytes, Self.options, schema: Self.schema, sizes: sizes)
        #expect(result.error == nil, "\(document.name)")
        #expect(result.rows == [#"{"a":"\#(document.text)"}"#], "\(document.name)")
        let inferred = try await readXML(bytes: document.bytes, sizes: sizes)
        #expect(inferred.rows == result.rows)
    }

    @Test func `What the carrier says counts only where the document says nothing`() async throws {
        let plain = Self.document("", [0x80])
        let told = try await readXML(
            bytes: plain, Self.options, schema: Self.schema, contentType: "text/xml; charset=\"windows-1252\"")
        #expect(told.rows == [#"{"a":"€"}"#])
        let declared = Self.document("<?xml version='1.0' encoding='windows-1252'?>", [0x80])
        let other = try await readXML(
            bytes: declared, Self.options, schema: Self.schema, contentType: "text/xml; charset=iso-8859-1")
        #expect(other.rows == [#"{"a":"€"}"#])
        let forced = try await readXML(
            bytes: Self.document("<?xml version='1.0' encoding='utf-8'?>", [0xA4]),
            XMLOptions(rows: "/r/i", encoding: "iso-8859-15"), schema: Self.schema)
        #expect(forced.rows == [#"{"a":"€"}"#])
    }

    @Test func `Bytes that are wrong in their encoding end the document with an error`() async throws {
        for bytes in [
            Self.document("", [0xC3, 0x28]), Self.document("<?xml version='1.0' encoding='nowhere-7'?>", [0x41]),
            Self.document("<?xml version='1.0' encoding='Shift_JIS'?>", [0x93, 0xFF, 0xFF]),
            Self.utf16("<r><i><a>", bigEndian: true) + [0xD8, 0x00, 0x00, 0x41, 0x00],
        ] {
            let result = try await readXML(bytes: bytes, Self.options, schema: Self.schema)
            #expect(result.error?.code == .malformedInput)
            #expect(result.rows.isEmpty)
        }
        await #expect(throws: HeadraceError.self) {
            _ = try await readXML("<r/>", XMLOptions(encoding: "nowhere-7"))
        }
    }
}
