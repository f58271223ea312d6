import HeadraceCore
import HeadraceFiles

/// LTSV for the command line: `ltsv:access.log`.
public struct LTSVConnector: RowConnector {
    /// As `headrace options` lists it.
    public let name = "ltsv"
    /// What a location begins with.
    public let schemes = ["ltsv"]
    /// Every option that a location may have; others are refused by name before a row moves.
    public let options = [
        ConnectorOption("schema", "FILE", "fields and types, as `headrace schema --json` prints them (source)")
    ]

    /// A connector without state.
    public init() {}

    /// The lines of the file; text, unless the option `schema` says otherwise.
    public func source(at location: Location) throws -> any Source {
        LTSVSource(at: location.address, schema: try location["schema"].map(SchemaFile.read))
    }

    /// The file, to be replaced.
    public func sink(at location: Location) throws -> any Sink { LTSVSink(at: location.address) }

    /// Reads the first lines and says which labels they have.
    public func check(_ location: Location, in context: RunContext) async throws -> String {
        let schema = try await source(at: location).schema(in: context)
        return "\(location.address): lines of \(schema.names.joined(separator: ", "))"
    }
}
