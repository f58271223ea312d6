/// Where data lies, as written on a command line: `prices.csv?delimiter=;`, `sqlite:w.db?table=t`, `https://host/x.json`.
///
/// - `scheme` is empty for local paths, `file:` URLs and `-` (standard input or output).
/// - For local files and `name:` schemes the query holds our options. For `http` and `https` the whole query belongs to
///   the server and our options stand in the fragment. For other `//` schemes (databases, object stores) every query
///   item is offered as an option; the connector takes what is its own and hands the rest to its driver.
public struct Location: Sendable, Hashable {
    /// Lower case, without the colon; empty for a local path.
    public let scheme: String
    /// What follows the scheme, without our options: a path, a pattern, or `//authority/path`.
    public let address: String
    /// Decoded options in the order written.
    public var options: [Option]

    /// One `name=value` of a location, with percent-encoding undone.
    public struct Option: Sendable, Hashable {
        /// Case matters. A location may hold a name more than once.
        public let name: String
        /// Empty when the option was written without `=`.
        public let value: String
        /// An option from plain text, in which `%` means itself.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A location from parts that are told apart already; `init(_:fileExists:)` reads one from text.
    public init(scheme: String, address: String, options: [Option] = []) {
        self.scheme = scheme
        self.address = address
        self.options = options
    }

    /// Standard input as a source, standard output as a sink.
    public var isStandardStream: Bool { scheme.isEmpty && address == "-" }

    /// The last value given for an option.
    public subscript(option: String) -> String? { options.last { $0.name == option }?.value }

    /// The location with an option added or replaced.
    public func setting(_ name: String, to value: String) -> Location {
        var copy = self
        copy.options.removeAll { $0.name == name }
        copy.options.append(Option(name, value))
        return copy
    }

    /// Reads a location from text.
    ///
    /// - Parameter fileExists: asked for local text that holds a `?`: a file whose whole name exists wins over its query.
    /// - Throws: `badLocation` for empty text and for broken percent-encoding in options.
    public init(_ text: String, fileExists: (String) -> Bool) throws(HeadraceError) {
        guard !text.isEmpty else {
            throw HeadraceError(
                .badLocation, "a location is empty", hint: "name a file, '-', or a URL such as sqlite:w.db?table=t")
        }
        let (scheme, rest) = Self.splitScheme(text)
        switch scheme {
        case "":
            if fileExists(text) {
                self.init(scheme: "", address: text)
                return
            }
            let (path, query) = Self.split(rest, at: "?")
            self.init(scheme: "", address: path, options: try Self.options(query, of: text))
        case "file":
            let (path, query) = Self.split(rest, at: "?")
            let plain = path.hasPrefix("//") ? String(path.dropFirst(2)) : path
            guard let decoded = Self.percentDecode(plain, plusIsSpace: false) else { throw Self.badEncoding(plain) }
            self.init(scheme: "", address: decoded, options: try Self.options(query, of: text))
        case "http", "https":
            let (url, fragment) = Self.split(rest, at: "#")
            self.init(scheme: scheme, address: url, options: try Self.options(fragment, of: text))
        default:
            let (path, query) = Self.split(rest, at: "?")
            self.init(scheme: scheme, address: path, options: try Self.options(query, of: text))
        }
    }

    /// A scheme is two or more letters, digits, `+`, `-` or `.` before a colon, so that `C:` and `a:b` stay what they are.
    static func splitScheme(_ text: String) -> (String, String) {
        guard let colon = text.firstIndex(of: ":") else { return ("", text) }
        let name = text[..<colon]
        let isScheme =
            name.utf8.count >= 2 && name.first?.isLetter == true
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "+")
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            }
        guard isScheme else { return ("", text) }
        return (name.lowercased(), String(text[text.index(after: colon)...]))
    }

    static func split(_ text: String, at separator: Character) -> (String, String) {
        guard let index = text.firstIndex(of: separator) else { return (text, "") }
        return (String(text[..<index]), String(text[text.index(after: index)...]))
    }

    private static func options(_ query: String, of text: String) throws(HeadraceError) -> [Option] {
        var options: [Option] = []
        for item in query.split(separator: "&", omittingEmptySubsequences: true) {
            let (name, value) = split(String(item), at: "=")
            guard let decodedName = percentDecode(name, plusIsSpace: false),
                let decoded = percentDecode(value, plusIsSpace: false)
            else { throw badEncoding(String(item)) }
            options.append(Option(decodedName, decoded))
        }
        return options
    }

    private static func badEncoding(_ part: String) -> HeadraceError {
        HeadraceError(
            .badLocation, "\"\(part)\" is not percent-encoded text", hint: "write a literal '%' as %25")
    }

    /// `%41` becomes `A`; nil when a `%` is not followed by two hex digits or the bytes are not UTF-8.
    public static func percentDecode(_ text: String, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = iterator.next().flatMap(hexValue), let low = iterator.next().flatMap(hexValue) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
