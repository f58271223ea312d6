public import HeadraceColumnar
public import HeadraceCore

/// XML, read as a stream: rows are elements at a path, fields are elements and attributes below them.
///
/// Nothing but the document itself is read: no network, no external entities, no external definitions. An empty element
/// is the empty text, a missing one and one with `xsi:nil` are null; of types other than text, empty is null too.
/// Text that is not well-formed ends the stream with an error, after the rows before it.
public struct XMLFormat: Format {
    /// What readers are told.
    public let options: XMLOptions
    var limits: MarkupLimits

    /// XML read as `options` say; paths are looked at when a document is opened.
    public init(_ options: XMLOptions = XMLOptions()) {
        self.options = options
        limits = MarkupLimits(maximumRecordBytes: options.recordLimit)
    }

    public let name = "xml"
    public let sampleSize = 1 << 20

    public func describe(_ sample: ByteSample) throws -> FormatDescription {
        do {
            return try XMLSurvey(options: options, limits: limits).describe(sample)
        } catch let error as HeadraceError where error.trail.isEmpty {
            throw error.at(sample.object.name)
        }
    }

    public func openReader(
        _ input: FormatInput, for schema: Schema, from start: JSONValue?, in context: RunContext
    ) throws -> XMLFormatReader {
        try XMLFormatReader(input, for: schema, from: start, options: options, limits: limits, in: context)
    }
}
