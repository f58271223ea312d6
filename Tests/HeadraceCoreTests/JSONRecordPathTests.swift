import Foundation
import HeadraceCore
import Testing

@Suite struct JSONRecordPathTests {
    @Test(arguments: [
        ("items", "a record path begins with '/' or '$'", 0), ("/a~2", "'~' is followed by 0 or 1", 3),
        ("/a~", "'~' is followed by 0 or 1", 3),
        ("$..a", "descendants ('..') are not supported: name the way to the records", 2),
        ("$[1:2]", "slices are not supported", 3), ("$[:2]", "slices are not supported", 2),
        ("$[-1]", "an index from the end is not supported: the end of a stream is not known", 2),
        ("$[?@.a]", "filters are not supported: filter the rows instead", 2),
        ("$[0,1]", "only one selector in '[…]' is supported, then ']'", 3),
        ("$[01]", "an index is a number up to 2^53 - 1 without leading zeros", 4),
        ("$['a", "a name has no closing quote", 4), ("$.", "a name or '*' follows '.'", 2),
        ("$ ", "white space follows the path", 2), ("$a", "a segment begins with '.' or '['", 1),
    ])
    func `a path that cannot be read is refused with the place`(path: String, message: String, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONRecordPath(path) }
        #expect(error?.code == .invalidRecordPath)
        #expect(error?.message == message)
        #expect(error?.offset == offset)
    }

    @Test func `the document itself has three spellings`() throws {
        for text in ["", "/", "$"] {
            #expect(JSONCutResult("[1,2]", .records(at: try JSONRecordPath(text))).texts == ["1", "2"])
        }
    }

    @Test func `a name and an index are told apart by what they meet`() throws {
        let path = try JSONRecordPath("/0")
        #expect(JSONCutResult(#"{"0":[1],"00":[2]}"#, .records(at: path)).texts == ["1"])
        #expect(JSONCutResult(#"[[1],[2]]"#, .records(at: path)).texts == ["1"])
        #expect(JSONCutResult(#"[[1],[2]]"#, .records(at: try JSONRecordPath("/00"))).texts.isEmpty)
        #expect(JSONCutResult(#"[[1],[2]]"#, .records(at: try JSONRecordPath("$['0']"))).texts.isEmpty)
        #expect(JSONCutResult(#"{"0":[1]}"#, .records(at: try JSONRecordPath("$[0]"))).texts.isEmpty)
    }

    @Test func `the JSONPath compliance suite: what is understood is right, what is invalid is refused`() throws {
        guard let folder = try JSONSuites.folder("jsonpath") else { return }
        let file = [UInt8](try Data(contentsOf: folder.appendingPathComponent("cts.json")))
        var understood = 0
        for test in try #require(try JSONValue.parse(file)["tests"]?.arrayValue) {
            let name = test["name"]?.stringValue ?? ""
            let selector = try #require(test["selector"]?.stringValue)
            let path = try? JSONRecordPath(nodesOf: selector)
            if test["invalid_selector"] == true {
                #expect(path == nil, "\(name): \(selector)")
                continue
            }
            guard let path else { continue }
            understood += 1
            let document = try #require(test["document"])
            for text in [document.compactText, document.prettyText] {
                let cut = JSONCutResult(text, .records(at: path))
                #expect(cut.error == nil || cut.error?.code == .recordPathNotFound, "\(name)")
                let nodes = JSONValue.array(try cut.texts.map { try JSONValue.parse($0) })
                let allowed = test["results"]?.arrayValue ?? [test["result"] ?? .null]
                #expect(allowed.contains(nodes), "\(name): \(selector) gave \(nodes)")
            }
        }
        #expect(understood == 79)
    }
}
