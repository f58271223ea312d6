/// One option of a connector: its name, what it takes and what it does, for `--help` and for refusing unknown names.
public struct ConnectorOption: Sendable, Hashable {
    /// As a location spells it: `delimiter` in `prices.csv?delimiter=;`.
    public let name: String
    /// What a value looks like: `BYTE`, `true|false`, `NAME`.
    public let form: String
    /// What the option does, in a few words without a full stop.
    public let help: String
    /// Whether it says how the data is reached and not which it is: with another value a copy stays the same job, and goes
    /// on where it stopped.
    public let isTuning: Bool

    /// An option from its name, the form of its value and its help.
    public init(_ name: String, _ form: String, _ help: String, isTuning: Bool = false) {
        self.name = name
        self.form = form
        self.help = help
        self.isTuning = isTuning
    }
}

/// What a plugin offers to the command line. A main program hands the command an explicit list; nothing registers itself.
public protocol Connector: Sendable {
    /// The connector's name in help and messages, such as `sqlite`.
    var name: String { get }
    /// The options that the connector takes on a source and on a sink.
    var options: [ConnectorOption] { get }
}

/// A connector whose locations are rows already: databases, key-value stores.
public protocol RowConnector: Connector {
    /// Schemes that lead here, lower case.
    var schemes: [String] { get }
    /// The source at a location. Throws `badOption` or `unsupported` when there is none.
    func source(at location: Location) throws -> any Source
    /// The sink at a location.
    func sink(at location: Location) throws -> any Sink
    /// Whether the location is there and lets us in; throws an error that says what is wrong.
    /// - Returns: one line about what was found.
    func check(_ location: Location, in context: RunContext) async throws -> String
}

/// A connector that carries bytes: local files, standard streams, HTTP, object stores.
public protocol CarrierConnector: Connector {
    /// Schemes that lead here, lower case; the empty scheme is local files.
    var schemes: [String] { get }
    /// The bytes at a location; opens nothing yet.
    /// - Throws: `badOption` for an option value that it does not take.
    func byteSource(at location: Location) throws -> any ByteSource
    /// A sink for one object at a location; creates nothing yet.
    /// - Throws: `unsupported` where the carrier can only be read.
    func byteSink(at location: Location) throws -> any ByteSink
    /// Whether the location is there and lets us in, without reading all of it; throws an error that says what is
    /// wrong.
    /// - Returns: one line about what was found.
    func check(_ location: Location, in context: RunContext) async throws -> String
}

/// A connector that gives bytes a meaning: CSV, JSON, XML, HTML.
public protocol FormatConnector: Connector {
    /// File name extensions without the dot, lower case, compression left aside: `csv`, `tsv`.
    var extensions: [String] { get }
    /// Rows of the bytes of `carrier`, read with the options of `location`.
    func source(over carrier: any ByteSource, at location: Location) throws -> any Source
    /// A sink that writes rows into `carrier`.
    func sink(over carrier: any ByteSink, at location: Location) throws -> any Sink
}
