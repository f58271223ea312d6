import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceXML

/// Twenty thousand elements, cut into chunks of 256 KiB.
private struct WrittenFeed: SourceHarness {
    func makeSource() throws -> FormatSource<MemoryDocuments, XMLFormat> {
        let items = (0..<20_000).map { "<item><id>\($0)</id>\($0 % 7 == 3 ? "" : "<name>name \($0)</name>")</item>\n" }
        let text = "<?xml version=\"1.0\"?>\n<feed>\n\(items.joined())</feed>\n"
        return FormatSource(
            MemoryDocuments(documents: [("feed.xml", Array(text.utf8))]), XMLFormat(XMLOptions(rows: "/feed/item")),
            codecs: [],
            declared: nil)
    }
    var expectedSchema: Schema { Schema([Field("id", .int64), Field("name", .utf8)]) }
    var expectedRows: [[Scalar]] { NamedRows.rows(0..<20_000) }
}

/// Pages with a table each, one chunk a page.
private struct WrittenPages: SourceHarness {
    static var connector: String { "HTML" }

    func makeSource() throws -> FormatSource<MemoryDocuments, HTMLFormat> {
        let pages = (0..<4).map { page in
            let rows = NamedRows.rows(page * 50..<page * 50 + 50).map { row in
                "<tr><td>\(row[0])</td><td>\(row[1].isNull ? "" : row[1].description)</td></tr>"
            }
            let text = "<html><body><table><tr><th>id</th><th>name</th></tr>\(rows.joined())</table></body></html>"
            return ("page\(page).html", Array(text.utf8))
        }
        return FormatSource(MemoryDocuments(documents: pages), HTMLFormat(), codecs: [], declared: nil)
    }
    var expectedSchema: Schema { Schema([Field("id", .int64), Field("name", .utf8)]) }
    // An empty cell is the empty text.
    var expectedRows: [[Scalar]] { NamedRows.rows(0..<200).map { [$0[0], $0[1].isNull ? .utf8("") : $0[1]] } }
}

@Suite struct XMLContractTests {
    @Test("What the engine demands of every source, of XML", arguments: SourceContract<WrittenFeed>.checks)
    private func feed(_ check: Check<WrittenFeed>) async throws { try await check.run(on: WrittenFeed()) }

    @Test("What the engine demands of every source, of HTML", arguments: SourceContract<WrittenPages>.checks)
    private func pages(_ check: Check<WrittenPages>) async throws { try await check.run(on: WrittenPages()) }
}
