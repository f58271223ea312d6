public import HeadraceColumnar
public import HeadraceCore

/// Comma-separated values (RFC 4180) and its relatives.
///
/// Rows end with LF, CRLF or CR; empty lines are passed over, except in files of one column, where they are nulls. An
/// unquoted empty field is null, `""` the empty text. Types are inferred unless told otherwise. Columns are matched to
/// the schema by the header's names, object by object.
public struct CSVFormat: Format {
    /// What the reader was told; the rest it finds out object by object.
    public let options: CSVOptions
    var limits: CSVLimits

    /// A format that finds out what `options` leave open.
    public init(_ options: CSVOptions = CSVOptions()) {
        self.options = options
        limits = CSVLimits(maximumRecordBytes: options.recordLimit)
    }

    public let name = "csv"
    public let sampleSize = 1 << 20

    public func describe(_ sample: ByteSample) throws -> FormatDescription {
        var bytes = sample.bytes
        // The last line of a sample may be cut; where no line ends there is nothing better.
        if !sample.isWhole, let last = bytes.lastIndex(of: CSVDialect.lineFeed) {
            bytes.removeLast(bytes.count - last - 1)
        }
        return try placed(sample.object) {
            try SchemaSurvey.survey(
                ArrayReader(bytes), byteCount: bytes.count, isSample: !sample.isWhole, options: options, limits: limits)
        }
    }

    /// Reads objects of up to 64 MiB whole and the first 16 MiB of larger ones, in bounded memory.
    public func survey(_ object: ByteObject, _ bytes: any ByteReader) throws -> FormatDescription? {
        try placed(object) {
            try SchemaSurvey.survey(
                bytes, byteCount: object.byteCount, isSample: false, options: options, limits: limits)
        }
    }

    public func openReader(
        _ input: FormatInput, for schema: Schema, from start: JSONValue?, in context: RunContext
    ) throws -> CSVReader {
        try placed(input.object) {
            try CSVReader(input, for: schema, from: start, options: options, limits: limits, in: context)
        }
    }

    private func placed<Result>(_ object: ByteObject, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as HeadraceError where error.trail.isEmpty {
            throw error.at(object.name)
        }
    }
}
