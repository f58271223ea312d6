import HeadraceColumnar
public import HeadraceCore

/// A field's name and where its value stands in a record.
public struct FieldPath: Sendable, Hashable {
    /// The name of the column.
    public let name: String
    /// For XML a path as `XMLPath` reads it, for HTML an XPath expression; relative to the record.
    public let path: String

    /// A field at `path`, which is not looked at before a document is opened.
    public init(_ name: String, path: String) {
        self.name = name
        self.path = path
    }

    /// The key of a field's metadata under which its path stands.
    static let metadataKey = "path"

    /// Reads `name:path,name:path`; a name alone is its own path, an `@` in front left out of the name.
    ///
    /// Commas and colons inside brackets, parentheses and quotes belong to the path.
    /// - Throws: `badOption` for empty names and paths and for names given twice.
    public static func list(_ text: String) throws(HeadraceError) -> [FieldPath] {
        var fields: [FieldPath] = []
        for item in split(text) {
            let colon = item.firstIndex(of: ":")
            var name = trimmed(colon.map { item[..<$0] } ?? item[...])
            var path = trimmed(colon.map { item[item.index(after: $0)...] } ?? item[...])
            if colon == nil, path.hasPrefix("@") { name = String(path.dropFirst()) }
            // `div::a` is an axis of XPath without a name in front.
            if path.hasPrefix(":") { (name, path) = (trimmed(item[...]), trimmed(item[...])) }
            guard !name.isEmpty, !path.isEmpty else {
                throw HeadraceError(
                    .badOption, "the option fields has \"\(item)\" where a name and a path are expected",
                    hint: "write fields=name:path,name:path, such as fields=id:@id,price:offer/price")
            }
            guard !fields.contains(where: { $0.name == name }) else {
                throw HeadraceError(.badOption, "the option fields names \"\(name)\" twice")
            }
            fields.append(FieldPath(name, path: path))
        }
        return fields
    }

    private static func trimmed(_ text: Substring) -> String {
        let front = text.drop { $0 == " " }
        return String(front.reversed().drop { $0 == " " }.reversed())
    }

    /// Cuts at commas that stand outside of brackets, parentheses and quotes.
    private static func split(_ text: String) -> [String] {
        var items: [String] = [""]
        var depth = 0
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "'" || character == "\"" {
                quote = character
            } else if character == "[" || character == "(" {
                depth += 1
            } else if character == "]" || character == ")" {
                depth -= 1
            } else if character == ",", depth <= 0 {
                items.append("")
                continue
            }
            items[items.count - 1].append(character)
        }
        return items
    }

    /// The path of each field of a schema: from `fields`, else from the field's metadata, else its name.
    static func paths(of schema: Schema, given fields: [FieldPath]) -> [FieldPath] {
        schema.fields.map { field in
            fields.first { $0.name == field.name }
                ?? FieldPath(field.name, path: field.metadata[metadataKey] ?? field.name)
        }
    }
}
