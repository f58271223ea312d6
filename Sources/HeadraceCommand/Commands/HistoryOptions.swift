import ArgumentParser
import HeadraceCore

/// How `--mode history` dates versions and what its columns are called.
struct HistoryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "With --mode history: the source's column that says since when a row holds (default: the time of the run).",
            valueName: "column"))
    var effective: String?

    @Option(
        help: ArgumentHelp(
            "With --mode history: the target's columns for a version's begin and end and for being the one that holds.",
            valueName: "from,to,current"))
    var versions: String?

    init() {}

    /// The options of a run as its ledger entry keeps them.
    init(repeating parameters: JSONValue?) {
        self.init()
        effective = parameters?["effective"]?.stringValue
        versions = parameters?["versions"]?.stringValue
    }

    /// What the ledger keeps of a history's options; nothing of another mode.
    static func parameters(of mode: SinkMode) -> [(String, JSONValue)] {
        guard case .history(_, let columns) = mode else { return [] }
        return [
            (
                "history",
                .object([
                    ("effective", columns.effective.map { .string($0) } ?? .null),
                    ("versions", .string([columns.from, columns.until, columns.current].joined(separator: ","))),
                ])
            )
        ]
    }

    /// - Throws: `badOption` where an option is given that only a history takes.
    func refuse() throws(HeadraceError) {
        guard let given = effective.map({ _ in "--effective" }) ?? versions.map({ _ in "--versions" }) else { return }
        throw HeadraceError(.badOption, "\(given) goes with a history", hint: "add --mode history, or leave it out")
    }

    func columns() throws(HeadraceError) -> HistoryColumns {
        var columns = HistoryColumns(effective: effective)
        guard let versions else { return columns }
        let names = versions.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard names.count == 3, !names.contains("") else {
            throw HeadraceError(
                .badOption, "--versions \(versions) does not name three columns",
                hint: "write --versions valid_from,valid_to,is_current")
        }
        (columns.from, columns.until, columns.current) = (names[0], names[1], names[2])
        return columns
    }
}
