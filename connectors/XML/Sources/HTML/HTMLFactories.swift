public import HeadraceColumnar
public import HeadraceCore
public import HeadraceFiles

extension Source where Self == FormatSource<LocalFiles, HTMLFormat> {
    /// Rows of the HTML page at `path`, or of all pages that match it as a pattern, in byte order of their names.
    /// - Parameters:
    ///   - rows: an XPath expression for the elements that are rows.
    ///   - schema: names and types; a field's metadata `path` is its XPath relative to the row. Nil takes a table's cells.
    public static func html(
        at path: String, rows: String, schema: Schema? = nil
    ) -> FormatSource<LocalFiles, HTMLFormat> {
        FormatSource(
            LocalFiles(at: path), HTMLFormat(HTMLOptions(rows: rows)), codecs: StandardCodecs.all, declared: schema)
    }
}
