public import HeadraceCore
import HeadraceFiles

/// CSV for the command line.
public struct CSVConnector: FormatConnector {
    /// A connector without state.
    public init() {}

    public let name = "csv"
    /// `tsv` and `tab` are separated by tabs unless an option says otherwise.
    public let extensions = ["csv", "tsv", "tab"]
    public var options: [ConnectorOption] { CSVOptionNames.all }

    /// Rows of `carrier`. Reads the schema file that the option `schema` names; throws `badOption` for options that are
    /// not known or not understood.
    public func source(over carrier: any ByteSource, at location: Location) throws -> any Source {
        var options = try CSVOptions(location)
        if options.delimiter == nil, Self.isTabbed(location) { options.delimiter = UInt8(ascii: "\t") }
        let schema = try location["schema"].map(SchemaFile.read)
        func open<Carrier: ByteSource>(_ carrier: Carrier) -> any Source {
            FormatSource(carrier, CSVFormat(options), codecs: StandardCodecs.all, declared: schema)
        }
        return open(carrier)
    }

    /// A sink into `carrier`, compressed as its name's extension or the option `compression` says.
    public func sink(over carrier: any ByteSink, at location: Location) throws -> any Sink {
        var options = try CSVWriteOptions(location)
        if location["delimiter"] == nil, Self.isTabbed(location) { options.delimiter = UInt8(ascii: "\t") }
        let codec = try Self.codec(location)
        func open<Carrier: ByteSink>(_ carrier: Carrier) -> any Sink {
            FormatSink(carrier, CSVEncoder(options), codec: codec)
        }
        return open(carrier)
    }

    private static func isTabbed(_ location: Location) -> Bool {
        let known = location["format"] ?? StandardCodecs.splitting(location.address).fileExtension
        return known == "tsv" || known == "tab"
    }

    private static func codec(_ location: Location) throws(HeadraceError) -> (any ByteCodec)? {
        guard let name = location["compression"] else { return StandardCodecs.splitting(location.address).codec }
        if name == "none" { return nil }
        guard let codec = StandardCodecs.named(name) else {
            throw HeadraceError(
                .badOption, "the option compression does not take \"\(name)\"",
                fields: [("expected", (StandardCodecs.all.map(\.name) + ["none"]).joined(separator: ", "))])
        }
        return codec
    }
}
