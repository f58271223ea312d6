import HeadraceCore
import Testing

@testable import HeadraceXML

@Suite struct XMLScanTests {
    @Test func `The link to the next page is found`() throws {
        let scan = XMLScan(Array(XMLFormatTests.feed.utf8), namespaces: ["p": "urn:prices", "f": "urn:feed"])
        #expect(try scan.firstAttribute("/feed/next/@href") == "/feed?page=2&x=1")
        #expect(try scan.firstAttribute("/f:feed/@date") == "2026-01-05")
        #expect(try scan.firstAttribute("/p:feed/@date") == nil)
        #expect(try scan.firstAttribute("//p:price/@currency") == "EUR")
        #expect(try scan.strings("//p:price/@currency") == ["EUR", "JPY", "USD"])
        #expect(try scan.strings("//product/name") == ["Lamp <b>&amp;</b>", "Café & Co", ""])
        #expect(try scan.firstAttribute("/feed/nothing/@href") == nil)
    }

    @Test func `What is wrong behind the attribute is not looked at, what is wrong before is an error`() throws {
        let scan = XMLScan(Array("<f><next href='x'/></g>".utf8))
        #expect(try scan.firstAttribute("/f/next/@href") == "x")
        #expect(throws: HeadraceError.self) { try scan.firstAttribute("/f/last/@href") }
        #expect(throws: HeadraceError.self) { try scan.firstAttribute("/f/next") }
        #expect(throws: HeadraceError.self) { try XMLScan([]).firstAttribute("/f/@a") }
    }
}
