import HeadraceHTTPClient
import Testing

@Suite struct HTTPHeadersTests {
    @Test func `setting a name replaces its first field, drops the others and leaves the order`() {
        var headers: HTTPHeaders = ["A": "1", "b": "2", "a": "3", "C": "4"]
        headers["a"] = " 5\t"
        #expect(headers.fields.map { "\($0.name)=\($0.value)" } == ["a=5", "b=2", "C=4"])
        headers["B"] = nil
        headers["D"] = "6"
        headers.add("d", "7")
        #expect(headers.fields.map(\.value) == ["5", "4", "6", "7"])
        #expect(headers["D"] == "6" && headers["x"] == nil && headers.values("d") == ["6", "7"])
    }

    @Test func `names are the same in either case of ASCII letters only`() {
        let headers: HTTPHeaders = ["ETag": "1", "K\u{212A}": "2"]
        #expect(headers["etag"] == "1" && headers["ETAG"] == "1")
        #expect(headers["kk"] == nil)
        #expect(headers["E`ag"] == nil)
    }

    @Test func `a list field is split at commas outside quotes, over all its fields`() {
        let headers: HTTPHeaders = ["Link": "<a,b>; t=\"x, \\\"y\\\",\" , c", "link": "d,, e"]
        #expect(headers.list("LINK") == ["<a", "b>; t=\"x, \\\"y\\\",\"", "c", "d", "e"])
    }
}
