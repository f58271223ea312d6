import HeadraceColumnar
import Testing

@testable import HeadraceCore

@Suite struct TextSliceTests {
    /// The slice of a text that has other bytes around it.
    private func slice(_ text: String) -> TextSlice {
        let builder = BytesBuilder(.utf8)
        builder.append("before")
        builder.append(text)
        builder.append("after")
        let column = builder.finish()
        return TextSlice(column.unsafeView.bytes(1), in: column)
    }

    @Test(
        "A slice is the text between its neighbours, empty text included",
        arguments: ["", "a", "naïve 👋", "beforeafter"])
    func text(text: String) {
        #expect(slice(text).string == text && slice(text).description == text)
        #expect(slice(text).utf8Count == text.utf8.count && slice(text).isEmpty == text.isEmpty)
        #expect(slice(text) == text && slice(text) == slice(text) && slice(text) != "other")
        #expect(slice(text).hashValue == slice(text).hashValue)
    }

    @Test("Slices are compared byte for byte: an accent of its own is another text")
    func bytes() {
        #expect("e\u{301}" == "\u{e9}")
        #expect(slice("e\u{301}") != "\u{e9}" && slice("e\u{301}") != slice("\u{e9}"))
    }

    @Test("Prefixes, suffixes and parts are found where String finds them")
    func parts() {
        let texts = ["", "a", "aa", "ab", "aab", "abaab", "aaab", "baaaab", "öabö"]
        for text in texts {
            for part in texts {
                let slice = slice(text)
                #expect(slice.hasPrefix(part) == text.hasPrefix(part), "\(text) \(part)")
                #expect(slice.hasSuffix(part) == text.hasSuffix(part), "\(text) \(part)")
                #expect(slice.contains(part) == (part.isEmpty || text.contains(part)), "\(text) \(part)")
            }
        }
    }
}
