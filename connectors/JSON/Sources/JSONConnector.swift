import Files
public import HeadraceCore

/// JSON for the command line: arrays, documents and lines, both ways.
public struct JSONConnector: FormatConnector {
    public let name = "json"
    public let extensions = ["json", "ndjson", "jsonl"]
    /// What `format=` and the file's extension say decides between an array and lines; `layout=` wins over both.
    public let options = [
        ConnectorOption(
            "layout", "lines|document|documents", "how records lie in the input; an array or lines to write"),
        ConnectorOption("rows", "/NAME/NAME", "the way to the records inside a document, * for every element"),
        ConnectorOption("flatten", "true|false", "make members of nested objects columns of their own"),
        ConnectorOption("separator", "TEXT", "what stands between names in the name of such a column, _ by default"),
        ConnectorOption("schema", "FILE", "read names and types of columns from a schema file"),
        ConnectorOption("infer", "on|off", "off reads every member as text, or JSON where it is an array or object"),
        ConnectorOption("record", "NAME", "add a column that holds each whole record as JSON"),
        ConnectorOption("comments", "true|false", "allow // and /* */ comments"),
        ConnectorOption("trailingCommas", "true|false", "allow a comma before a closing bracket"),
        ConnectorOption("allowNaN", "true|false", "allow NaN, Infinity and -Infinity as numbers"),
        ConnectorOption("loneSurrogates", "refuse|replace", "what becomes of half a surrogate pair in an escape"),
        ConnectorOption("maxRecord", "BYTES", "refuse longer records, 16 MiB by default"),
        ConnectorOption("nonFinite", "string|null", "how NaN and infinities are written, string by default"),
    ]

    public init() {}

    public func source(over carrier: any ByteSource, at location: Location) throws -> any Source {
        let format = try format(of: location)
        let declared = try location["schema"].map { try SchemaFile.read($0) }
        func source<Carrier: ByteSource>(_ carrier: Carrier) -> any Source {
            FormatSource(carrier, format, codecs: StandardCodecs.all, declared: declared)
        }
        return source(carrier)
    }

    public func sink(over carrier: any ByteSink, at location: Location) throws -> any Sink {
        let options = JSONLocationOptions(location)
        let nonFinite = try options.value("nonFinite", "string or null") { JSONNonFinite(rawValue: $0) } ?? .string
        let layout = try options.layout ?? options.impliedLayout ?? .document
        let codec = StandardCodecs.splitting(location.address).codec
        func sink<Carrier: ByteSink>(_ carrier: Carrier) -> any Sink {
            layout == .document
                ? FormatSink(carrier, JSONArrayEncoder(nonFinite: nonFinite), codec: codec)
                : FormatSink(carrier, NDJSONEncoder(nonFinite: nonFinite), codec: codec)
        }
        return sink(carrier)
    }

    /// The format that a location's options ask for.
    func format(of location: Location) throws(HeadraceError) -> JSONFormat {
        let options = JSONLocationOptions(location)
        var format = JSONFormat()
        format.rows = location["rows"]
        _ = try JSONFailure.path(format.rows)
        format.layout = try options.layout ?? (format.rows == nil ? options.impliedLayout : nil)
        format.flattens = try options.flag("flatten")
        format.separator = location["separator"] ?? "_"
        format.infersTypes = try options.value("infer", "on or off") { ["on": true, "off": false][$0] } ?? true
        format.recordColumn = location["record"]
        format.reading.allowsComments = try options.flag("comments")
        format.reading.allowsTrailingCommas = try options.flag("trailingCommas")
        format.reading.allowsNonFiniteNumbers = try options.flag("allowNaN")
        let surrogates: [String: JSONReadingOptions.LoneSurrogates] = ["refuse": .refused, "replace": .replaced]
        format.reading.loneSurrogates =
            try options.value("loneSurrogates", "refuse or replace") { surrogates[$0] } ?? .refused
        format.maximumRecordBytes =
            try options.value("maxRecord", "a number of bytes") { Int($0).flatMap { $0 > 0 ? $0 : nil } }
            ?? format.maximumRecordBytes
        return format
    }
}

/// The options of a location, checked one by one.
private struct JSONLocationOptions {
    private let location: Location

    init(_ location: Location) { self.location = location }

    /// What `read` makes of an option's value, nil where it is not given.
    func value<Value>(
        _ name: String, _ form: String, _ read: (String) -> Value?
    ) throws(HeadraceError) -> Value? {
        guard let text = location[name] else { return nil }
        guard let value = read(text) else {
            throw HeadraceError(.badOption, "option \(name) takes \(form)", fields: [("found", text)])
        }
        return value
    }

    func flag(_ name: String) throws(HeadraceError) -> Bool {
        try value(name, "true or false") { ["true": true, "false": false][$0] } ?? false
    }

    var layout: JSONLayout? {
        get throws(HeadraceError) {
            try value("layout", "lines, document or documents") { JSONLayout(named: $0) }
        }
    }

    /// The layout that `format=` or the name's extension says; `json` says none.
    var impliedLayout: JSONLayout? {
        let name = location["format"] ?? StandardCodecs.splitting(location.address).fileExtension
        return name == "ndjson" || name == "jsonl" ? .lines : nil
    }
}
