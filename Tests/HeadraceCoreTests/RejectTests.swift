import HeadraceColumnar
import HeadraceCore
import Testing

@Suite struct RejectTests {
    private func reject(_ value: String?) -> Reject {
        Reject(rule: "r", code: "c", value: value, message: "price is not > 0", place: Place(source: "s", row: 1))
    }

    @Test(
        "A message names the value only when it is asked for",
        arguments: [
            ("€449", "\"€449\""), ("", "\"\""), ("a\n\u{1B}[2J\"", "\"a\\n\\u{1B}[2J\\\"\""),
            (String(repeating: "x", count: 60), "\"" + String(repeating: "x", count: 60) + "\""),
            (String(repeating: "ä", count: 61), "\"" + String(repeating: "ä", count: 60) + "…\""),
        ])
    func messages(value: String, quoted: String) {
        #expect(reject(value).message == "price is not > 0")
        #expect(reject(value).messageWithValue == "price is not > 0 (found \(quoted))")
    }

    @Test("Without a value there is only the message")
    func noValue() {
        #expect(reject(nil).messageWithValue == "price is not > 0")
    }
}
