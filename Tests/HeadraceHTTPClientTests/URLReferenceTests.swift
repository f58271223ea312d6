import HeadraceHTTPClient
import Testing

@Suite struct URLReferenceTests {
    /// RFC 3986 section 5.4, normal and abnormal examples.
    static let examples: [(String, String)] = [
        ("g:h", "g:h"), ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"), ("//g", "http://g"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q#s"), ("g#s", "http://a/b/c/g#s"), ("g?y#s", "http://a/b/c/g?y#s"),
        (";x", "http://a/b/c/;x"), ("g;x", "http://a/b/c/g;x"), ("g;x?y#s", "http://a/b/c/g;x?y#s"),
        ("", "http://a/b/c/d;p?q"), (".", "http://a/b/c/"), ("./", "http://a/b/c/"), ("..", "http://a/b/"),
        ("../", "http://a/b/"), ("../g", "http://a/b/g"), ("../..", "http://a/"), ("../../", "http://a/"),
        ("../../g", "http://a/g"), ("../../../g", "http://a/g"), ("../../../../g", "http://a/g"),
        ("/./g", "http://a/g"), ("/../g", "http://a/g"), ("g.", "http://a/b/c/g."), (".g", "http://a/b/c/.g"),
        ("g..", "http://a/b/c/g.."), ("..g", "http://a/b/c/..g"), ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"), ("g/./h", "http://a/b/c/g/h"), ("g/../h", "http://a/b/c/h"),
        ("g;x=1/./y", "http://a/b/c/g;x=1/y"), ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/./x", "http://a/b/c/g?y/./x"), ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("g#s/./x", "http://a/b/c/g#s/./x"), ("g#s/../x", "http://a/b/c/g#s/../x"), ("http:g", "http:g"),
    ]

    @Test(arguments: examples)
    func `a reference resolves as in the standard's examples`(reference: String, whole: String) throws {
        let base = try URLReference("http://a/b/c/d;p?q")
        #expect(try base.resolving(URLReference(reference)).text == whole)
    }

    @Test(arguments: [
        ("http://h", "x", "http://h/x"), ("http://h", "", "http://h"), ("http://h?q", "../x", "http://h/x"),
        ("http://h/a//b/c", "../x", "http://h/a//x"), ("http://u:p@h:81/a", "b", "http://u:p@h:81/b"),
        ("http://u:p@h/a", "//h/b", "http://h/b"), ("http://h/a?x#f", "", "http://h/a?x"),
        ("http://h/a/b", "..//c", "http://h//c"), ("a/b", "../../c", "c"),
    ])
    func `references resolve against bases without a path, with a user name and relative ones`(
        base: String, reference: String, whole: String
    ) throws {
        #expect(try URLReference(base).resolving(URLReference(reference)).text == whole)
    }

    @Test func `the parts of a URL are kept as written, but scheme and host are lower case`() throws {
        let url = try URLReference(" HTTPS://us:p%40ss@Example.COM:8443/a%2Fb;c=1/?q=1&r=a+b#Top ")
        #expect(url.scheme == "https" && url.host == "example.com" && url.port == 8443)
        #expect(url.userinfo == "us:p%40ss" && url.path == "/a%2Fb;c=1/" && url.query == "q=1&r=a+b")
        #expect(url.fragment == "Top")
        #expect(url.text == "https://us:p%40ss@example.com:8443/a%2Fb;c=1/?q=1&r=a+b#Top")
        #expect(try URLReference(url.text) == url)
    }

    @Test(arguments: [
        ("http://h/a b\"<>^`{|}c", "http://h/a%20b%22%3C%3E%5E%60%7B%7C%7Dc"),
        ("http://h/café?q=ü&x=[1]#é", "http://h/caf%C3%A9?q=%C3%BC&x=[1]#%C3%A9"), ("http://h/%zz%2", "http://h/%zz%2"),
        ("http://h/a\\b", "http://h/a%5Cb"), ("http://h:/x", "http://h/x"), ("http://[::1]:80/", "http://[::1]:80/"),
        ("http://[FE80::1]/", "http://[fe80::1]/"), ("mailto:a@b", "mailto:a@b"), ("file:///etc", "file:///etc"),
        ("//h", "//h"), ("1:2", "1:2"), ("?", "?"), ("#", "#"), ("http://h?", "http://h?"),
    ])
    func `what the standard forbids but the world writes is encoded`(text: String, encoded: String) throws {
        #expect(try URLReference(text).text == encoded)
        #expect(try URLReference(encoded).text == encoded)
    }

    @Test(arguments: [
        "http://a@b@c/", "http://h:80a/", "http://h:65536/", "http://h:99999999999999999999/", "http://a\\@b/",
        "http://[::1/", "http://[::1]x/", "http://[h]/", "http://exämple.com/", "http://h/\r\nX", "http://h\t/",
        "http://a b/", "http://a<b/",
    ])
    func `an authority that can be read in several ways, and control characters, are refused`(text: String) {
        let error = #expect(throws: HTTPClientError.self) { try URLReference(text) }
        #expect(error?.code == .badURL)
    }

    @Test func `origins compare scheme, host and port with the port of the scheme`() throws {
        let origin = try URLReference("http://Example.com/x").origin
        #expect(try URLReference("http://example.com:80/y?z").origin == origin)
        for other in ["https://example.com/", "http://example.com:81/", "http://www.example.com/"] {
            #expect(try URLReference(other).origin != origin)
        }
        #expect(try URLReference("https://h").origin?.description == "https://h:443")
        #expect(try URLReference("file:///x").origin == nil)
        #expect(try URLReference("/x").origin == nil)
    }

    @Test func `query parameters are read in order and decoded, duplicates kept`() throws {
        let url = try URLReference("http://h/?a=1&b&a=2%263&c=&d=x+y%2B&%C3%A9=%C3%BC&&e=f=g")
        #expect(
            url.queryItems == [
                QueryItem("a", "1"), QueryItem("b", nil), QueryItem("a", "2&3"), QueryItem("c", ""),
                QueryItem("d", "x y+"), QueryItem("é", "ü"), QueryItem("e", "f=g"),
            ])
        var copy = try URLReference("http://h/")
        copy.queryItems = url.queryItems
        #expect(copy.query == "a=1&b&a=2%263&c=&d=x%20y%2B&%C3%A9=%C3%BC&e=f%3Dg")
        #expect(copy.queryItems == url.queryItems)
        copy.queryItems = []
        #expect(copy.text == "http://h/")
    }

    @Test func `one query parameter is changed and the others stay as they are written`() throws {
        var url = try URLReference("http://h/x?sig=a+b%2f&page=1&page=9&z")
        url.setQueryItem("page", "2")
        #expect(url.query == "sig=a+b%2f&page=2&z")
        url.setQueryItem("new", "ä&")
        #expect(url.query == "sig=a+b%2f&page=2&z&new=%C3%A4%26")
        url.addQueryItem("page", "3")
        url.removeQueryItems(named: "sig")
        #expect(url.query == "page=2&z&new=%C3%A4%26&page=3")
        for name in ["page", "z", "new"] { url.removeQueryItems(named: name) }
        #expect(url.text == "http://h/x")
        url.addQueryItem("a", nil)
        url.appendPathSegment("b/c d")
        #expect(url.text == "http://h/x/b%2Fc%20d?a")
    }

    @Test(arguments: [
        ("http://u:p@h/x", "http://<redacted>@h/x"),
        (
            "http://h/?key=1&api-key=2&q=3&X-Amz-Signature=4&access_token=5&page_token",
            "http://h/?key=<redacted>&api-key=<redacted>&q=3&X-Amz-Signature=<redacted>&access_token=<redacted>&page_token"
        ),
        ("http://h/?keyword=shoes&monkey=1", "http://h/?keyword=shoes&monkey=1"),
    ])
    func `a printed URL shows no secret`(text: String, printed: String) throws {
        #expect(try "\(URLReference(text))" == printed)
    }
}
