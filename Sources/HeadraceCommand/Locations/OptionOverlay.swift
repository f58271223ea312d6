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

    /// Flags of the commands themselves, which are never options of a connector.
    private static let ownFlags: Set<String> = [
        "mode", "rejects", "threads", "max-rejects", "restart", "stop-on-rejects", "commit", "state", "quiet",
        "json-log",
        "json", "csv", "rows", "help", "version", "demo", "date", "warehouse", "kv", "landing", "errors-only", "memory",
        "show-values", "limit", "temporary",
    ]

    /// Takes `--from-NAME V`, `--to-NAME V` and the unprefixed names of connector options out of a command line.
    static func take(from arguments: [String], connectors: [any Connector]) -> (
        rest: [String], overlays: [OptionOverlay]
    ) {
        let known = Set(connectors.flatMap { $0.options.map(\.name) })
        var rest: [String] = []
        var overlays: [OptionOverlay] = []
        var index = 0
        // `--key` names the key of an upsert; a store's own key option is `--to-key`.
        let isOwn = { (name: String) in ownFlags.contains(name) || name == "key" }
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            guard argument.hasPrefix("--"), argument.count > 2 else {
                rest.append(argument)
                continue
            }
            let body = argument.dropFirst(2)
            let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let flag = String(parts[0])
            let end: End
            let name: String
            if flag.hasPrefix("from-") {
                (end, name) = (.from, String(flag.dropFirst(5)))
            } else if flag.hasPrefix("to-") {
                (end, name) = (.to, String(flag.dropFirst(3)))
            } else if !isOwn(flag) && known.contains(flag) {
                (end, name) = (.either, flag)
            } else {
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
}
