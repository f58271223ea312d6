/// A parameter of a query: name and value, decoded.
public struct QueryItem: Sendable, Hashable {
    /// The name.
    public var name: String
    /// The value; `nil` where no equals sign follows the name.
    public var value: String?

    /// A parameter of a name and perhaps a value, both as they are meant, not encoded.
    public init(_ name: String, _ value: String?) {
        self.name = name
        self.value = value
    }
}

extension URLReference {
    /// The parameters of the query in order, duplicates included, decoded: `%XX` to UTF-8 and, as forms write it, `+` to
    /// a blank. Setting them encodes all but unreserved characters; an empty list leaves no query.
    public var queryItems: [QueryItem] {
        get {
            guard let query, !query.isEmpty else { return [] }
            return query.split(separator: "&", omittingEmptySubsequences: true).map { item in
                let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return QueryItem(Self.decodeForm(parts[0]), parts.count == 2 ? Self.decodeForm(parts[1]) : nil)
            }
        }
        set {
            query = newValue.isEmpty ? nil : newValue.map(Self.encode).joined(separator: "&")
        }
    }

    /// Adds a parameter at the end, leaving the others exactly as they are written.
    public mutating func addQueryItem(_ name: String, _ value: String?) {
        let item = Self.encode(QueryItem(name, value))
        guard let query, !query.isEmpty else {
            query = item
            return
        }
        self.query = query + "&" + item
    }

    /// Gives the parameter of a name one value, where its first occurrence stands, or at the end; further occurrences
    /// go, the others stay exactly as they are written.
    public mutating func setQueryItem(_ name: String, _ value: String?) {
        let replacement = Self.encode(QueryItem(name, value))
        var isPlaced = false
        var items: [String] = []
        for item in (query ?? "").split(separator: "&", omittingEmptySubsequences: true) {
            guard Self.decodeForm(item.prefix { $0 != "=" }) == name else {
                items.append(String(item))
                continue
            }
            if !isPlaced { items.append(replacement) }
            isPlaced = true
        }
        if !isPlaced { items.append(replacement) }
        query = items.joined(separator: "&")
    }

    /// Takes all parameters of a name out, leaving the others exactly as they are written; `nil` when none is left.
    public mutating func removeQueryItems(named name: String) {
        let items = (query ?? "").split(separator: "&").filter { Self.decodeForm($0.prefix { $0 != "=" }) != name }
        query = items.isEmpty ? nil : items.joined(separator: "&")
    }

    /// Adds one segment to the path, with one slash between; a slash inside the segment is encoded.
    public mutating func appendPathSegment(_ segment: String) {
        if !path.hasSuffix("/") { path += "/" }
        path += PercentEncoding.encode(segment)
    }

    private static func encode(_ item: QueryItem) -> String {
        let name = PercentEncoding.encode(item.name)
        guard let value = item.value else { return name }
        return name + "=" + PercentEncoding.encode(value)
    }

    private static func decodeForm(_ text: some StringProtocol) -> String {
        PercentEncoding.decode(String(decoding: text.utf8.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }, as: UTF8.self))
    }
}
