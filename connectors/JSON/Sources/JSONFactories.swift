public import HeadraceColumnar
public import HeadraceCore
public import HeadraceFiles

extension Source where Self == FormatSource<LocalFiles, JSONFormat> {
    /// Rows of local JSON files: an array of records, records inside a document, lines, or documents.
    ///
    /// - Parameters:
    ///   - path: a file, or a pattern for several in name order; compressed files are recognised by content.
    ///   - rows: the way to the records in each document, such as `/data/items`.
    ///   - schema: the columns; nil infers them from the first file.
    ///   - format: everything else; `rows` here wins over the format's.
    public static func json(
        at path: String, rows: String? = nil, schema: Schema? = nil, format: JSONFormat = JSONFormat()
    ) -> Self {
        var format = format
        if let rows { format.rows = rows }
        return FormatSource(LocalFiles(at: path), format, codecs: StandardCodecs.all, declared: schema)
    }

    /// Rows of local files with one JSON value a line.
    ///
    /// - Parameters:
    ///   - path: a file, or a pattern for several in name order; compressed files are recognised by content.
    ///   - schema: the columns; nil infers them from the first file.
    ///   - format: everything else; its layout is taken to be lines.
    public static func ndjson(at path: String, schema: Schema? = nil, format: JSONFormat = JSONFormat()) -> Self {
        var format = format
        format.layout = .lines
        return json(at: path, schema: schema, format: format)
    }
}

extension Sink where Self == FormatSink<AtomicFile, JSONArrayEncoder> {
    /// A local file with one array of objects, written whole or not at all; compressed as its name says (`x.json.gz`).
    public static func json(at path: String, encoder: JSONArrayEncoder = JSONArrayEncoder()) -> Self {
        FormatSink(AtomicFile(at: path), encoder, codec: StandardCodecs.splitting(path).codec)
    }
}

extension Sink where Self == FormatSink<AtomicFile, NDJSONEncoder> {
    /// A local file with one object a line, written whole or not at all; compressed as its name says (`x.ndjson.gz`).
    public static func ndjson(at path: String, encoder: NDJSONEncoder = NDJSONEncoder()) -> Self {
        FormatSink(AtomicFile(at: path), encoder, codec: StandardCodecs.splitting(path).codec)
    }
}
