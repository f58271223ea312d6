import HeadraceCore

/// Finds the arrays of objects in a document of which only the start is there.
enum InnerRows {
    /// Ways to at most four arrays of objects, as pointers, in the order they are met.
    static func find(_ bytes: UnsafeRawBufferPointer, options: JSONReadingOptions) -> [String] {
        var tokenizer = JSONTokenizer(bytes, options: options)
        var found: [String] = []
        var names: [String] = []
        do {
            guard try tokenizer.next() == .objectStart else { return [] }
            while found.count < 4 {
                switch try tokenizer.next() {
                case .key:
                    let name = tokenizer.text
                    let token = try tokenizer.next()
                    if token == .objectStart, names.count < 4 {
                        names.append(name)
                    } else if token == .arrayStart, try tokenizer.next() == .objectStart {
                        found.append(DecodingPlan.pointer(names + [name]))
                        try close(&tokenizer, names.count + 1)
                    } else if token == .arrayStart {
                        try close(&tokenizer, names.count + 1)
                    } else {
                        _ = try tokenizer.skip(token)
                    }
                case .objectEnd:
                    if names.isEmpty { return found }
                    names.removeLast()
                default: return found
                }
            }
        } catch {
            // The sample's end.
            return found
        }
        return found
    }

    /// Leaves what is open beyond `depth` containers.
    private static func close(_ tokenizer: inout JSONTokenizer, _ depth: Int) throws {
        while tokenizer.depth > depth { _ = try tokenizer.next() }
    }
}
