import Testing

@testable import HeadraceHTTPClient

@Suite struct RedirectStepTests {
    private func step(_ from: String, to location: String, allow: Bool = false) throws -> HTTPRequest? {
        var request = HTTPRequest("GET", try URLReference(from), headers: ["Authorization": "s", "Accept": "a"])
        request.redirects.allowsDowngrade = allow
        let step = try RedirectStep.after(request, status: 302, headers: ["Location": location], followed: 0)
        guard case .follow(let next) = step else { return nil }
        return next
    }

    @Test(arguments: [
        ("http://h/a", "https://h/b", true), ("http://h/a", "http://h:80/b", true), ("https://h/a", "//h:443/b", true),
        ("https://H/a", "https://h/b", true), ("http://h/a", "http://h:8080/b", false),
        ("https://h/a", "https://h:8443/b", false), ("http://h:8080/a", "https://h/b", false),
        ("https://h/a", "https://sub.h/b", false), ("https://h/a", "https://h./b", false),
        ("https://a.h/", "https://b.h/", false), ("http://127.0.0.1/", "http://localhost/", false),
    ])
    func `credentials stay with an origin and its own https`(from: String, to: String, stay: Bool) throws {
        let next = try #require(try step(from, to: to))
        #expect(next.headers["Authorization"] == (stay ? "s" : nil))
        #expect(next.headers["Accept"] == "a")
    }

    @Test func `https leads to http only where that is allowed, and then without credentials`() throws {
        let error = #expect(throws: HTTPClientError.self) { try step("https://h/", to: "http://h/") }
        #expect(error?.code == .badRedirect)
        #expect(try step("https://h/", to: "http://h/", allow: true)?.headers["Authorization"] == nil)
    }
}
