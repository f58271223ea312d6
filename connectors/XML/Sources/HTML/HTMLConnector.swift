public import HeadraceCore
import HeadraceFiles

/// HTML for the command line; a source only.
public struct HTMLConnector: FormatConnector {
    /// Knows the formats of the options and nothing else; holds no state.
    public init() {}

    public let name = "html"
    public let extensions = ["html", "htm"]
    public let options = [
        ConnectorOption("rows", "XPATH", "the elements that are rows: //table[@id='prices']//tr[td]"),
        ConnectorOption("fields", "NAME:XPATH,…", "where fields stand in a row: name:td[2],price:td[3]/@data-price"),
        ConnectorOption("encoding", "NAME", "of the bytes, whatever page and server say"),
        ConnectorOption("null", "TEXT", "text that is null; may be given several times"),
        ConnectorOption("schema", "FILE", "a JSON file with names and types of the fields"),
        ConnectorOption("infer", "on|off", "off reads every field as text"),
    ]

    /// Rows of `carrier`. Throws `badOption` for options that are not known or not understood.
    public func source(over carrier: any ByteSource, at location: Location) throws -> any Source {
        var options = HTMLOptions()
        for option in location.options {
            switch option.name {
            case "rows": options.rows = option.value
            case "fields": options.fields = try FieldPath.list(option.value)
            case "encoding": options.encoding = option.value
            case "null": options.nulls.append(option.value)
            case "infer": options.infersTypes = try OptionValue.flag(option, "on", "off")
            case "schema", "format": break
            default: throw OptionValue.unknown(option, format: "HTML", among: self.options)
            }
        }
        let format = HTMLFormat(options)
        _ = try XPathExpression(options.rows)
        let schema = try location["schema"].map(SchemaFile.read)
        func open<Carrier: ByteSource>(_ carrier: Carrier) -> any Source {
            FormatSource(carrier, format, codecs: StandardCodecs.all, declared: schema)
        }
        return open(carrier)
    }

    /// - Throws: `unsupported`, always.
    public func sink(over carrier: any ByteSink, at location: Location) throws -> any Sink {
        throw OptionValue.noSink("HTML")
    }
}
