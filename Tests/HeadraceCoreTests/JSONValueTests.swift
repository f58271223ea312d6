import HeadraceCore
import Testing

@Suite struct JSONValueTests {
    @Test func `members keep their order, and the last of a name is found`() throws {
        let value = try JSONValue.parse(#"{"b":1,"a":{"x":[10,"é"]},"b":2}"#)
        #expect(value["b"] == 2)
        #expect(value["a"]?["x"]?[1]?.stringValue == "é")
        #expect(value["a"]?["x"]?[2] == nil)
        #expect(value["c"] == nil)
        #expect(value.objectValue?.names == ["b", "a", "b"])
        #expect(value.compactText == #"{"b":1,"a":{"x":[10,"é"]},"b":2}"#)
        #expect(value.sorted.compactText == #"{"a":{"x":[10,"é"]},"b":2}"#)
    }

    @Test func `numbers keep their digits`() throws {
        let text = "[0,-0,0.10,1E400,1e-400,123456789012345678901234567890,-1.0e+07]"
        let value = try JSONValue.parse(text)
        #expect(value.compactText == text)
        #expect(value[0]?.integerValue == 0)
        #expect(value[2]?.integerValue == nil)
        #expect(value[2]?.doubleValue == 0.1)
        #expect(value[3]?.doubleValue == .infinity)
        #expect(value[5]?.integerValue == nil)
        #expect(value[5]?.numberValue?.integer(as: Int128.self) == 123_456_789_012_345_678_901_234_567_890)
        for wrong in ["", "01", "1.", "+1", " 1", "1 ", "0x1", "NaN", "1e", "-", "\u{FEFF}1", "true"] {
            #expect(JSONNumber(wrong) == nil)
        }
    }

    @Test func `lenient non-finite numbers become doubles`() throws {
        let value = try JSONValue.parse("[NaN,Infinity,-Infinity]", options: .init(allowsNonFiniteNumbers: true))
        #expect(value[0]?.doubleValue?.isNaN == true)
        #expect(value[1]?.doubleValue == .infinity)
        #expect(value[2]?.doubleValue == -.infinity)
    }

    @Test func `pretty text is stable`() {
        let value: JSONValue = ["name": "x\n", "list": [1, 2.5, true, .null], "none": [], "inner": ["a": .object([])]]
        #expect(
            value.prettyText == """
                {
                  "name": "x\\n",
                  "list": [
                    1,
                    2.5,
                    true,
                    null
                  ],
                  "none": [],
                  "inner": {
                    "a": {}
                  }
                }
                """)
        #expect(value.description == #"{"name":"x\n","list":[1,2.5,true,null],"none":[],"inner":{"a":{}}}"#)
    }

    @Test func `members are set, replaced in place and removed`() {
        var value = JSONValue.null
        value["a"] = 1
        value["b"] = ["c": false]
        value["a"] = "new"
        value["b"]?["d"] = .integer(UInt64.max)
        #expect(value.compactText == #"{"a":"new","b":{"c":false,"d":18446744073709551615}}"#)
        value["b"] = nil
        #expect(value.compactText == #"{"a":"new"}"#)
        #expect(JSONValue.double(.nan) == .null)
    }

    @Test func `random values survive writing and reading`() throws {
        var random = JSONSeededGenerator(42)
        for _ in 0..<1000 {
            let value = JSONValue.random(depth: 4, using: &random)
            #expect(try JSONValue.parse(value.compactText) == value)
            #expect(try JSONValue.parse(value.prettyText) == value)
            #expect(try JSONValue.parse(value.compactBytes).hashValue == value.hashValue)
        }
    }

    @Test func `a tree is never deeper than its walkers bear`() {
        let options = JSONReadingOptions(maximumDepth: 1_000_000)
        let text = String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000)
        #expect(throws: JSONError.self) { try JSONValue.parse(text, options: options) }
        let allowed = String(repeating: "[", count: 1024) + String(repeating: "]", count: 1024)
        #expect(throws: Never.self) { try JSONValue.parse(allowed, options: options) }
    }

    @Test func `an error inside a stream is placed in the stream`() throws {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse("{\n\"a\":x}") }
        let placed = try #require(error).inStream(offset: 100, line: 7)
        #expect(placed.offset == 106)
        #expect(placed.line == 8)
        #expect(placed.column == 5)
        #expect(error?.inStream(offset: 0, line: 1) == error)
    }
}
