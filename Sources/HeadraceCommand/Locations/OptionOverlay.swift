import HeadraceCore

/// A connector option given as a flag instead of in a location's query.
struct OptionOverlay: Sendable, Hashable {
    enum End: Sendable, Hashable {
        case from, to
        /// Given without prefix: the end that knows the option.
        case either
    }

    let end: End
    let name: String
    let value: String

    /// Takes `--from-NAME V`, `--to-NAME V` and the unprefixed names of connector options out of a command line.
    ///
    /// A command's own flags are its own: `--key` names the key of an upsert, a store's own key option is `--to-key`. The query of `-`
    /// becomes options too, since `-?rows=/items` would be taken for a flag. Commands without locations keep every argument.
    /// - Throws: `badLocation` for broken percent-encoding behind `-?`.
    static func take(from arguments: [String], connectors: [any Connector]) throws -> (
        rest: [String], overlays: [OptionOverlay]
    ) {
        guard let shape = CommandShape.of(arguments) else { return (arguments, []) }
        let known = Set(connectors.flatMap { $0.options.map(\.name) } + [LocationResolver.formatOption.name])
        var rest = shape.words
        var overlays: [OptionOverlay] = []
        var locations = 0
        var index = shape.words.count
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            guard argument.hasPrefix("-"), argument.count > 1 else {
                rest.append(argument)
                locations += 1
                continue
            }
            if argument.hasPrefix("-?") {
                let end: End = locations == 0 ? .from : .to
                overlays += try Location(argument) { _ in false }.options.map {
                    OptionOverlay(end: end, name: $0.name, value: $0.value)
                }
                rest.append("-")
                locations += 1
                continue
            }
            let parts = argument.drop { $0 == "-" }.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let flag = String(parts.first ?? "")
            if shape.plain.contains(flag) || shape.valued.contains(flag) || !argument.hasPrefix("--") || flag.isEmpty {
                rest.append(argument)
                if shape.valued.contains(flag), parts.count == 1, index < arguments.count {
                    rest.append(arguments[index])
                    index += 1
                }
                continue
            }
            guard let (end, name) = target(flag, known, shape) else {
                rest.append(argument)
                continue
            }
            if parts.count == 2 {
                overlays.append(OptionOverlay(end: end, name: name, value: String(parts[1])))
            } else if index < arguments.count {
                overlays.append(OptionOverlay(end: end, name: name, value: arguments[index]))
                index += 1
            } else {
                rest.append(argument)
            }
        }
        return (rest, overlays)
    }

    /// The end and the name of an option that a flag gives; nil for a flag that gives none.
    private static func target(_ flag: String, _ known: Set<String>, _ shape: CommandShape) -> (End, String)? {
        if flag.hasPrefix("from-") { return (.from, String(flag.dropFirst(5))) }
        if flag.hasPrefix("to-"), shape.locations != 1 { return (.to, String(flag.dropFirst(3))) }
        return known.contains(flag) && shape.locations > 0 ? (.either, flag) : nil
    }
}
