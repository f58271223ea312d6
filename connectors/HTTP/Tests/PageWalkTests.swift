import HeadraceCore
import HeadraceHTTP
import HeadraceHTTPClient
import Testing

private func url(_ text: String) throws -> URLReference { try URLReference(http: text) }

/// Walks over pages given as a function of the URL, and gives the URLs asked for.
private func walk(
    _ start: String, _ pagination: Pagination, limit: Int = 100, allowsOtherOrigins: Bool = false,
    _ page: (String) -> (body: String, headers: HTTPHeaders)
) throws -> [String] {
    var walk = try PageWalk(
        from: url(start), pagination, limit: limit, allowsOtherOrigins: allowsOtherOrigins)
    var asked: [String] = []
    while let step = walk.next {
        asked.append(step.url.text)
        #expect(step.number == asked.count)
        let answer = page(step.url.text)
        try walk.advance(past: Array(answer.body.utf8), headers: answer.headers, url: step.url)
    }
    return asked
}

private func code(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return (error as? HeadraceError)?.code.rawValue ?? "\(error)"
    }
}

@Suite struct PageWalkTests {
    @Test("A single page is one request")
    func single() throws {
        #expect(try walk("http://h/x?a=1", .single) { _ in ("{}", [:]) } == ["http://h/x?a=1"])
    }

    @Test("Counted pages end at the page whose records are empty, and its number is kept among the other parameters")
    func untilEmpty() throws {
        let asked = try walk(
            "http://h/x?a=b%20c&page=9&z", .page(parameter: "page", from: 0, until: .empty(recordPath: "/data/items"))
        ) { url in
            let last = url.contains("page=2")
            return (#"{"skip":[1,{"data":2}],"data":{"items":[\#(last ? "" : "\"\(url)\"")]}}"#, [:])
        }
        #expect(asked == ["http://h/x?a=b%20c&page=0&z", "http://h/x?a=b%20c&page=1&z", "http://h/x?a=b%20c&page=2&z"])
    }

    @Test("A record path may be absent or null on the last page", arguments: [#"{}"#, #"{"items":null}"#, "[]"])
    func emptyForms(last: String) throws {
        let asked = try walk("http://h/x", .page(parameter: "p", until: .empty(recordPath: "$.items"))) { url in
            (url.hasSuffix("p=1") ? #"{"items":[{}]}"# : last, [:])
        }
        #expect(asked.count == 2)
    }

    @Test("The number of pages stands in the page")
    func totalPages() throws {
        let asked = try walk("http://h/x", .page(parameter: "p", until: .total(path: "/pagination/pages"))) { url in
            (#"{"url":"\#(url)","pagination":{"pages":3}}"#, [:])
        }
        #expect(asked == ["http://h/x?p=1", "http://h/x?p=2", "http://h/x?p=3"])
    }

    @Test("A count is a count")
    func count() throws {
        #expect(try walk("http://h/x", .page(parameter: "p", until: .count(4))) { ($0, [:]) }.count == 4)
    }

    @Test("Offsets go by the size of a page, up to the number of records")
    func offsets() throws {
        let asked = try walk(
            "http://h/x", .offset(parameter: "start", limitParameter: "limit", size: 50, until: .total(path: "/total"))
        ) { url in (#"{"total":120,"at":"\#(url)"}"#, [:]) }
        #expect(
            asked == ["http://h/x?start=0&limit=50", "http://h/x?start=50&limit=50", "http://h/x?start=100&limit=50"])
    }

    @Test(
        "A flag ends when it is false, null, zero, empty or absent",
        arguments: ["false", "null", "0", "\"\"", "[]", nil])
    func flag(last: String?) throws {
        let asked = try walk("http://h/x", .page(parameter: "p", until: .flag(path: "/more"))) { url in
            if url.hasSuffix("p=3") { return (last.map { "{\"more\":\($0)}" } ?? "{}", [:]) }
            return (#"{"more":true,"at":"\#(url)"}"#, [:])
        }
        #expect(asked.count == 3)
    }

    @Test("A closure may tell the last page")
    func when() throws {
        let end = PageEnd.when { bytes, _ in bytes.count > 14 }
        #expect(try walk("http://h/x", .page(parameter: "p", until: end)) { ($0, [:]) }.count == 10)
    }

    @Test("A cursor goes back encoded, and null, absent or empty ends", arguments: ["null", "\"\"", nil])
    func cursor(last: String?) throws {
        let asked = try walk("http://h/x?c=0", .cursor(bodyPath: "/meta/next", parameter: "c")) { url in
            if url.hasSuffix("c=0") { return (#"{"meta":{"next":"a b&c=+/é"}}"#, [:]) }
            if url.contains("c=a") { return (#"{"meta":{"next":12345678901234567890}}"#, [:]) }
            return (last.map { "{\"meta\":{\"next\":\($0)}}" } ?? "{\"meta\":{}}", [:])
        }
        #expect(
            asked == ["http://h/x?c=0", "http://h/x?c=a%20b%26c%3D%2B%2F%C3%A9", "http://h/x?c=12345678901234567890"])
    }

    @Test(
        "A link header leads on by its relation",
        arguments: [
            (#"</x?p=2>; rel="next""#, true), (#"</x?p=2>; rel=next"#, true), (#"</x?p=2>;rel="prev NEXT""#, true),
            (#"</a,b;c>; rel="first", </x?p=2>; title="a \", b"; rel="next"; rel="last""#, true),
            (#"</x?p=2>; rel="prev""#, false), (#"</x?p=2>; rel="next"; anchor="/other""#, false),
            (#"</x?p=2>"#, false), ("<", false), ("garbage", false), (#"</x?p=2>; REL = "next""#, true),
        ])
    func linkHeader(value: String, leads: Bool) throws {
        let asked = try walk("http://h/x", .linkHeader) { url in
            (url, url.hasSuffix("p=2") ? [:] : ["Link": value])
        }
        #expect(asked == (leads ? ["http://h/x", "http://h/x?p=2"] : ["http://h/x"]))
    }

    @Test("A link in the body is relative to the page")
    func bodyLink() throws {
        let asked = try walk("http://h/v1/items?x=1", .bodyLink(path: "/next")) { url in
            url.hasSuffix("x=1") ? (#"{"next":"items?x=2"}"#, [:]) : (#"{"next":null}"#, [:])
        }
        #expect(asked == ["http://h/v1/items?x=1", "http://h/v1/items?x=2"])
    }

    @Test("A closure finds the link of an XML page")
    func foundLink() throws {
        let find = Pagination.link { bytes, _ in
            let text = String(decoding: bytes, as: UTF8.self)
            return text.hasPrefix("next=") ? String(text.dropFirst(5)) : nil
        }
        #expect(
            try walk("http://h/a/b", find) { ($0.hasSuffix("b") ? "next=../c" : "", [:]) } == [
                "http://h/a/b", "http://h/c",
            ])
    }

    @Test("Circles end with an error, however long")
    func circles() throws {
        #expect(
            code { _ = try walk("http://h/0", .bodyLink(path: "/next")) { _ in (#"{"next":"/0"}"#, [:]) } }
                == "badPagination")
        #expect(
            code {
                _ = try walk("http://h/0", .bodyLink(path: "/next")) { url in
                    (#"{"next":"/\#(((Int(url.dropFirst(9)) ?? 0) + 1) % 50)#frag"}"#, [:])
                }
            } == "badPagination")
        #expect(
            code {
                _ = try walk("http://h/0", .cursor(bodyPath: "/c", parameter: "c")) { url in
                    (url.hasSuffix("=b") ? #"{"c":"a"}"# : url.hasSuffix("=a") ? #"{"c":"b"}"# : #"{"c":"a"}"#, [:])
                }
            } == "badPagination")
    }

    @Test("A server that takes no notice of the page's number is noticed")
    func samePage() throws {
        let error = #expect(throws: HeadraceError.self) {
            _ = try walk("http://h/x", .page(parameter: "p", until: .empty(recordPath: "/items"))) { _ in
                (#"{"items":[1]}"#, [:])
            }
        }
        #expect(error?.message == "page 2 is the same as the page before it")
    }

    @Test("More pages than allowed are an error")
    func limit() throws {
        let error = #expect(throws: HeadraceError.self) {
            _ = try walk("http://h/x", .page(parameter: "p", until: .missing), limit: 5) { ($0, [:]) }
        }
        #expect(error?.message == "there are more than 5 pages")
    }

    @Test("A link to another host is refused, or followed as foreign where that is allowed")
    func otherHost() throws {
        let page: (String) -> (String, HTTPHeaders) = { url in
            (url.contains("//h/") ? #"{"next":"https://evil/x"}"# : "{}", [:])
        }
        #expect(code { _ = try walk("https://h/x", .bodyLink(path: "/next"), page) } == "badPagination")
        var foreign = try PageWalk(from: url("https://h/x"), .bodyLink(path: "/next"), allowsOtherOrigins: true)
        try foreign.advance(past: Array(#"{"next":"https://evil/x"}"#.utf8), headers: [:], url: url("https://h/x"))
        #expect(foreign.next?.isForeign == true)
    }

    @Test("Links that are no URL or not http are errors", arguments: ["ftp://h/x", "http://h:99999/", "javascript:1"])
    func badLinks(link: String) throws {
        #expect(
            code { _ = try walk("http://h/x", .bodyLink(path: "/next")) { _ in ("{\"next\":\"\(link)\"}", [:]) } }
                == "badPagination")
    }

    @Test("A page that is not JSON is malformed input where JSON is looked into")
    func notJSON() throws {
        #expect(
            code { _ = try walk("http://h/x", .bodyLink(path: "/next")) { _ in ("<html>", [:]) } } == "malformedInput")
        #expect(
            code { _ = try walk("http://h/x", .page(parameter: "p", until: .total(path: "/n"))) { _ in ("{}", [:]) } }
                == "badPagination")
    }

    @Test("Paths that cannot be read are refused at once", arguments: ["data", "$.a[0]", "$..a", "$x"])
    func badPaths(path: String) throws {
        #expect(code { _ = try PageWalk(from: url("http://h/"), .bodyLink(path: path)) } == "badOption")
    }

    @Test("A walk goes on at the position of another")
    func resume() throws {
        let pagination = Pagination.cursor(bodyPath: "/c", parameter: "c")
        var first = try PageWalk(from: url("http://h/x"), pagination)
        try first.advance(past: Array(#"{"c":"two"}"#.utf8), headers: [:], url: url("http://h/x"))
        let position = try #require(first.position)
        let parsed = Position(try JSONValue.parse(position.value.compactText))
        var second = try PageWalk(from: url("http://h/x"), pagination, resumingAt: parsed)
        #expect(second.next == first.next)
        try second.advance(past: Array("{}".utf8), headers: [:], url: url("http://h/x?c=two"))
        #expect(second.next == nil)
        #expect(second.position == nil)
        #expect(
            code { _ = try PageWalk(from: url("http://h/x"), pagination, resumingAt: Position(["page": 0])) }
                == "malformedInput")
    }
}
