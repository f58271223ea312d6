extension JSONTokenizer {
    /// Whether a text is one JSON document, by all the rules of the tokenizer, and nothing else.
    package static func isDocument(_ text: UnsafeRawBufferPointer) -> Bool {
        var tokenizer = JSONTokenizer(text)
        do {
            while try tokenizer.next() != .end {}
            return true
        } catch {
            return false
        }
    }
}
