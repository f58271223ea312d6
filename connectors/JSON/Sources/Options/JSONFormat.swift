public import HeadraceColumnar
public import HeadraceCore

/// Rows in JSON: lines, arrays, records inside a document, documents one after the other.
///
/// Members become columns by name; what they hold becomes the column's type exactly or the row a reject. Reading
/// streams: an object may be of any size, a record has at most ``maximumRecordBytes``.
public struct JSONFormat: Format {
    /// `json`, for lines too.
    public let name = "json"
    /// How records lie in the object; nil looks at its start.
    public var layout: JSONLayout?
    /// The way to the records inside one document, as a pointer (`/data/items`, `*` for every element) or a path of
    /// RFC 9535 without filters and slices (`$.data.items[*]`); nil is the document itself. Implies ``JSONLayout/document``.
    public var rows: String?
    /// Whether members of nested objects become columns of their own, `offer.amount` the column `offer_amount`.
    public var flattens: Bool
    /// What stands between the names in the name of such a column.
    public var separator: String
    /// Whether columns get the types of the values seen; if not, all are text, or JSON where arrays and objects occur.
    public var infersTypes: Bool
    /// A column that takes the text of each whole record, beside the others.
    public var recordColumn: String?
    /// What is accepted beyond RFC 8259, and how deep values may be.
    public var reading: JSONReadingOptions
    /// A longer record is a reject.
    public var maximumRecordBytes: Int
    /// What is looked at of a stream that can be read once only, in bytes; other objects are seen up to 64 MiB whole.
    public let sampleSize = 1 << 20
    /// The text of a usual chunk, in bytes.
    var chunkBytes = 256 << 10
    /// Whether records that look alike are read without tokens; the rows are the same.
    var predicts = true

    /// A format that finds out layout and types by itself; see the properties.
    public init(
        layout: JSONLayout? = nil, rows: String? = nil, flattens: Bool = false, separator: String = "_",
        infersTypes: Bool = true, recordColumn: String? = nil, reading: JSONReadingOptions = .strict,
        maximumRecordBytes: Int = 16 << 20
    ) {
        self.layout = layout
        self.rows = rows
        self.flattens = flattens
        self.separator = separator
        self.infersTypes = infersTypes
        self.recordColumn = recordColumn
        self.reading = reading
        self.maximumRecordBytes = maximumRecordBytes
    }

    /// The layout that the options fix, nil if it has to be found.
    var fixedLayout: JSONLayout? { layout ?? (rows == nil ? nil : .document) }

    /// The cutter of an object, at its start or at a position.
    func cutter(
        _ layout: JSONLayout, from position: JSONCutPosition = JSONCutPosition()
    ) throws(HeadraceError) -> JSONStreamCutter {
        if layout != .document, rows != nil {
            throw HeadraceError(
                .badOption, "rows= leads into one document and does not go with layout=\(layout.rawValue)",
                hint: "leave layout= out")
        }
        return JSONStreamCutter(
            layout.cutting(at: try JSONFailure.path(rows)), from: position,
            allowsTrailingCommas: reading.allowsTrailingCommas, maximumRecordBytes: maximumRecordBytes)
    }

    /// Opens one object; columns of `schema` that no member fills are null.
    ///
    /// - Throws: `malformedInput` for a `start` that this format did not give, `badOption` for a record path that cannot
    ///   be read.
    public func openReader(
        _ input: FormatInput, for schema: Schema, from start: JSONValue?, in context: RunContext
    ) throws -> JSONFormatReader {
        try JSONFormatReader(self, input, schema: schema, from: start, in: context)
    }
}

extension JSONFormat: ReplayableFormat {
    /// The records one a line, so that one that is still broken harms no other; line ends inside a record, which JSON
    /// allows between tokens only, become spaces.
    public func document(of records: [[UInt8]], like sample: ByteSample) -> (bytes: [UInt8], format: JSONFormat) {
        var bytes: [UInt8] = []
        for record in records {
            bytes += record.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
            bytes.append(0x0A)
        }
        var format = self
        format.layout = .lines
        format.rows = nil
        return (bytes, format)
    }
}
