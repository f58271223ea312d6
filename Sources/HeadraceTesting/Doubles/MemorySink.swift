public import HeadraceColumnar
public import HeadraceCore
import Synchronization

/// A table in memory that commits rows together with their checkpoint, as a transactional sink does.
///
/// The mistakes that a harness must find can be switched on.
public final class MemorySink: AppendingSink, ReplacingSink, Sendable {
    /// Ways to break the promises of a sink.
    public enum Fault: Sendable, Hashable {
        /// Drops one row of every batch without a word, and counts only what it kept.
        case dropsRows
        /// Makes rows visible before they are committed.
        case showsEarly
        /// Throws when batch number n (from 0) is written.
        case failsWriting(batch: Int)
        /// Throws after the rows of the commit are visible, as when an answer is lost.
        case failsAfterCommit
        /// Commits the checkpoint before the rows, so that a failure between the two loses them.
        case commitsCheckpointFirst
        /// Commits the rows before the checkpoint, so that a failure between the two has them loaded twice.
        case commitsRowsFirst
        /// Lets a run write that has lost its lease.
        case forgetsFences
        /// Adds where it should replace.
        case keepsOldRows
        /// Keeps what it holds open when a load is aborted.
        case leaksWriters
        /// Empties the table when a replacing load begins, before it knows that the load will end.
        case emptiesEarly
        /// Writes the rows of each commit once more.
        case doublesRows
        /// Refuses rows whose first column is this value.
        case refuses(Scalar)
    }

    private struct State {
        var rows: [[Scalar]] = []
        var checkpoints: [String: Checkpoint] = [:]
        var fences: [String: Int64] = [:]
        var commits = 0
        var openWriters = 0
    }

    public let name: String
    private let state = Mutex(State())
    private let fault: Mutex<Fault?>

    /// An empty table that takes rows of any schema and, with a fault, makes that mistake from the start.
    public init(_ name: String, fault: Fault? = nil) {
        self.name = name
        self.fault = Mutex(fault)
    }

    /// Switches a mistake on or off.
    public func set(_ fault: Fault?) { self.fault.withLock { $0 = fault } }

    /// The rows that others see.
    public var rows: [[Scalar]] { state.withLock { $0.rows } }
    /// Commits of all writers so far, the final ones included.
    public var commits: Int { state.withLock { $0.commits } }
    /// Writers that were opened and neither finished nor aborted.
    public var openWriters: Int { state.withLock { $0.openWriters } }

    public func openWriter(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> Writer {
        let empties = if case .replace = mode { fault.withLock { $0 } == .emptiesEarly } else { false }
        try state.withLock {
            if fault.withLock({ $0 }) != .forgetsFences, $0.fences[context.job, default: 0] > context.fence {
                throw HeadraceError(.leaseLost, "a later run has written to \(name)")
            }
            if empties { $0.rows = [] }
            $0.openWriters += 1
        }
        return Writer(self, mode: mode, context: context)
    }

    public func committed(in context: RunContext) async throws -> Checkpoint? {
        state.withLock { $0.checkpoints[context.job] }
    }

    public func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String] {
        ["\(mode.name) rows of \(schema)"]
    }

    /// - Invariant (`@unchecked Sendable`): the mutable state is used by one caller at a time, as `SinkWriter` promises.
    public final class Writer: SinkWriter, @unchecked Sendable {
        private let sink: MemorySink
        private let mode: SinkMode
        private let context: RunContext
        private var waiting: [[Scalar]] = []
        private var batches = 0
        private var hasShown = false
        private var isOpen = true

        init(_ sink: MemorySink, mode: SinkMode, context: RunContext) {
            self.sink = sink
            self.mode = mode
            self.context = context
        }

        /// The rows with the batch they came in, for the rejects of a refusal.
        public struct Encoded: Sendable {
            let batch: Batch
            let rows: [[Scalar]]
        }

        public func encode(_ batch: Batch) throws -> Encoded {
            Encoded(batch: batch, rows: (0..<batch.count).map { batch.records.row(at: $0) })
        }

        public func write(_ encoded: Encoded) async throws -> [Reject] {
            defer { batches += 1 }
            var rows = encoded.rows
            var rejects: [Reject] = []
            switch sink.fault.withLock({ $0 }) {
            case .dropsRows: rows.removeLast()
            case .failsWriting(let batch) where batch == batches:
                throw HeadraceError(.inputOutput, "the sink was cut off", retry: .mayHelp)
            case .showsEarly: sink.state.withLock { $0.rows += rows }
            case .refuses(let value):
                for (index, row) in rows.enumerated() where row.first == value {
                    rejects.append(
                        encoded.batch.reject(
                            row: index, rule: "refused", code: "refused", message: "the sink refuses the row"))
                }
                rows.removeAll { $0.first == value }
            default: break
            }
            waiting += rows
            return rejects
        }

        public func settle() async throws -> WriteCounts { WriteCounts(inserted: waiting.count) }

        public func commit(_ checkpoint: Checkpoint) async throws {
            let fault = sink.fault.withLock { $0 }
            if fault == .commitsCheckpointFirst {
                sink.state.withLock { $0.checkpoints[context.job] = checkpoint }
                try context.faults.reach("memory.betweenCommits")
            }
            if fault == .commitsRowsFirst {
                sink.state.withLock { show(&$0, checkpoint) }
                try context.faults.reach("memory.betweenCommits")
            }
            try context.faults.reach("memory.beforeCommit")
            try sink.state.withLock { state in
                let newest = state.fences[context.job, default: 0]
                guard newest <= context.fence || fault == .forgetsFences else {
                    throw HeadraceError(.leaseLost, "a later run has written to \(sink.name)")
                }
                state.fences[context.job] = max(newest, context.fence)
                if fault == .doublesRows { waiting += waiting }
                show(&state, checkpoint)
                state.checkpoints[context.job] = checkpoint
                state.commits += 1
                if checkpoint.isFinal { close(&state) }
            }
            if fault == .failsAfterCommit {
                throw HeadraceError(.inputOutput, "the answer to the commit was lost", retry: .mayHelp)
            }
            try context.faults.reach("memory.afterCommit")
        }

        /// Moves the waiting rows into the table; the first ones of a replacing load take the place of the old.
        private func show(_ state: inout State, _ checkpoint: Checkpoint) {
            if case .replace = mode, !hasShown, sink.fault.withLock({ $0 }) != .keepsOldRows { state.rows = [] }
            hasShown = true
            state.rows += waiting
            waiting = []
        }

        public func abort() async {
            waiting = []
            if sink.fault.withLock({ $0 }) != .leaksWriters { sink.state.withLock { close(&$0) } }
        }

        private func close(_ state: inout State) {
            if isOpen { state.openWriters -= 1 }
            isOpen = false
        }
    }
}
