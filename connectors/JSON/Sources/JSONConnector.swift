public import HeadraceCore
import HeadraceFiles

/// JSON for the command line: arrays, documents and lines, both ways.
public struct JSONConnector: FormatConnector {
    /// `json`, for lines too.
    public let name = "json"
    /// `ndjson` and `jsonl` have one record a line unless an option says otherwise.
    public let extensions = ["json", "ndjson", "jsonl"]
    /// What locations may say; those of one end begin with its name.
    public var options: [ConnectorOption] { JSONLocationOptions.all }

    /// The connector; it has no state.
    public init() {}

    /// Rows of `carrier`. Reads the schema file that the option `schema` names; throws `badOption` for options that are
    /// not known or not understood.
    public func source(over carrier: any ByteSource, at location: Location) throws -> any Source {
        let format = try JSONFormat(location)
        let declared = try location["schema"].map(SchemaFile.read)
        func open<Carrier: ByteSource>(_ carrier: Carrier) -> any Source {
            FormatSource(carrier, format, codecs: StandardCodecs.all, declared: declared)
        }
        return open(carrier)
    }

    /// A sink into `carrier`: an array, or lines where the name's extension or an option says so. Compressed as the
    /// name's extension or the option `compression` says.
    public func sink(over carrier: any ByteSink, at location: Location) throws -> any Sink {
        let options = JSONLocationOptions(location)
        try options.checkNames(on: .sink)
        let nonFinite = try options.value("nonFinite", "string, null") { JSONNonFinite(rawValue: $0) } ?? .string
        let layout = try options.layout ?? options.impliedLayout ?? .document
        let codec = try options.codec
        func open<Carrier: ByteSink>(_ carrier: Carrier) -> any Sink {
            layout == .document
                ? FormatSink(carrier, JSONArrayEncoder(nonFinite: nonFinite), codec: codec)
                : FormatSink(carrier, NDJSONEncoder(nonFinite: nonFinite), codec: codec)
        }
        return open(carrier)
    }
}
