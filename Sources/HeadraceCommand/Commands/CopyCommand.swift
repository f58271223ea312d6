import ArgumentParser
import Glibc
import HeadraceColumnar
import HeadraceCore
import HeadraceDigests
import HeadraceRuntime

/// Copies all rows from one location to another.
struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copy rows from one location to another.",
        discussion: """
            Examples:
              headrace copy prices.csv.gz 'sqlite:warehouse.db?table=prices'
              headrace copy 'sqlite:warehouse.db?query=select * from prices' prices.ndjson
              headrace copy https://host/rows.json#rows=/data out.csv --max-rejects 10
              headrace copy - out.csv --from-format ndjson < rows

            Options of a location, such as delimiter, rows or encoding, are listed by `headrace options`.
            An interrupted copy into a table goes on where it stopped when the same command is run again.
            A source without any row and without column names is an error, whatever its format and the target: with
            --from-schema FILE, as `headrace schema --json` prints one, it is a copy of no rows.
            """)

    @OptionGroup var request: CopyRequest
    @OptionGroup var writing: CopyOptions
    @OptionGroup var running: RunningOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let (options, progress) = running.options(
            common, allowed: .rows(0), commit: writing.policy)
        let ledger = try await common.openLedger()
        do {
            let context = RunContext.looking(options)
            let copy = try await request.resolve(in: context)
            let report = try await RejectFile.reserving(writing.rejects) {
                try await JobRunner(ledger: ledger, options: options).run(
                    Job(copy.job, parameters: copy.parameters, copy.load))
            }
            progress?.finish()
            if let rejects = writing.rejects { try await RejectFile.write(report.run, to: rejects, ledger: ledger) }
            try await RunSummary.print(report, ledger: ledger, as: common)
            await ledger.close()
            if report.state == .completeWithErrors { throw ExitCode(3) }
        } catch {
            progress?.finish()
            await ledger.close()
            throw error
        }
    }
}

/// When a copy's rows become visible and where its rejects go.
struct CopyOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Also write the refused rows as CSV.", valueName: "file"))
    var rejects: String?

    @Option(
        help: ArgumentHelp(
            "run: make all rows visible at once, at the end; a number: after so many megabytes (default: 64, or 10 seconds).",
            valueName: "run|MB"))
    var commit: String?

    func validate() throws {
        if let commit, Self.policy(commit) == nil {
            throw ValidationError("--commit takes 'run' or a number of megabytes from 1")
        }
    }

    var policy: CommitPolicy { commit.flatMap(Self.policy) ?? .standard }

    private static func policy(_ text: String) -> CommitPolicy? {
        if text == "run" { return .run }
        guard let megabytes = Int(text), (1...65_536).contains(megabytes) else { return nil }
        return .every(bytes: megabytes << 20, seconds: 10)
    }
}

/// Source, sink and mode of a copy, as the command line names them.
struct CopyRequest: ParsableArguments {
    @Argument(help: "Where the rows come from.")
    var from: String

    @Argument(help: "Where they go.")
    var to: String

    @Option(
        help: ArgumentHelp(
            """
            append, replace, upsert, insert (leaves rows that are there), mirror (upserts, then deletes rows that are not in the \
            source) or history (keeps every version of a row; default: replace for files, append for tables, else upsert).
            """))
    var mode: String?

    @Option(
        help: ArgumentHelp(
            "The columns that rows are matched by, in every mode but append and replace (default: key= of the target).",
            valueName: "a,b"))
    var key: String?

    @OptionGroup var history: HistoryOptions

    func validate() throws {
        let modes = ["append", "replace", "upsert", "insert", "mirror", "history"]
        if let mode, !modes.contains(mode) {
            throw ValidationError("--mode takes \(modes.dropLast().joined(separator: ", ")) or history")
        }
    }

    init() {}

    /// The request of a run as its ledger entry keeps it, with locations given anew by the environment in place of those kept.
    ///
    /// - Throws: `unsupported` where a kept location cannot be used again: standard input, or one that held a secret.
    init(repeating run: RunRecord) throws {
        let parameters = run.parameters["job"]
        guard let oldFrom = parameters?["from"]?.stringValue, let oldTo = parameters?["to"]?.stringValue,
            let mode = parameters?["mode"]?.stringValue
        else { throw HeadraceError(.unexpected, "the ledger does not say what the run copied") }
        self.init()
        from = try CommonOptions.variable(Self.newFrom) ?? Self.again(oldFrom, of: run, Self.newFrom)
        to = try CommonOptions.variable(Self.newTo) ?? Self.again(oldTo, of: run, Self.newTo)
        self.mode = mode
        key = parameters?["key"]?.stringValue
        history = HistoryOptions(repeating: parameters?["history"])
    }

    /// Variables of the environment, where a location with a secret shows in no list of processes.
    private static let newFrom = "HEADRACE_REPLAY_FROM"
    private static let newTo = "HEADRACE_REPLAY_TO"

    private static func again(_ text: String, of run: RunRecord, _ variable: String) throws -> String {
        if text.contains(Location.redaction) {
            throw HeadraceError(
                .badOption, "run \(run.identifier) used \(text), and the ledger keeps no secrets",
                hint: "give the whole location again in the environment: \(variable)=LOCATION")
        }
        if variable == newFrom, try Location(text, fileExists: { _ in false }).isStandardStream {
            throw HeadraceError(
                .unsupported, "run \(run.identifier) read standard input, which cannot be read again",
                hint: "name a file with the same rows in the environment: \(variable)=FILE")
        }
        return text
    }

    /// A copy with its ends opened for planning.
    struct Copy {
        let job: String
        let parameters: JSONValue
        let load: Load
    }

    func resolve(in context: RunContext) async throws -> Copy {
        let ends = try ends()
        let mode = try sinkMode(for: ends.sink, at: ends.to)
        let relation = try await Self.fitted(ends.source, to: ends.sink, mode, in: context)
        let fingerprint = try await ends.source.fingerprint(in: context)
        let keys = mode.keys
        func parameters(from: Location, to: Location, identity: String? = nil) -> JSONValue {
            .object(
                [
                    ("from", .string(from.redacted.text)), ("to", .string(to.redacted.text)),
                    ("mode", .string(mode.name)), ("key", keys.isEmpty ? .null : .string(keys.joined(separator: ","))),
                ] + HistoryOptions.parameters(of: mode) + [("fingerprint", .string(fingerprint))]
                    + (identity.map { [("identity", .string($0))] } ?? []))
        }
        // A copy under other options is another job: what one has committed tells nothing about the rows of the other. Options
        // that only say how data is reached make none: a copy with more streams goes on where the one with fewer stopped.
        let resolver = CommandEnvironment.current.resolver
        let identity = parameters(from: resolver.identity(of: ends.from), to: resolver.identity(of: ends.to))
        let mark = Hexadecimal.encode(try SHA256.hash(Array(identity.compactText.utf8))).prefix(8)
        return Copy(
            job: "copy \(ends.source.name) to \(ends.sink.name) #\(mark)",
            parameters: parameters(from: ends.from, to: ends.to, identity: String(mark)),
            load: Load("copy", [Load.Output(relation: relation, sink: ends.sink, mode: mode)]))
    }

    /// Source and sink with the locations that they are made of, options given as flags included.
    ///
    /// - Throws: `badLocation` for ends that can never be those of a copy, since that is wrong usage.
    private func ends() throws -> (source: any Source, sink: any Sink, from: Location, to: Location) {
        do {
            let ends = try CommandEnvironment.current.resolver.ends(from: from, to: to)
            if ends.to.scheme.isEmpty && Self.isPattern(ends.to.address) {
                throw HeadraceError(
                    .badLocation, "\(ends.to) is a pattern, and rows are written to one file",
                    hint: "name one file, such as all.csv")
            }
            return ends
        } catch let error as HeadraceError where error.code == .unsupported {
            var usage = error
            usage.code = .badLocation
            throw usage
        }
    }

    /// Whether a path has wildcards that are neither part of a file's name nor of its folder's.
    private static func isPattern(_ path: String) -> Bool {
        func isWild(_ part: Substring) -> Bool { part.contains("*") || part.contains("[") }
        guard isWild(path[...]), access(path, F_OK) != 0 else { return false }
        guard let slash = path.lastIndex(of: "/") else { return true }
        let folder = path[..<slash]
        return isWild(path[slash...]) || isWild(folder) && access(String(folder), F_OK) != 0
    }

    /// The mode asked for where the sink has it, else the first that it has; append and replace take no key.
    private func sinkMode(for sink: any Sink, at location: Location) throws -> SinkMode {
        let offered = [
            sink is any AppendingSink ? "append" : nil, sink is any ReplacingSink ? "replace" : nil,
            sink is any UpsertingSink ? "upsert" : nil, sink is any InsertingSink ? "insert" : nil,
            sink is any MirroringSink ? "mirror" : nil, sink is any HistorySink ? "history" : nil,
        ].compactMap { $0 }
        guard let wanted = mode ?? offered.first, offered.contains(wanted) else {
            throw HeadraceError(
                .badOption, "\(sink.name) cannot be written by \(mode ?? "any mode")",
                fields: [("modes", offered.joined(separator: ", "))], hint: "use --mode \(offered.first ?? "replace")")
        }
        let given = key ?? location["key"]
        if wanted != "history" { try history.refuse() }
        guard wanted != "append", wanted != "replace" else {
            guard given == nil else {
                throw HeadraceError(
                    .badOption, "a key is given, and \(wanted) needs none",
                    hint: "add --mode upsert, or leave the key out")
            }
            return wanted == "append" ? .append : .replace
        }
        let keys = (given ?? "").split(separator: ",").map(String.init)
        guard !keys.isEmpty else {
            throw HeadraceError(
                .badOption, "\(sink.name) is to be written by key, and none is named",
                hint: "name the key columns by --key, or by key= in the location")
        }
        return switch wanted {
        case "insert": .insert(on: keys)
        case "mirror": .mirror(on: keys)
        case "history": .history(on: keys, try history.columns())
        default: .upsert(on: keys)
        }
    }
}
