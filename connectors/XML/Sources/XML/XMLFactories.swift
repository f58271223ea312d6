public import HeadraceColumnar
public import HeadraceCore
public import HeadraceFiles

extension Source where Self == FormatSource<LocalFiles, XMLFormat> {
    /// Rows of the XML file at `path`, or of all files that match it as a pattern, in byte order of their names.
    ///
    /// Compressed files are recognised by their contents.
    /// - Parameters:
    ///   - rows: the elements that are rows, such as `/catalog/item`; nil looks for an element that is repeated.
    ///   - schema: names, types and nullability; a field's metadata `path` says where it stands in a row, without it
    ///     the field is the child element of its name. Nil infers the fields from the first file.
    ///   - options: everything else; `rows` wins over the option of that name.
    public static func xml(
        at path: String, rows: String? = nil, schema: Schema? = nil, options: XMLOptions = XMLOptions()
    ) -> FormatSource<LocalFiles, XMLFormat> {
        var options = options
        if let rows { options.rows = rows }
        return FormatSource(LocalFiles(at: path), XMLFormat(options), codecs: StandardCodecs.all, declared: schema)
    }
}
