import ArgumentParser
import Glibc
import HeadraceCore
import HeadraceRuntime

/// Where the state lies and how a command talks.
struct CommonOptions: ParsableArguments {
    @Option(
        help:
            "The folder of ledger and rejects (default: $HEADRACE_STATE, $XDG_STATE_HOME/headrace, ~/.local/state/headrace)."
    )
    var state: String?

    @Flag(help: "Print errors only.")
    var quiet = false

    @Flag(help: "Write log and progress to standard error as one JSON object a line.")
    var jsonLog = false

    /// Where the state folder is or will be.
    var stateFolderName: String {
        state ?? Self.variable("HEADRACE_STATE") ?? Self.variable("XDG_STATE_HOME").map { $0 + "/headrace" }
            ?? (Self.variable("HOME") ?? ".") + "/.local/state/headrace"
    }

    /// The state folder, made when it is not there.
    func stateFolder() throws -> String {
        let folder = stateFolderName
        var path = folder.hasPrefix("/") ? "/" : ""
        for part in folder.split(separator: "/") {
            path += part + "/"
            if mkdir(path, 0o700) != 0 && errno != EEXIST {
                throw HeadraceError(
                    .inputOutput, "the state folder \(folder) cannot be made",
                    because: String(cString: strerror(errno)),
                    hint: "name another one by --state")
            }
        }
        return folder
    }

    func openLedger() async throws -> any LedgerStore {
        try await CommandEnvironment.current.tool.openLedger(try stateFolder())
    }

    static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    var log: EventLog {
        LogOutput.log(json: jsonLog, least: quiet ? .error : .info, clock: SystemClock())
    }
}

/// How a run goes about its work.
struct RunningOptions: ParsableArguments {
    @Option(help: "Worker threads (default: all processors).")
    var threads: Int?

    @Option(help: "Megabytes that deduplication, joins and sorts may hold before they use disk.")
    var memory = 1024

    @Option(
        help: ArgumentHelp(
            "Rows that may be refused before the exit status is 3; a number, or a share such as 5%.", valueName: "n|p%")
    )
    var maxRejects: String?

    @Flag(help: "Fail with status 1 when --max-rejects is passed: a number at once, a share before the next commit.")
    var stopOnRejects = false

    @Flag(
        help:
            "Start over instead of going on after an interrupted run; refused where rows were already appended to a table."
    )
    var restart = false

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads takes a number from 1") }
        if memory < 16 { throw ValidationError("--memory takes a number of megabytes from 16") }
        if let maxRejects, Self.allowance(maxRejects) == nil {
            throw ValidationError("--max-rejects takes a number of rows or a share such as 5%")
        }
    }

    static func allowance(_ text: String) -> RejectAllowance? {
        if text.hasSuffix("%") {
            guard let share = Double(text.dropLast()), (0...100).contains(share) else { return nil }
            return .share(share / 100)
        }
        return Int(text).flatMap { $0 >= 0 ? .rows($0) : nil }
    }

    /// The options of a run that is watched, cancelled by signals and steered by fault points from the environment.
    func options(_ common: CommonOptions, allowed: RejectAllowance, commit: CommitPolicy = .standard) -> (
        RunOptions, ProgressLine?
    ) {
        let clock = SystemClock()
        let cancellation = Cancellation()
        SignalWatch.cancel(cancellation)
        let progress =
            common.quiet
            ? nil : common.jsonLog ? ProgressLine(clock: clock, form: .log(common.log)) : ProgressLine(clock: clock)
        let options = RunOptions(
            clock: clock, scheduling: .threaded(workers: threads ?? SystemFacts.processors), memoryLimit: memory << 20,
            temporaryFolder: CommonOptions.variable("TMPDIR") ?? "/tmp", progress: progress ?? SilentProgress(),
            log: common.log, faults: EnvironmentFaults.fromEnvironment(), cancellation: cancellation, commit: commit,
            allowedRejects: maxRejects.flatMap(Self.allowance) ?? allowed, stopsOnRejects: stopOnRejects,
            restarts: restart)
        return (options, progress)
    }
}
