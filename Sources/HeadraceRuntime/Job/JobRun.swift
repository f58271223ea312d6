public import HeadraceCore
import Synchronization

/// One run of a job while it works: what its steps use to load, log and remember.
public final class JobRun: Sendable {
    /// Clock, log, progress, cancellation and fence of this run; a step hands it to what it calls.
    public let context: RunContext
    /// For what a step keeps beyond its account: inputs, and values that the job's next run reads.
    public let ledger: any LedgerStore
    let options: RunOptions
    /// The runs whose work this one goes on with.
    let lineage: Lineage
    private let state = Mutex(State())
    private let step: Mutex<String>

    private struct State {
        var accounts: [StepAccount] = []
        var failures: [(step: String, error: HeadraceError)] = []
        var rejected = 0
        var read = 0
    }

    init(context: RunContext, ledger: any LedgerStore, options: RunOptions, lineage: Lineage) {
        self.context = context
        self.ledger = ledger
        self.options = options
        self.lineage = lineage
        step = Mutex("")
    }

    func enter(_ name: String) { step.withLock { $0 = name } }

    /// Runs a load under the current step's name and takes its account into the run's.
    @discardableResult
    public func execute(_ load: Load, settings: LoadSettings? = nil) async throws -> LoadReport {
        let prefix = step.withLock { $0 }
        var context = self.context
        if !prefix.isEmpty { context.job = "\(self.context.job)/\(prefix)/\(load.name)" }
        let (budget, ordinal) = state.withLock { state in
            let budget = RejectBudget(allowance: options.allowedRejects, rejected: state.rejected, read: state.read)
            return (options.stopsOnRejects ? budget : nil, state.accounts.count)
        }
        let execution = LoadExecution(
            load: load, context: context, ledger: ledger,
            settings: settings ?? LoadSettings(commit: options.commit), budget: budget,
            prefix: prefix.isEmpty ? "" : "\(prefix)/\(load.name)", lineage: lineage,
            continues: !options.restarts, firstOrdinal: ordinal)
        var report = try await execution.run()
        // Ordinals run on over all loads of the run, so that its steps list in the order they ran.
        state.withLock { state in
            for index in report.accounts.indices { report.accounts[index].ordinal = state.accounts.count + index }
            state.accounts += report.accounts
            state.rejected += report.rejected
            state.read += report.accounts.first?.input ?? 0
        }
        for account in report.accounts { try await ledger.record(account, of: context.run) }
        return report
    }

    /// Adds an account of work that was not a load (files landed, items synced); it must hold.
    public func record(_ account: StepAccount) async throws {
        guard account.isBalanced else {
            throw HeadraceError(.accountMismatch, "the rows of step \(account.step) do not add up")
        }
        var numbered = account
        state.withLock { state in
            numbered.ordinal = state.accounts.count
            state.accounts.append(numbered)
            state.rejected += numbered.rejected
        }
        try await ledger.record(numbered, of: context.run)
    }

    /// Notes a failure that does not end the run; the run ends "complete with errors".
    public func fail(_ what: String, _ error: any Error) {
        let ours = HeadraceError.wrapping(error, "\(what) failed")
        context.log.error("\(what) failed", [("error", ours.description)])
        state.withLock { $0.failures.append((what, ours)) }
    }

    /// Failures noted so far.
    public var failures: [(step: String, error: HeadraceError)] { state.withLock { $0.failures } }

    func report(_ runState: RunState) -> RunReport {
        state.withLock {
            RunReport(
                run: context.run, state: runState, accounts: $0.accounts, failures: $0.failures, rejected: $0.rejected)
        }
    }

    /// Complete, or complete with errors: a step failed that may, or more rows were refused than allowed.
    var outcome: RunState {
        state.withLock { state in
            state.failures.isEmpty && options.allowedRejects.allows(state.rejected, of: state.read)
                ? .complete : .completeWithErrors
        }
    }
}
