import HeadraceCore

/// A place in a JSON page, for what pagination needs of it: `/data/items` (RFC 6901) or `$.data.items`.
struct JSONPagePath: Sendable, Hashable {
    private let steps: [String]
    private let text: String

    init(_ text: String) throws(HeadraceError) {
        self.text = text
        if text.hasPrefix("$") {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard parts[0] == "$",
                parts.dropFirst().allSatisfy({ !$0.isEmpty && !$0.contains { "[]*'\"".contains($0) } })
            else { throw Self.bad(text) }
            steps = Array(parts.dropFirst())
        } else {
            guard text.isEmpty || text.hasPrefix("/") else { throw Self.bad(text) }
            steps = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { part in
                Self.unescape(part)
            }
        }
    }

    private static func bad(_ text: String) -> HeadraceError {
        HeadraceError(
            .badOption, "\"\(text)\" is not a path into a page", hint: "write it like /data/items or $.data.items")
    }

    /// `~1` is a slash and `~0` a tilde, in this order.
    private static func unescape(_ part: Substring) -> String {
        guard part.contains("~") else { return String(part) }
        let pieces = part.split(separator: "~1", omittingEmptySubsequences: false)
        return pieces.map { $0.split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~") }
            .joined(separator: "/")
    }

    /// What stands at a path.
    enum Found: Sendable, Hashable {
        case absent
        case scalar(JSONValue)
        /// A container and whether it has no elements or members.
        case container(isEmpty: Bool)
    }

    /// What stands here in a page; what lies beside the path is passed over unread.
    ///
    /// - Throws: `malformedInput` when the page is not JSON as far as it is read.
    func find(in page: [UInt8]) throws(HeadraceError) -> Found {
        let result = page.withUnsafeBytes { bytes in
            Result { () throws(JSONError) in try look(bytes) }
        }
        do {
            return try result.get()
        } catch {
            throw HeadraceError(
                .malformedInput, "the page is not JSON, so \(text) cannot be found in it", underlying: error)
        }
    }

    private func look(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> Found {
        var tokenizer = JSONTokenizer(bytes)
        var token = try tokenizer.next()
        for step in steps {
            guard try Self.descend(step, token, &tokenizer) else { return .absent }
            token = try tokenizer.next()
        }
        switch token {
        case .objectStart: return .container(isEmpty: try tokenizer.next() == .objectEnd)
        case .arrayStart: return .container(isEmpty: try tokenizer.next() == .arrayEnd)
        default: return .scalar(try JSONValue(reading: token, from: &tokenizer))
        }
    }

    /// Goes to a member or element of the container just opened; false when it has none of the name.
    private static func descend(
        _ step: String, _ token: JSONToken, _ tokenizer: inout JSONTokenizer
    ) throws(JSONError) -> Bool {
        switch token {
        case .objectStart:
            while try tokenizer.next() == .key {
                if tokenizer.text == step { return true }
                _ = try tokenizer.skipValue()
            }
            return false
        case .arrayStart:
            guard let index = Int(step), index >= 0 else { return false }
            return try skipElements(index, &tokenizer)
        default: return false
        }
    }

    /// Passes `count` elements; the caller's next token is the one after. False when there are fewer.
    private static func skipElements(_ count: Int, _ tokenizer: inout JSONTokenizer) throws(JSONError) -> Bool {
        for _ in 0..<count {
            let token = try tokenizer.next()
            if token == .arrayEnd { return false }
            _ = try tokenizer.skip(token)
        }
        return true
    }
}
