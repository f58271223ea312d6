public import HeadraceCore
import HeadraceFiles

/// XML for the command line; a source only.
public struct XMLConnector: FormatConnector {
    /// Knows the formats of the options and nothing else; holds no state.
    public init() {}

    public let name = "xml"
    public let extensions = ["xml"]
    public let options = [
        ConnectorOption("rows", "PATH", "the elements that are rows: /catalog/item, //item; found out when not given"),
        ConnectorOption("fields", "NAME:PATH,…", "where fields stand in a row: id:@id,price:offer/price"),
        ConnectorOption("ns.PREFIX", "URI", "the namespace that a prefix in rows and fields stands for"),
        ConnectorOption("encoding", "NAME", "of the bytes, whatever the document says"),
        ConnectorOption("null", "TEXT", "text that is null; may be given several times"),
        ConnectorOption("schema", "FILE", "a JSON file with names and types of the fields"),
        ConnectorOption("infer", "on|off", "off reads every field as text"),
        ConnectorOption("record-limit", "BYTES", "the most text a record may have, 16777216 unless given"),
    ]

    /// Rows of `carrier`. Reads the schema file that the option `schema` names; throws `badOption` for options that are
    /// not known or not understood.
    public func source(over carrier: any ByteSource, at location: Location) throws -> any Source {
        let format = XMLFormat(try Self.options(location, known: options))
        let schema = try location["schema"].map(SchemaFile.read)
        if let rows = format.options.rows { _ = try XMLPath.rows(rows, namespaces: format.options.namespaces) }
        for field in format.options.fields ?? [] {
            _ = try XMLPath.field(field, namespaces: format.options.namespaces)
        }
        func open<Carrier: ByteSource>(_ carrier: Carrier) -> any Source {
            FormatSource(carrier, format, codecs: StandardCodecs.all, declared: schema)
        }
        return open(carrier)
    }

    /// - Throws: `unsupported`, always.
    public func sink(over carrier: any ByteSink, at location: Location) throws -> any Sink {
        throw OptionValue.noSink("XML")
    }

    private static func options(
        _ location: Location, known: [ConnectorOption]
    ) throws(HeadraceError) -> XMLOptions {
        var options = XMLOptions()
        for option in location.options {
            switch option.name {
            case "rows": options.rows = option.value
            case "fields": options.fields = try FieldPath.list(option.value)
            case "encoding": options.encoding = option.value
            case "null": options.nulls.append(option.value)
            case "infer": options.infersTypes = try OptionValue.flag(option, "on", "off")
            case "record-limit": options.recordLimit = try OptionValue.number(option, 1...1 << 30)
            case "schema", "format": break
            case let name where name.hasPrefix("ns.") && name.utf8.count > 3:
                options.namespaces[String(name.dropFirst(3))] = option.value
            default: throw OptionValue.unknown(option, format: "XML", among: known)
            }
        }
        return options
    }
}
