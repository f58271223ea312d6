public import HeadraceColumnar
public import HeadraceCore

/// HTML, read page by page: rows and fields by XPath.
///
/// The encoding is what an option says, else the server, else a byte order mark or the page's `meta`. A page is parsed whole,
/// up to 16 MiB, as forgivingly as a browser does. Text is taken as shown: runs of white space are one space. A field whose
/// expression leads nowhere is null; an empty cell is the empty text, and null for types other than text.
public struct HTMLFormat: Format {
    /// What readers are told.
    public let options: HTMLOptions
    let limits = MarkupLimits()

    /// HTML read as `options` say; expressions are looked at when a page is opened.
    public init(_ options: HTMLOptions = HTMLOptions()) { self.options = options }

    public let name = "html"
    public var sampleSize: Int { limits.maximumPageBytes }

    public func describe(_ sample: ByteSample) throws -> FormatDescription {
        let document = try sample.bytes.withUnsafeBytes {
            try HTMLDocument($0, contentType: sample.object.contentType, encoding: options.encoding)
        }
        let rows = try XPathExpression(options.rows)
        let nodes = rows.nodes(in: document)
        let paths = try options.fields ?? HTMLSurvey.cells(of: nodes, in: document)
        let fields = try HTMLSurvey.fields(paths, nodes, document, options)
        guard let schema = Schema(unique: fields) else {
            throw HeadraceError(
                .schemaMismatch, "two columns of the table have one name", hint: "name them by fields=name:path,…")
        }
        return FormatDescription(
            format: "html", schema: schema, dialect: [("rows", options.rows)], encoding: document.encoding,
            confidence: nodes.isEmpty ? 0 : 1, notes: nodes.isEmpty ? ["no element of the page is a row"] : [])
    }

    public func openReader(
        _ input: FormatInput, for schema: Schema, from start: JSONValue?, in context: RunContext
    ) throws -> HTMLFormatReader {
        try HTMLFormatReader(input, for: schema, from: start, options: options, limits: limits, in: context)
    }
}

/// Finds the fields of table rows.
enum HTMLSurvey {
    /// The cells of the rows, under the names of the table's header where it has one.
    static func cells(of rows: [OpaqueNode], in document: HTMLDocument) throws -> [FieldPath] {
        let count = try XPathExpression("count(td|th)")
        let most = rows.prefix(100).compactMap { count.text(in: document, at: $0).flatMap { Double($0) } }.max() ?? 0
        var names: [String] = []
        return try (0..<Int(most)).map { index in
            let header = try XPathExpression("ancestor::table[1]//tr[th][1]/th[\(index + 1)]")
            let text = rows.first.flatMap { header.text(in: document, at: $0) } ?? ""
            var name = slug(text)
            if name.isEmpty || names.contains(name) { name = "column_\(index + 1)" }
            names.append(name)
            return FieldPath(name, path: "td[\(index + 1)]")
        }
    }

    private static func slug(_ text: String) -> String {
        let words = text.lowercased().split { !($0.isLetter || $0.isNumber) }
        return words.joined(separator: "_")
    }

    static func fields(
        _ paths: [FieldPath], _ rows: [OpaqueNode], _ document: HTMLDocument, _ options: HTMLOptions
    ) throws -> [Field] {
        try paths.map { path in
            let expression = try XPathExpression(path.path)
            var guess = TypeGuess()
            if options.infersTypes {
                for row in rows {
                    guard var text = expression.text(in: document, at: row), !text.isEmpty,
                        !options.nulls.contains(text)
                    else {
                        continue
                    }
                    text.withUTF8 { bytes in
                        if let base = bytes.baseAddress { guess.see(base, bytes.count) }
                    }
                }
            }
            return Field(
                path.name, options.infersTypes ? guess.type : .utf8, metadata: [FieldPath.metadataKey: path.path])
        }
    }
}
