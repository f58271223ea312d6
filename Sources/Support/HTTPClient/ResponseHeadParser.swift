/// Makes the head of an answer from the lines that libcurl hands on: provisional answers are skipped, trailers after the
/// head are ignored.
struct ResponseHeadParser {
    struct Head: Sendable {
        var version: String
        var status: Int
        var reason: String
        var headers = HTTPHeaders()
    }

    static let maxByteCount = 256 << 10

    private var head: Head?
    private var byteCount = 0
    private(set) var isComplete = false

    /// Takes a line with its line end; returns the head when the line was its last.
    mutating func accept(_ line: UnsafeRawBufferPointer) throws(HTTPClientError) -> Head? {
        guard !isComplete else { return nil }
        byteCount += line.count
        guard byteCount <= Self.maxByteCount else {
            throw HTTPClientError(
                .malformedResponse, "the head of the response is larger than \(Self.maxByteCount) bytes")
        }
        var rest = line[...]
        while let last = rest.last, last == 0x0A || last == 0x0D { rest.removeLast() }
        guard !rest.isEmpty else { return try finish() }
        let text = Self.text(UnsafeRawBufferPointer(rebasing: rest))
        if head == nil || text.hasPrefix("HTTP/") {
            head = try Self.statusLine(text)
        } else if rest.first == 0x20 || rest.first == 0x09 {
            head?.headers.continueLast(with: text)
        } else {
            guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else {
                throw HTTPClientError(.malformedResponse, "the response has a header line without a colon")
            }
            head?.headers.add(String(text[..<colon]), String(text[text.utf8.index(after: colon)...]))
        }
        return nil
    }

    private mutating func finish() throws(HTTPClientError) -> Head? {
        guard let head else { throw HTTPClientError(.malformedResponse, "the response begins with an empty line") }
        if (100..<200).contains(head.status), head.status != 101 {
            self.head = nil
            return nil
        }
        isComplete = true
        return head
    }

    private static func statusLine(_ text: String) throws(HTTPClientError) -> Head {
        let parts = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/"), parts[1].utf8.count == 3, let status = Int(parts[1]),
            (100..<1000).contains(status)
        else {
            throw HTTPClientError(.malformedResponse, "the response does not begin with a status line")
        }
        return Head(
            version: String(parts[0]), status: status,
            reason: parts.count == 3 ? String(parts[2]).trimmingBlanks : "")
    }

    /// Header bytes are UTF-8 where they can be, else Latin-1, as older servers send them.
    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        var rest = self[...]
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}
