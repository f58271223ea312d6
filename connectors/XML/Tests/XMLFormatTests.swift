import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceXML

@Suite struct XMLFormatTests {
    static let feed = """
        <?xml version="1.0" encoding="UTF-8"?>
        <!-- Prices -->
        <feed xmlns="urn:feed" xmlns:p="urn:prices" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" date="2026-01-05">
          <next href="/feed?page=2&amp;x=1"/>
          <products>
            <product sku="A1" condition="new">
              <name><![CDATA[Lamp <b>&amp;</b>]]></name>
              <p:price currency="EUR" vat="included"> 12.50
              </p:price>
              <p:observed at="2026-01-05T03:14:15Z"/>
            </product>
            <product sku="A2" condition="used">
              <name>Caf&#233; &amp; Co</name>
              <p:price currency="JPY">1200</p:price>
            </product>
            <product>
              <name/>
              <p:price currency="USD" xsi:nil="true"/>
              <p:observed at="2026-01-06T00:00:00+01:00"/>
            </product>
          </products>
        </feed>
        """

    static let schema = Schema([
        field("sku", .utf8, "@sku"), field("name", .utf8, "name"),
        field("price", .decimal(precision: 10, scale: 2), "p:price"), field("currency", .utf8, "p:price/@currency"),
        field("observed", .instant, "p:observed/@at"), field("day", .date32, "../../@date"),
    ])

    static let options = XMLOptions(rows: "/feed/products/product", namespaces: ["p": "urn:prices"])

    @Test func `A feed with namespaces, attributes and CDATA is read by its paths`() async throws {
        let result = try await readXML(Self.feed, Self.options, schema: Self.schema)
        #expect(result.error == nil)
        #expect(result.rejects.isEmpty)
        #expect(
            result.rows == [
                #"{"sku":"A1","name":"Lamp <b>&amp;</b>","price":12.50,"currency":"EUR","observed":"2026-01-05T03:14:15","day":"2026-01-05"}"#,
                #"{"sku":"A2","name":"Café & Co","price":1200.00,"currency":"JPY","observed":null,"day":"2026-01-05"}"#,
                #"{"sku":null,"name":"","price":null,"currency":"USD","observed":"2026-01-05T23:00:00","day":"2026-01-05"}"#,
            ])
        #expect(result.places.map(\.line) == [6, 12, 16])
        #expect(result.places.map(\.row) == [1, 2, 3])
        let bytes = Array(Self.feed.utf8)
        for place in result.places {
            let offset = try #require(place.byteOffset)
            #expect(String(decoding: bytes[offset...].prefix(8), as: UTF8.self) == "<product")
        }
    }

    @Test(arguments: [[1], [2], [3, 1, 7], [13], [64, 1], [1000]])
    func `The size of the pieces that come makes no difference`(sizes: [Int]) async throws {
        let whole = try await readXML(Self.feed, Self.options, schema: Self.schema)
        let pieces = try await readXML(Self.feed, Self.options, schema: Self.schema, sizes: sizes)
        #expect(pieces.rows == whole.rows)
        #expect(pieces.places == whole.places)
    }

    @Test func `Rows and fields are found out when nothing is said`() async throws {
        let result = try await readXML(Self.feed)
        #expect(
            result.schema.fields.map(\.description) == [
                "sku: utf8", "condition: utf8", "name: utf8", "price: decimal(18,2)", "price_currency: utf8",
                "price_vat: utf8", "observed_at: timestamp(UTC)",
            ])
        #expect(result.rows.count == 3)
        #expect(
            result.rows.first
                == #"{"sku":"A1","condition":"new","name":"Lamp <b>&amp;</b>","price":12.50,"price_currency":"EUR","price_vat":"included","observed_at":"2026-01-05T03:14:15"}"#
        )
    }

    @Test func `Repeated elements become lists, of JSON where they hold more than text`() async throws {
        let text = """
            <c><item><tag>a</tag><tag>b</tag><size w="1">L</size><size w="2">M</size><p><q>1</q></p></item>
            <item><tag>c</tag><p><q>2</q></p></item><item/></c>
            """
        let result = try await readXML(text)
        #expect(
            result.schema.fields.map(\.description) == ["tag: list<utf8>", "size: list<json>", "p_q: int64"])
        #expect(
            result.rows == [
                ##"{"tag":["a","b"],"size":[{"@w":"1","#text":"L"},{"@w":"2","#text":"M"}],"p_q":1}"##,
                #"{"tag":["c"],"size":null,"p_q":2}"#, #"{"tag":null,"size":null,"p_q":null}"#,
            ])
    }

    @Test func `An element can be read as JSON`() async throws {
        let text = """
            <c xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
            <i><o k="1"><a>x</a><b><d/></b><a>y</a><e xsi:nil="1"/></o></i><i><o>t "q"</o></i><i><o>1</o><o>2</o></i></c>
            """
        let result = try await readXML(
            text, XMLOptions(rows: "/c/i"), schema: Schema([field("o", .json)]))
        #expect(
            result.rows == [
                #"{"o":{"@k":"1","a":["x","y"],"b":{"d":""},"e":null}}"#, #"{"o":"t \"q\""}"#, #"{"o":["1","2"]}"#,
            ])
    }

    @Test(arguments: [
        ("name", #"["ab","c"]"#), ("name/text()", #"["a","c"]"#), ("@k", #"["1",null]"#), ("x/@k", #"["2",null]"#),
        ("*/@k", #"["2",null]"#), (".//y", #"["b",null]"#), ("name//y", #"["b",null]"#), ("./name", #"["ab","c"]"#),
        ("z[2]", #"["s","w"]"#), ("z[3]", #"[null,"v"]"#), ("missing", "[null,null]"), (".", #"["abrs","ctwv"]"#),
        ("//z[1]", #"["r","t"]"#),
    ])
    func `A path leads to its value`(path: String, expected: String) async throws {
        let text = """
            <r><i k="1"><name>a<y>b</y></name><x k="2"/><z>r</z><z>s</z></i><i><name>c</name><z>t</z><z>w</z><z>v</z></i></r>
            """
        let result = try await readXML(
            text, XMLOptions(rows: "/r/i", fields: [FieldPath("f", path: path)]), schema: Schema([Field("f", .utf8)]))
        let values = try result.rows.map { try JSONValue.parse($0)["f"] ?? .null }
        #expect(JSONValue.array(values).description == expected)
        #expect(result.rejects.isEmpty)
    }

    @Test(arguments: [
        ("/r/a/i", 3), ("//i", 5), ("/r/*/i", 5), ("r/b/i", 2), ("//b//i", 2), ("/r//i", 5), ("/r/i", 0), ("//a", 2),
    ])
    func `A path leads to its rows`(path: String, count: Int) async throws {
        let text = "<r><a><i/><i/></a><b><i><i/></i><c/><i/></b><a><i/></a></r>"
        let result = try await readXML(text, XMLOptions(rows: path), schema: Schema([Field("f", .utf8)]))
        #expect(result.rows.count == count)
        #expect(result.error == nil)
    }

    @Test(arguments: [
        "", "/", "a[", "a[0]", "a[b='1']", "a//", "a///b", "@", "a/@", "a@b", "a/@b/c", "q:a", "a/../b", "../a", "/a",
        "a//text()", "a b", "a::b",
    ])
    func `A field's path that means nothing is refused`(path: String) async throws {
        let result = try await readXML(
            "<r><i/></r>", XMLOptions(rows: "/r/i", fields: [FieldPath("f", path: path)]),
            schema: Schema([Field("f", .utf8)]))
        #expect(result.error?.code == .badOption)
    }

    @Test func `Values that are not of their type are rejects with place, value and record`() async throws {
        let text = """
            <r>
            <i n="1"><p>12.3.4</p><d>2026-13-45</d></i>
            <i n="2"><p>1</p><d>2026-01-01</d></i>
            <i n="x"><p>1</p><d/></i>
            <i n="4"><p>123456789</p></i>
            <i><p>2</p></i>
            <i n="6"><p>2</p><p>3</p></i>
            </r>
            """
        let schema = Schema([
            field("n", .int64, "@n", nullable: false), field("p", .decimal(precision: 8, scale: 2)),
            field("d", .date32),
        ])
        let result = try await readXML(text, XMLOptions(rows: "/r/i"), schema: schema)
        #expect(result.rows == [#"{"n":2,"p":1.00,"d":"2026-01-01"}"#])
        #expect(
            result.rejects.map(\.code) == ["notADecimal", "notAnInteger", "outOfRange", "missing", "repeatedValue"])
        #expect(result.rejects.map(\.field) == ["p", "n", "p", "n", "p"])
        #expect(result.rejects.map(\.value) == ["12.3.4", "x", "123456789", nil, "2"])
        #expect(result.rejects.map(\.place.line) == [2, 4, 5, 6, 7])
        #expect(result.rejects.map(\.place.row) == [1, 3, 4, 5, 6])
        #expect(result.rejects.allSatisfy { $0.rule == "decode" })
        let original = try #require(result.rejects.first?.original)
        #expect(String(decoding: original, as: UTF8.self) == #"<i n="1"><p>12.3.4</p><d>2026-13-45</d></i>"#)
    }

    @Test func `The rows before a fault in the document are kept`() async throws {
        let text = "<r>\n<i><a>1</a></i>\n<i><a>2</a></i>\n<i><a>3</b></i>\n</r>"
        let result = try await readXML(text, XMLOptions(rows: "/r/i"), schema: Schema([Field("a", .int64)]))
        #expect(result.rows == [#"{"a":1}"#, #"{"a":2}"#])
        let error = try #require(result.error)
        #expect(error.code == .malformedInput)
        #expect(error.fields.first { $0.name == "line" }?.value == "4")
        #expect(error.fields.first { $0.name == "column" }?.value == "12")
        #expect(error.reason?.contains("mismatch") == true)
    }

    @Test(arguments: [
        "<r><i/>", "<r><i/></r><r/>", "", "  ", "<r><i></r>", "<r><i a='1' a='2'/></r>", "plain", "<r>&nbsp;</r>",
    ])
    func `A document that is not whole or not well-formed is an error`(text: String) async throws {
        let result = try await readXML(text, XMLOptions(rows: "/r/i"), schema: Schema([Field("a", .utf8)]))
        #expect(result.error?.code == .malformedInput)
    }

    @Test func `A document with another root is an error and not an empty feed`() async throws {
        let wrong = try await readXML(
            "<html><body/></html>", XMLOptions(rows: "/r/i"), schema: Schema([Field("a", .utf8)]))
        #expect(wrong.error?.code == .schemaMismatch)
        let empty = try await readXML("<r/>", XMLOptions(rows: "/r/i"), schema: Schema([Field("a", .utf8)]))
        #expect(empty.error == nil)
        #expect(empty.rows.isEmpty)
    }

    @Test func `Reading resumes after every chunk`() async throws {
        var text = "<r>"
        for number in 0..<10_000 { text += "<i><a>\(number)</a></i>" }
        text += "</r>"
        let documents = MemoryDocuments(
            documents: [("a.xml", Array(text.utf8)), ("b.xml", Array("<r><i><a>-1</a></i></r>".utf8))], sizes: [4096])
        let source = FormatSource(
            documents, XMLFormat(XMLOptions(rows: "/r/i")), codecs: [], declared: Schema([Field("a", .int64)]))
        let whole = try await readAll(source)
        #expect(whole.rows.count == 10_001)
        #expect(whole.chunks > 2)
        #expect(whole.places.map(\.row) == Array(1...10_001))
        for position in whole.positions {
            let rest = try await readAll(source, from: position)
            let done = Int(position.value["rows"]?.integerValue ?? 0)
            #expect(rest.rows == Array(whole.rows[done...]))
            #expect(rest.places == Array(whole.places[done...]))
        }
    }

    @Test func `Inferred fields hold for the next document and after resuming`() async throws {
        let documents = MemoryDocuments(documents: [
            ("a.xml", Array("<r><i k='1'><a>x</a></i><i k='2'/></r>".utf8)),
            ("b.xml", Array("<r><i k='3'><a>y</a></i></r>".utf8)),
        ])
        let source = FormatSource(documents, XMLFormat(), codecs: [])
        let whole = try await readAll(source)
        #expect(whole.rows == [#"{"k":1,"a":"x"}"#, #"{"k":2,"a":null}"#, #"{"k":3,"a":"y"}"#])
        let fresh = FormatSource(documents, XMLFormat(), codecs: [])
        let rest = try await readAll(fresh, from: whole.positions[0])
        #expect(rest.rows == [#"{"k":3,"a":"y"}"#])
    }

    @Test func `Null texts, text only and given fields with guessed types`() async throws {
        let text = "<r><i a='1'><b>N/A</b></i><i a='2'><b>2.5</b></i></r>"
        let nulls = try await readXML(text, XMLOptions(rows: "/r/i", nulls: ["N/A"]))
        #expect(nulls.rows == [#"{"a":1,"b":null}"#, #"{"a":2,"b":2.5}"#])
        let texts = try await readXML(text, XMLOptions(rows: "/r/i", infersTypes: false))
        #expect(texts.rows == [#"{"a":"1","b":"N/A"}"#, #"{"a":"2","b":"2.5"}"#])
        let given = try await readXML(text, XMLOptions(rows: "/r/i", fields: [FieldPath("x", path: "@a")]))
        #expect(given.schema.fields.map(\.description) == ["x: int64"])
        #expect(given.rows == [#"{"x":1}"#, #"{"x":2}"#])
    }
}
