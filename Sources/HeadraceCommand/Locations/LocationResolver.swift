import Glibc
import HeadraceCore
import HeadraceFiles

/// Finds the connector for a location and makes its source or sink.
struct LocationResolver: Sendable {
    let connectors: [any Connector]
    let overlays: [OptionOverlay]

    /// A location with the connectors that serve it.
    private struct Resolved {
        var location: Location
        var row: (any RowConnector)?
        var carrier: (any CarrierConnector)?
        var format: (any FormatConnector)?

        var options: [ConnectorOption] {
            (row?.options ?? []) + (carrier?.options ?? []) + (format?.options ?? []) + [LocationResolver.formatOption]
        }
        func knows(_ name: String) -> Bool { options.contains { $0.covers(name) } }
        /// Bytes whose format nothing has named yet.
        var lacksFormat: Bool { row == nil && format == nil }
    }

    static let formatOption = ConnectorOption("format", "NAME", "the format, when the name's extension does not say it")

    func source(_ text: String) throws -> any Source { try source(resolve(text, as: .from, alone: true)) }

    /// Both ends of a copy, with the locations that they are made of; a flag without prefix goes to the end that knows it.
    func ends(from: String, to: String) throws -> (source: any Source, sink: any Sink, from: Location, to: Location) {
        var (start, end) = (try resolve(from, as: .from), try resolve(to, as: .to))
        for overlay in overlays where overlay.end == .either {
            // The format of the one end whose name does not say it; where both say it, neither needs to be told.
            let knows: (from: Bool, to: Bool) =
                overlay.name == Self.formatOption.name
                ? (start.lacksFormat, end.lacksFormat) : (start.knows(overlay.name), end.knows(overlay.name))
            switch knows {
            case (true, false): try set(overlay, on: &start)
            case (false, true): try set(overlay, on: &end)
            case (true, true):
                throw HeadraceError(
                    .badOption, "both ends know the option --\(overlay.name)",
                    hint: "write --from-\(overlay.name) or --to-\(overlay.name)")
            case (false, false):
                throw HeadraceError(
                    .badOption, "neither end knows the option --\(overlay.name)",
                    fields: [("from", Self.names(start.options)), ("to", Self.names(end.options))])
            }
        }
        return (try source(start), try sink(end), start.location, end.location)
    }

    /// What a location says about which data it is: without the options that only say how it is reached.
    func identity(of location: Location) -> Location {
        let serving = connectors.filter { connector in
            if let row = connector as? any RowConnector { return row.schemes.contains(location.scheme) }
            if let carrier = connector as? any CarrierConnector { return carrier.schemes.contains(location.scheme) }
            return false
        }
        let tuning = Set(serving.flatMap(\.options).filter(\.isTuning).map(\.name))
        var identity = location
        identity.options.removeAll { tuning.contains($0.name) }
        return identity
    }

    /// Gives an end one more option; the format follows from it where it is the format's name.
    private func set(_ overlay: OptionOverlay, on end: inout Resolved) throws {
        end.location = end.location.setting(overlay.name, to: overlay.value)
        if overlay.name == Self.formatOption.name { end.format = try named(overlay.value) }
    }

    /// Whether the location is there and lets us in.
    func check(_ text: String, in context: RunContext) async throws -> String {
        let resolved = try resolve(text, as: .from, alone: true)
        try refuseUnknown(resolved)
        if let row = resolved.row { return try await row.check(resolved.location, in: context) }
        guard let carrier = resolved.carrier else { throw Self.unknownScheme(resolved.location, connectors) }
        return try await carrier.check(resolved.location, in: context)
    }

    private func source(_ resolved: Resolved) throws -> any Source {
        try refuseUnknown(resolved)
        if let row = resolved.row { return try row.source(at: resolved.location) }
        guard let carrier = resolved.carrier else { throw Self.unknownScheme(resolved.location, connectors) }
        let format = try needFormat(resolved)
        return try format.source(
            over: try carrier.byteSource(at: resolved.location), at: Self.read(resolved.location, by: format))
    }

    private func sink(_ resolved: Resolved) throws -> any Sink {
        try refuseUnknown(resolved)
        if let row = resolved.row { return try row.sink(at: resolved.location) }
        guard let carrier = resolved.carrier else { throw Self.unknownScheme(resolved.location, connectors) }
        let format = try needFormat(resolved)
        return try format.sink(
            over: try carrier.byteSink(at: resolved.location), at: Self.read(resolved.location, by: format))
    }

    /// The location with the options that are the format's; those of the carrier are none of its business.
    private static func read(_ location: Location, by format: any FormatConnector) -> Location {
        var own = location
        own.options = location.options.filter { option in
            option.name == formatOption.name || format.options.contains { $0.covers(option.name) }
        }
        return own
    }

    /// - Parameter alone: whether it is the command's only location, which takes the flags without prefix too.
    private func resolve(_ text: String, as end: OptionOverlay.End, alone: Bool = false) throws -> Resolved {
        var location = try Location(text) { access($0, F_OK) == 0 }
        for overlay in overlays where overlay.end == end || alone && overlay.end == .either {
            location = location.setting(overlay.name, to: overlay.value)
        }
        let row = connectors.lazy.compactMap { $0 as? any RowConnector }.first { $0.schemes.contains(location.scheme) }
        if let row { return Resolved(location: location, row: row) }
        let carrier = connectors.lazy.compactMap { $0 as? any CarrierConnector }.first {
            $0.schemes.contains(location.scheme)
        }
        return Resolved(location: location, carrier: carrier, format: try format(of: location))
    }

    private func format(of location: Location) throws -> (any FormatConnector)? {
        if let name = location["format"] { return try named(name) }
        // A server's own query is no part of its file's name; in a local name a question mark is a letter like others.
        let path =
            location.scheme.isEmpty
            ? location.address[...]
            : location.address.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        let file = path.split(separator: "/").last.map(String.init) ?? ""
        guard let name = StandardCodecs.splitting(file).fileExtension else { return nil }
        return formats.first { $0.extensions.contains(name.lowercased()) }
    }

    private var formats: [any FormatConnector] { connectors.compactMap { $0 as? any FormatConnector } }

    private func named(_ name: String) throws -> any FormatConnector {
        guard let format = formats.first(where: { $0.name == name || $0.extensions.contains(name) }) else {
            throw HeadraceError(
                .badOption, "there is no format \"\(name)\"",
                fields: [("formats", formats.map(\.name).joined(separator: ", "))])
        }
        return format
    }

    private func needFormat(_ resolved: Resolved) throws -> any FormatConnector {
        guard let format = resolved.format else {
            throw HeadraceError(
                .badLocation, "the format of \(resolved.location) is not clear from its name",
                fields: [("formats", formats.map(\.name).joined(separator: ", "))],
                hint: "say --from-format or --to-format, or add ?format=csv")
        }
        return format
    }

    private func refuseUnknown(_ resolved: Resolved) throws {
        // Databases hand what is not ours to their driver and judge it themselves.
        guard resolved.row == nil else { return }
        for option in resolved.location.options where !resolved.knows(option.name) {
            throw HeadraceError(
                .badOption, "\(resolved.location) has an unknown option \"\(option.name)\"",
                fields: [("options", Self.names(resolved.options))])
        }
    }

    private static func names(_ options: [ConnectorOption]) -> String {
        options.isEmpty ? "none" : options.map(\.name).joined(separator: ", ")
    }

    private static func unknownScheme(_ location: Location, _ connectors: [any Connector]) -> HeadraceError {
        let schemes = connectors.flatMap { connector -> [String] in
            if let row = connector as? any RowConnector { return row.schemes }
            return (connector as? any CarrierConnector)?.schemes ?? []
        }
        return HeadraceError(
            .badLocation, "no connector serves \(location.scheme):",
            fields: [("schemes", schemes.filter { !$0.isEmpty }.sorted().joined(separator: ", "))])
    }
}

extension ConnectorOption {
    /// Whether an option of this name is meant; `ns.PREFIX` stands for every name that begins with `ns.`.
    fileprivate func covers(_ given: String) -> Bool {
        guard name.hasSuffix(".PREFIX") else { return name == given }
        return given.hasPrefix(name.dropLast(6))
    }
}
