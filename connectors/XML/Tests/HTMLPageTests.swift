import HeadraceCore
import Testing

@testable import HeadraceXML

@Suite struct HTMLPageTests {
    @Test(arguments: ["text/html; charset=windows-1252", "text/html; charset=iso-8859-1", "text/html"])
    func `A byte that its encoding does not know drops nothing of the page`(contentType: String) throws {
        let bytes = Array("<table><tr><td>a".utf8) + [0x81, 0x80, 0xE9] + Array("<td>after</table>".utf8)
        let cells = try HTMLPage(bytes, contentType: contentType).strings("//td")
        #expect(cells == ["a\u{81}€é", "after"])
    }

    @Test func `Bytes that are not UTF-8 and NULs become replacement characters`() throws {
        let bytes = Array("<table><tr><td>a".utf8) + [0xFF, 0x00] + Array("é<td>after</table>".utf8)
        let cells = try HTMLPage(bytes, contentType: "text/html; charset=utf-8").strings("//td")
        #expect(cells == ["a\u{FFFD}\u{FFFD}é", "after"])
    }

    @Test func `A meta element names the encoding where the server does not`() throws {
        let bytes = Array("<meta charset='windows-1252'><p>".utf8) + [0x80]
        #expect(try HTMLPage(bytes).strings("//p") == ["€"])
    }

    @Test func `The link to the next page is found`() throws {
        let page = try HTMLPage(Array("<a rel='nofollow next' href='?page=2&amp;x=1'>Next</a>".utf8))
        #expect(try page.nextLink == "?page=2&x=1")
        #expect(try HTMLPage(Array("<a rel=nextish href=x>".utf8)).nextLink == nil)
    }
}
