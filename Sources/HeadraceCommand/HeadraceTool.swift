import ArgumentParser
import Glibc
public import HeadraceCore
import HeadraceRuntime

/// The `headrace` command as a product: a main program hands it its connectors and where the ledger is kept.
///
/// ```swift
/// @main struct Main {
///     static func main() async {
///         await HeadraceTool(connectors: HeadraceTool.standardConnectors + [MyConnector()]).run()
///     }
/// }
/// ```
public struct HeadraceTool: Sendable {
    let connectors: [any Connector]
    let openLedger: @Sendable (String) async throws -> any LedgerStore

    /// - Parameters:
    ///   - connectors: every connector the command may use; nothing registers itself.
    ///   - openLedger: opens the ledger in a state folder; SQLite by default.
    public init(
        connectors: [any Connector] = HeadraceTool.standardConnectors,
        openLedger: @escaping @Sendable (String) async throws -> any LedgerStore = HeadraceTool.openStandardLedger
    ) {
        self.connectors = connectors
        self.openLedger = openLedger
    }

    /// Parses the command line, runs the command and ends the process with its exit status.
    public func run(_ arguments: [String] = Array(CommandLine.arguments.dropFirst())) async -> Never {
        exit(await status(arguments))
    }

    /// Runs a command line and gives its exit status: 0 complete, 1 failed, 2 usage, 3 complete with errors.
    public func status(_ arguments: [String]) async -> Int32 {
        let isJSON = arguments.contains("--json-log")
        let rest: [String]
        let overlays: [OptionOverlay]
        do {
            (rest, overlays) = try OptionOverlay.take(from: arguments, connectors: connectors)
        } catch {
            return Self.report(error, json: isJSON)
        }
        let environment = CommandEnvironment(tool: self, overlays: overlays)
        return await CommandEnvironment.$current.withValue(environment) {
            do {
                var command = try HeadraceCommand.parseAsRoot(rest)
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
                return 0
            } catch {
                return Self.report(error, json: isJSON)
            }
        }
    }

    /// Prints an error the way its kind asks for and gives the exit status.
    private static func report(_ error: any Error, json: Bool) -> Int32 {
        if let code = error as? ExitCode { return code.rawValue }
        if let ours = error as? HeadraceError {
            show(ours.message, ours.description, ["code": .string(ours.code.rawValue)], json: json)
            return [.badLocation, .badOption].contains(ours.code) ? 2 : 1
        }
        let text = HeadraceCommand.fullMessage(for: error)
        if HeadraceCommand.exitCode(for: error) == .success {
            StandardStreams.output(text + "\n")
            return 0
        }
        show(HeadraceCommand.message(for: error), text, ["code": "usage"], json: json)
        return 2
    }

    private static func show(_ message: String, _ text: String, _ code: KeyValuePairs<String, JSONValue>, json: Bool) {
        guard json else { return StandardStreams.error(text + "\n") }
        LogOutput.write(.error, message, code.map { $0 } + [("details", .string(text))], at: SystemClock().now())
    }
}

/// What the commands of one invocation share.
struct CommandEnvironment: Sendable {
    let tool: HeadraceTool
    /// Connector options given as flags.
    let overlays: [OptionOverlay]

    @TaskLocal static var current = CommandEnvironment(tool: HeadraceTool(connectors: []), overlays: [])

    var resolver: LocationResolver { LocationResolver(connectors: tool.connectors, overlays: overlays) }
}

/// The root of the command line.
struct HeadraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "headrace",
        abstract: "Moves rows between files, databases and services, loses none and proves it.",
        discussion: """
            Locations: prices.csv, prices.csv.gz, - (standard input or output), 'dir/*.csv', rows.ndjson,
            'feed.xml?rows=/catalog/item', 'page.html?rows=//tr', 'sqlite:warehouse.db?table=t', 'kv:store.db?table=Prices&key=Id',
            'postgresql://user@host/db?table=s.t', 'mysql://user@host/db?table=t', https://host/rows.json#rows=/data.
            Options ride in the query, or in flags: --from-NAME, --to-NAME, or --NAME where only one end knows the option;
            `headrace options` lists them.

            Exit status: 0 complete, 1 failed, 2 wrong usage, 3 complete with errors.
            """,
        version: headraceVersion,
        subcommands: [
            RunCommand.self, CopyCommand.self, PlanCommand.self, PreviewCommand.self, SchemaCommand.self,
            CheckCommand.self, OptionsCommand.self, NewCommand.self,
            RunsCommand.self, ShowCommand.self, RejectsCommand.self, ReplayCommand.self, KeyValueCommand.self,
        ])
}

/// The version of the tool and its libraries.
let headraceVersion = "0.1.0"
