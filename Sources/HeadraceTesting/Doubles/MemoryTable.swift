public import HeadraceColumnar
public import HeadraceCore
import Synchronization

/// A table in memory that is written by key: upserts, inserts, mirrors and keeps histories, and commits rows together with
/// their checkpoint, as a sink in a database does.
///
/// The mistakes that the contracts must find can be switched on. For rows without keys there is `MemorySink`.
public final class MemoryTable: UpsertingSink, InsertingSink, MirroringSink, HistorySink, Sendable {
    /// Ways to break the promises of the modes.
    public enum Fault: Sendable, Hashable, CaseIterable {
        /// Leaves a row as it was, and counts it as updated.
        case leavesOldValues
        /// Counts rows that are as they were as updated.
        case countsUnchangedAsUpdated
        /// Lets an insert change the row of its key.
        case overwritesInserted
        /// Deletes nothing at the end of a mirror, and counts as if it had.
        case deletesNothing
        /// Deletes before the commit.
        case deletesEarly
        /// Leaves the deleted rows out of the counts.
        case countsNoDeletion
        /// Knows the keys of the current epoch alone, and of none from before an interruption.
        case forgetsSeenKeys
        /// Keeps the keys of a mirror after its last commit.
        case leavesSeenKeys
        /// Begins a version where a row does not differ from the one that holds.
        case beginsEqualVersions
        /// Does not end the version before.
        case leavesVersionsOpen
        /// Takes a row that comes late for the newest.
        case ignoresTimes
        /// Marks every version as the current one.
        case marksAllCurrent
    }

    struct State {
        var content = KeyedRows()
        /// Keys that a mirror's load has had so far.
        var seen: Set<[Scalar]> = []
        var checkpoints: [String: Checkpoint] = [:]
        var fences: [String: Int64] = [:]
        var openWriters = 0
    }

    public let name: String
    let fault: Fault?
    let state = Mutex(State())

    /// A table that is not there yet: its first rows make its columns.
    public init(_ name: String, fault: Fault? = nil) {
        self.name = name
        self.fault = fault
    }

    /// The values of these columns in all rows that others see, in no order.
    public func rows(_ columns: [String]) -> [[Scalar]] { state.withLock { $0.content.rows(columns) } }

    /// What loads have left behind: writers that were neither finished nor aborted, keys of a mirror that has ended.
    public var leftovers: [String] {
        state.withLock { state in
            (state.openWriters == 0 ? [] : ["\(state.openWriters) open writers"])
                + (state.seen.isEmpty ? [] : ["\(state.seen.count) keys"])
        }
    }

    public func openWriter(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> Writer {
        let mode = try KeyedRows.Mode(mode, schema, now: context.clock.now(), fault: fault)
        let seen = try state.withLock { state in
            try Self.check(context, state, name)
            state.openWriters += 1
            return context.resumed == nil || fault == .forgetsSeenKeys ? [] : state.seen
        }
        return Writer(self, mode, context, seen: seen)
    }

    public func committed(in context: RunContext) async throws -> Checkpoint? {
        state.withLock { $0.checkpoints[context.job] }
    }

    public func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String] {
        ["\(mode.name) rows of \(schema)"]
    }

    fileprivate static func check(_ context: RunContext, _ state: State, _ name: String) throws {
        guard state.fences[context.job, default: 0] <= context.fence else {
            throw HeadraceError(.leaseLost, "a later run has written to \(name)")
        }
    }

    /// - Invariant (`@unchecked Sendable`): the mutable state is used by one caller at a time, as `SinkWriter` promises.
    public final class Writer: MirroringWriter, @unchecked Sendable {
        private let table: MemoryTable
        private let mode: KeyedRows.Mode
        private let context: RunContext
        private var waiting: [[Scalar]] = []
        private var seen: Set<[Scalar]>
        private var deletesAbsent = false
        private var isOpen = true

        init(_ table: MemoryTable, _ mode: KeyedRows.Mode, _ context: RunContext, seen: Set<[Scalar]>) {
            self.table = table
            self.mode = mode
            self.context = context
            self.seen = seen
        }

        public func encode(_ batch: Batch) throws -> [[Scalar]] { batch.records.rows }

        public func write(_ rows: [[Scalar]]) async throws -> [Reject] {
            waiting += rows
            seen.formUnion(rows.map(mode.key))
            return []
        }

        public func deleteAbsent() async throws -> Int {
            deletesAbsent = true
            if table.fault == .deletesEarly {
                _ = table.state.withLock { $0.content.delete(but: seen, mode) }
            }
            return work().counts.deleted
        }

        /// The table as the commit will leave it, and what became of the rows.
        private func work() -> (content: KeyedRows, counts: WriteCounts) {
            var content = table.state.withLock { $0.content }
            var counts = content.apply(waiting, mode)
            if deletesAbsent { counts.deleted = content.delete(but: seen, mode) }
            return (content, counts)
        }

        public func settle() async throws -> WriteCounts {
            var counts = work().counts
            if table.fault == .countsNoDeletion { counts.deleted = 0 }
            return counts
        }

        public func commit(_ checkpoint: Checkpoint) async throws {
            try context.faults.reach("memory.beforeCommit")
            let content = work().content
            try table.state.withLock { state in
                try MemoryTable.check(context, state, table.name)
                state.fences[context.job] = context.fence
                state.content = content
                state.checkpoints[context.job] = checkpoint
                state.seen = checkpoint.isFinal && table.fault != .leavesSeenKeys || !mode.isMirror ? [] : seen
                if checkpoint.isFinal { close(&state) }
            }
            waiting = []
            deletesAbsent = false
            if table.fault == .forgetsSeenKeys { seen = [] }
            try context.faults.reach("memory.afterCommit")
        }

        public func abort() async {
            waiting = []
            table.state.withLock { close(&$0) }
        }

        private func close(_ state: inout State) {
            if isOpen { state.openWriters -= 1 }
            isOpen = false
        }
    }
}
