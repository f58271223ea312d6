import ArgumentParser
import HeadraceCore

/// Lists the options that locations take.
struct OptionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "options", abstract: "List the options of locations, by connector.",
        discussion: """
            An option rides in a location's query, 'prices.csv?delimiter=;', or in a flag: --from-delimiter ';' for the source, --to-delimiter for
            the target, --delimiter where only one of them knows it.
            """)
    @Argument(help: "Only of this connector: csv, json, sqlite …") var connector: String?

    func run() throws {
        let connectors = CommandEnvironment.current.tool.connectors
        let chosen = connectors.filter { connector == nil || $0.name == connector }
        guard !chosen.isEmpty else {
            throw HeadraceError(
                .badOption, "there is no connector \"\(connector ?? "")\"",
                fields: [("connectors", connectors.map(\.name).joined(separator: ", "))])
        }
        let width = chosen.flatMap(\.options).map { $0.name.count + $0.form.count + 1 }.max() ?? 0
        for connector in chosen {
            StandardStreams.output("\(connector.name)\n")
            if connector.options.isEmpty { StandardStreams.output("  no options\n") }
            for option in connector.options {
                let spelled = "\(option.name)=\(option.form)"
                let padding = String(repeating: " ", count: max(0, width - spelled.count))
                StandardStreams.output("  \(spelled)\(padding)  \(option.help)\n")
            }
        }
    }
}
