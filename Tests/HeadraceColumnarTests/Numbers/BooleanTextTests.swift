import HeadraceColumnar
import Testing

@Suite("Booleans as text")
struct BooleanTextTests {
    @Test("Only the two lower-case words are booleans")
    func standard() {
        func parse(_ text: String) -> Parsed<Bool> { withCell(text) { BooleanText.parse($0, count: $1) } }
        #expect(parse("true") == Parsed(true))
        #expect(parse("false") == Parsed(false))
        #expect(parse("") == Parsed(false, .empty))
        for text in ["True", "TRUE", "truf", "tru", "falsy", "falses", "1", "0", "t", " true", "true\u{0}"] {
            #expect(parse(text) == Parsed(false, .malformed), "\(text)")
            #expect(withCell(text) { BooleanWords.standard.parse($0, count: $1) } == Parsed(false, .malformed))
        }
        #expect(withCell("true") { BooleanWords.standard.parse($0, count: $1) } == Parsed(true))
    }

    @Test("Named words are matched with or without regard to case")
    func words() {
        let exact = BooleanWords(true: ["yes", "1", "ÄJA"], false: ["no", "0", ""])
        let relaxed = BooleanWords(true: ["Yes", "J"], false: ["No", "N"], ignoringCase: true)
        func parse(_ text: String, _ words: BooleanWords) -> Parsed<Bool> {
            withCell(text) { words.parse($0, count: $1) }
        }
        #expect(parse("yes", exact) == Parsed(true))
        #expect(parse("ÄJA", exact) == Parsed(true))
        #expect(parse("0", exact) == Parsed(false))
        #expect(parse("", exact) == Parsed(false))
        #expect(parse("YES", exact) == Parsed(false, .malformed))
        #expect(parse("true", exact) == Parsed(false, .malformed))
        #expect(parse("yES", relaxed) == Parsed(true))
        #expect(parse("n", relaxed) == Parsed(false))
        #expect(parse("", relaxed) == Parsed(false, .empty))
        #expect(parse("*", BooleanWords(true: ["J"], false: ["\u{0A}"], ignoringCase: true)).problem == .malformed)
    }

    @Test("Booleans are written as their words")
    func format() {
        #expect(formatted(capacity: BooleanText.capacity) { BooleanText.format(true, into: $0) } == "true")
        #expect(formatted(capacity: BooleanText.capacity) { BooleanText.format(false, into: $0) } == "false")
    }
}
