import HeadraceColumnar
import HeadraceCore
import HeadraceFiles
import HeadraceTesting
import Testing

@testable import HeadraceXML

@Suite struct XMLConnectorTests {
    static func source(_ text: String) throws -> any Source {
        let documents = MemoryDocuments(documents: [("feed.xml", Array(XMLFormatTests.feed.utf8))])
        return try XMLConnector().source(over: documents, at: Location(text, fileExists: { _ in false }))
    }

    @Test func `A location says rows, fields and namespaces`() async throws {
        let source = try Self.source(
            "feed.xml?rows=/feed/products/product&fields=id:@sku,price:q:price,cur:q:price/@currency&ns.q=urn:prices")
        let schema = try await source.schema(in: RunContext.testing())
        #expect(schema.fields.map(\.description) == ["id: utf8", "price: decimal(18,2)", "cur: utf8"])
        let texts = try Self.source("feed.xml?rows=//product&infer=off&null=new")
        #expect(try await texts.schema(in: RunContext.testing()).fields.allSatisfy { $0.type == .utf8 })
    }

    @Test(arguments: [
        "feed.xml?row=/a", "feed.xml?rows=/a/@b", "feed.xml?rows=/a[1]", "feed.xml?rows=q:a", "feed.xml?fields=a:",
        "feed.xml?fields=a:b,a:c", "feed.xml?fields=a:b[c]", "feed.xml?infer=yes", "feed.xml?record-limit=0",
        "feed.xml?ns.=x", "feed.xml?fields=",
    ])
    func `Options that are not known or not understood are refused`(location: String) {
        let error = #expect(throws: HeadraceError.self) { try Self.source(location) }
        #expect(error?.code == .badOption)
    }

    @Test func `A sink is refused with the formats that have one`() throws {
        let location = try Location("out.xml", fileExists: { _ in false })
        let error = #expect(throws: HeadraceError.self) {
            try XMLConnector().sink(over: AtomicFile(at: "/tmp/never.xml"), at: location)
        }
        #expect(error?.code == .unsupported)
        #expect(error?.fields.first?.value.contains("csv") == true)
    }

    @Test func `The element that is repeated most is taken for the row`() async throws {
        let description = try XMLFormat().describe(
            ByteSample(
                object: ByteObject(name: "a.xml", byteCount: nil, identity: ""),
                bytes: Array(
                    "<rss><channel><title>t</title><link r='a'/><link r='b'/><item><t>1</t><u><v/><v/></u></item><item><t>2</t></item><item><t>3</t></item></channel></rss>"
                        .utf8), isWhole: true))
        #expect(description.dialect.map(\.value) == ["/rss/channel/item"])
        #expect(description.schema.fields.map(\.description) == ["t: int64", "u_v: list<utf8>"])
        #expect(description.notes.contains { $0.contains("rows=") })
        #expect(description.schema.fields.first?.metadata == ["path": "t", "rows": "/rss/channel/item"])
    }

    @Test(arguments: ["<r/>", "<r>text</r>", "<r><a/><a/></r>", ""])
    func `A document without rows to tell fields by is an error that says what to do`(text: String) {
        let error = #expect(throws: HeadraceError.self) {
            try XMLFormat().describe(
                ByteSample(
                    object: ByteObject(name: "a.xml", byteCount: nil, identity: ""), bytes: Array(text.utf8),
                    isWhole: true))
        }
        #expect(error?.code == .malformedInput)
        #expect(error?.trail == ["a.xml"])
    }
}

@Suite struct FieldPathTests {
    @Test func `A list of fields is cut at commas outside of brackets and quotes`() throws {
        #expect(
            try FieldPath.list("a, @id,b : c/d ,e:concat(td[1], ','),f:p:q") == [
                FieldPath("a", path: "a"), FieldPath("id", path: "@id"), FieldPath("b", path: "c/d"),
                FieldPath("e", path: "concat(td[1], ',')"), FieldPath("f", path: "p:q"),
            ])
    }
}
