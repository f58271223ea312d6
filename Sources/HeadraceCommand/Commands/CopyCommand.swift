import ArgumentParser
import Digests
import HeadraceColumnar
import HeadraceCore
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

    @Option(help: "append, replace or upsert (default: replace for files, append for tables).")
    var mode: String?

    @Option(help: ArgumentHelp("The key columns of an upsert, by commas.", valueName: "a,b"))
    var key: String?

    func validate() throws {
        if let mode, !["append", "replace", "upsert"].contains(mode) {
            throw ValidationError("--mode takes append, replace or upsert")
        }
        if mode == "upsert" && key == nil { throw ValidationError("--mode upsert needs --key") }
        if key != nil && mode != "upsert" { throw ValidationError("--key goes with --mode upsert") }
    }

    init() {}

    /// The request of a run as its ledger entry keeps it.
    init(repeating parameters: JSONValue) throws {
        guard let from = parameters["from"]?.stringValue, let to = parameters["to"]?.stringValue,
            let mode = parameters["mode"]?.stringValue
        else { throw HeadraceError(.unexpected, "the ledger does not say what the run copied") }
        self.init()
        self.from = from
        self.to = to
        self.mode = mode
        key = parameters["key"]?.stringValue
    }

    /// A copy with its ends opened for planning.
    struct Copy {
        let job: String
        let parameters: JSONValue
        let load: Load
    }

    func resolve(in context: RunContext) async throws -> Copy {
        let (source, sink, _, _) = try CommandEnvironment.current.resolver.ends(from: from, to: to)
        let mode = try sinkMode(for: sink)
        let relation = try await Self.fitted(source, to: sink, mode, in: context)
        let fingerprint = try await source.fingerprint(in: context)
        let identity = "\(source.name)\n\(sink.name)\n\(mode.name)\n\(key ?? "")\n\(fingerprint)"
        let mark = Hexadecimal.encode(try SHA256.hash(Array(identity.utf8))).prefix(8)
        return Copy(
            job: "copy \(source.name) to \(sink.name) #\(mark)",
            parameters: .object([
                ("from", .string(from)), ("to", .string(to)), ("mode", .string(mode.name)),
                ("key", key.map { .string($0) } ?? .null), ("fingerprint", .string(fingerprint)),
            ]), load: Load("copy", [Load.Output(relation: relation, sink: sink, mode: mode)]))
    }

    /// The mode asked for where the sink has it, else the first that it has.
    private func sinkMode(for sink: any Sink) throws -> SinkMode {
        let offered = [
            sink is any AppendingSink ? "append" : nil, sink is any ReplacingSink ? "replace" : nil,
            sink is any UpsertingSink ? "upsert" : nil,
        ].compactMap { $0 }
        guard let wanted = mode ?? offered.first, offered.contains(wanted) else {
            throw HeadraceError(
                .badOption, "\(sink.name) cannot be written by \(mode ?? "any mode")",
                fields: [("modes", offered.joined(separator: ", "))], hint: "use --mode \(offered.first ?? "replace")")
        }
        switch wanted {
        case "append": return .append
        case "replace": return .replace
        default:
            let keys = (key ?? "").split(separator: ",").map(String.init)
            guard !keys.isEmpty else {
                throw HeadraceError(.badOption, "\(sink.name) is written by key", hint: "name the key columns by --key")
            }
            return .upsert(on: keys)
        }
    }

    /// The rows of the source in the types of the target where it exists: its columns decide, by name.
    static func fitted(
        _ source: any Source, to sink: any Sink, _ mode: SinkMode, in context: RunContext
    ) async throws -> Relation {
        let found = try await source.schema(in: context)
        guard let target = try await sink.targetSchema(in: context) else { return .scan(step: "read", source) }
        let wanted = found.fields.map { field in
            target[field.name].map { Field(field.name, $0.type, nullable: field.isNullable, metadata: field.metadata) }
                ?? field
        }
        if wanted == found.fields { return .scan(step: "read", source) }
        if let text = source as? any DescribableSource {
            return .scan(step: "read", text.declaring(Schema(wanted)))
        }
        return .project(
            step: "cast",
            zip(found.fields, wanted).map { have, want in
                Projection(
                    have.name, have.type == want.type ? .column(have.name) : .cast(.column(have.name), want.type))
            }, .scan(step: "read", source))
    }
}
