import ArgumentParser
import HeadraceColumnar
import HeadraceCore
import HeadraceJobs
import HeadraceRuntime

/// Says what a command would do.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Say what run or copy would do: steps, DDL, SQL, files. Changes nothing.",
        subcommands: [PlanCopy.self, PlanDailyPrices.self])
}

struct PlanCopy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "copy", abstract: "Say what a copy would do.")
    @OptionGroup var request: CopyRequest
    @OptionGroup var writing: CopyOptions
    @OptionGroup var running: RunningOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let context = RunContext.looking()
        let copy = try await request.resolve(in: context)
        StandardStreams.output("job: \(copy.job)\n")
        let planned = RunContext.looking(job: copy.job)
        for line in try await copy.load.plan(in: planned) { StandardStreams.output(line + "\n") }
    }
}

struct PlanDailyPrices: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Say what a job would do.", subcommands: [Daily.self])

    struct Daily: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "daily-prices", abstract: "Say what the daily prices job would do.")
        @OptionGroup var job: DailyPricesOptions
        @OptionGroup var running: RunningOptions
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let options = RunOptions()
            let market = job.demo ? "the bundled market" : try job.marketAddress()
            let parts = job.only.flatMap(DailyPricesOptions.parts) ?? Set(DailyPrices.Part.allCases)
            for day in job.days(options.clock) {
                let configuration = try job.configuration(on: day, market: market, state: common.stateFolderName)
                let context = RunContext.looking(options, job: DailyPrices.jobName)
                for line in try await DailyPrices(configuration).plan(parts, in: context) {
                    StandardStreams.output(line + "\n")
                }
                await configuration.keyValue.close()
            }
        }
    }
}

/// Shows the first rows of a location.
struct PreviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview", abstract: "Show the first rows of a location as a table.")
    @Argument(help: "Where the rows come from.") var from: String
    @Option(name: [.customShort("n"), .long], help: "How many rows.") var count = 20
    @OptionGroup var common: CommonOptions

    func validate() throws { if count < 1 { throw ValidationError("-n takes a number from 1") } }

    func run() async throws {
        let context = RunContext.looking()
        let source = try CommandEnvironment.current.resolver.source(from)
        let (records, rejects) = try await Preview.first(count, of: source, in: context)
        StandardStreams.output(TableText.render(records))
        for reject in rejects.prefix(5) {
            StandardStreams.error("refused: \(reject.place): \(reject.messageWithValue)\n")
        }
        if rejects.count > 5 { StandardStreams.error("refused: \(rejects.count - 5) more rows\n") }
    }
}

/// Reads the beginning of a source outside a run.
enum Preview {
    static func first<S: Source>(_ count: Int, of source: S, in context: RunContext) async throws -> (
        RecordBatch, [Reject]
    ) {
        let schema = try await source.schema(in: context)
        let reader = try await source.openReader(for: schema, from: nil, in: context)
        var batches: [RecordBatch] = []
        var rejects: [Reject] = []
        var left = count
        var sequence: UInt64 = 0
        do {
            while left > 0, case .chunk(let chunk, _) = try await reader.next() {
                let batch = try reader.decode(chunk, sequence: sequence)
                sequence += 1
                let taken = min(left, batch.count)
                batches.append(batch.records.slice(from: 0, count: taken))
                rejects += batch.rejects
                left -= taken
            }
            await reader.close()
        } catch {
            await reader.close()
            throw error
        }
        return (batches.isEmpty ? RecordBatch(empty: schema) : Kernels.concat(batches), rejects)
    }
}

/// Shows fields, dialect and how sure the guess is.
struct SchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Show the fields of a location and, for text, how they were found.")
    @Argument(help: "Where the rows come from.") var from: String
    @Flag(help: "One JSON object, which ?schema=FILE reads back.") var json = false
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let context = RunContext.looking()
        let source = try CommandEnvironment.current.resolver.source(from)
        let description: FormatDescription
        if let text = source as? any DescribableSource, let found = try await text.describe(in: context) {
            description = found
        } else {
            description = FormatDescription(format: "table", schema: try await source.schema(in: context))
        }
        StandardStreams.output(json ? Self.json(description).prettyText + "\n" : Self.text(description))
    }

    private static func json(_ description: FormatDescription) -> JSONValue {
        .object([
            ("format", .string(description.format)),
            ("dialect", .object(description.dialect.map { ($0.name, .string($0.value)) })),
            ("encoding", .string(description.encoding)), ("confidence", .double(description.confidence)),
            (
                "fields",
                .array(
                    description.schema.fields.map {
                        .object([
                            ("name", .string($0.name)), ("type", .string($0.type.description)),
                            ("nullable", .bool($0.isNullable)),
                        ])
                    })
            ), ("notes", .array(description.notes.map { .string($0) })),
        ])
    }

    private static func text(_ description: FormatDescription) -> String {
        var text = "format: \(description.format)"
        for (name, value) in description.dialect { text += ", \(name) \(value)" }
        text += "\nencoding: \(description.encoding)\nconfidence: \(Int((description.confidence * 100).rounded())) %\n"
        for note in description.notes { text += "note: \(note)\n" }
        let rows = description.schema.fields.map { [$0.name, $0.type.description, $0.isNullable ? "yes" : "no"] }
        return text + TableText.render(header: ["field", "type", "nullable"], rows: rows)
    }
}

/// Tries whether a location can be reached.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Try whether a location is there and lets us in.")
    @Argument(help: "The location.") var location: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found = try await CommandEnvironment.current.resolver.check(location, in: .looking())
        StandardStreams.output(found + "\n")
    }
}
