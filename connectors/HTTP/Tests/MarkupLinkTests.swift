import HeadraceCore
import HeadraceHTTP
import HeadraceHTTPClient
import Testing

private func next(_ pagination: Pagination, _ page: String) throws -> String? {
    var walk = try PageWalk(from: URLReference(http: "http://h/a"), pagination)
    try walk.advance(past: Array(page.utf8), headers: [:], url: URLReference(http: "http://h/a"))
    return walk.next?.url.text
}

@Suite struct MarkupLinkTests {
    @Test(
        "An HTML page names the next one by its relation",
        arguments: [
            #"<a rel="next" href="/b?x=1&amp;y=2">Next &raquo;</a>"#, #"<A HREF='/b?x=1&y=2' Rel='Next nofollow'>"#,
            #"<a href=/b?x=1&#38;y=2 rel=next>"#,
            #"<a href="/first" rel="prev"><link href="/b?x=1&#x26;y=2" rel="next"/>"#,
            #"<!-- <a rel=next href=/no> --><a rel = "next" href = "/b?x=1&y=2" href="/c">"#,
            #"a < b <a rel="next"><a rel=next data-x='>' href="/b?x=1&y=2""#,
        ])
    func html(page: String) throws { #expect(try next(.htmlLink, page) == "http://h/b?x=1&y=2") }

    @Test("An XML feed names the next part by an element, with or without prefix")
    func xml() throws {
        #expect(
            try next(.elementLink("next"), #"<f><![CDATA[<next href="/no"/>]]><next href="b"/></f>"#) == "http://h/b")
        #expect(
            try next(.elementLink("next", attribute: "url"), #"<p:next href="/no" url="/c"></p:next>"#) == "http://h/c")
        #expect(try next(.elementLink("next"), #"<nextPage href="/no"/><x next="/no"/>"#) == nil)
    }

    @Test(
        "Pages without such a link end, however damaged",
        arguments: ["", "<", "<a", "<a rel=next", "<!--", "<a rel=next href>", "<a rel='next href=/x>"])
    func none(page: String) throws { #expect(try next(.htmlLink, page) == nil) }

    @Test("A reference that is none stays as it is written")
    func references() throws {
        #expect(
            try next(.htmlLink, #"<a rel=next href="/b?a=1&copy=2&#xFFFFFFFF;&amp;&"# + "\">")
                == "http://h/b?a=1&copy=2&#xFFFFFFFF;&&")
    }
}
