public import HeadraceColumnar
public import HeadraceCore

private struct DiscardedRejects: RejectWriter {
    func write(_ rejects: [Reject], epoch: Int) async throws {}
    func flush() async throws {}
}

extension RunContext {
    /// The context of a run that nobody watches, for calls to sources, sinks and transforms without an engine.
    ///
    /// - Parameters:
    ///   - run: `run-` and the fence when nil.
    ///   - memory: the budget in bytes.
    ///   - seed: what random numbers start from.
    public static func testing(
        job: String = "job", run: String? = nil, fence: Int64 = 1, clock: any RunClock = VirtualClock(),
        seed: UInt64 = 1, memory: Int = 64 << 20, log: EventLog = .none, faults: any FaultPoints = NoFaults(),
        cancellation: Cancellation = Cancellation()
    ) -> RunContext {
        RunContext(
            job: job, run: run ?? "run-\(fence)", fence: fence, clock: clock, random: RunRandom(seed: seed),
            memory: MemoryBudget(limit: memory), spillFolder: "/tmp", rejects: DiscardedRejects(),
            progress: SilentProgress(), log: log, faults: faults, cancellation: cancellation,
            scheduling: .threaded(workers: 1))
    }
}

/// Rows whose place and original tell their number, counted from 1.
private final class NumberedRows: Origin {
    func place(of row: Int) -> Place { Place(source: "test", line: row + 2, row: row + 1) }
    func original(of row: Int) -> [UInt8]? { Array("original \(row)".utf8) }
}

extension Batch {
    /// Rows as a reader hands them on: row 1 of the source `test` stands in line 2, its original is `original 0`.
    public static func testing(_ records: RecordBatch) -> Batch {
        Batch(
            records, provenance: Provenance(NumberedRows()), stream: StreamID("s"), sequence: 0,
            recordsRead: records.count)
    }
}

extension Checkpoint {
    /// The checkpoint of a run that has read the stream `s` to position 7.
    public static func testing(
        epoch: Int = 1, final: Bool = true, run: String = "run-1", positions: [String: JSONValue] = ["s": 7]
    ) -> Checkpoint {
        Checkpoint(
            epoch: epoch,
            positions: Dictionary(uniqueKeysWithValues: positions.map { (StreamID($0), Position($1)) }),
            isFinal: final, run: run)
    }
}

extension RecordBatch {
    /// A batch of rows. Throws when a value does not fit its field.
    public static func of(_ schema: Schema, _ rows: [[Scalar]]) throws -> RecordBatch {
        guard let batch = RecordBatch(schema: schema, rows: rows) else {
            throw HeadraceError(.schemaMismatch, "a value does not fit its field of \(schema)")
        }
        return batch
    }

    /// The rows one by one, for comparing.
    public var rows: [[Scalar]] { (0..<count).map { row(at: $0) } }
}

extension [Batch] {
    /// The rows of all batches, for comparing.
    public var rows: [[Scalar]] { flatMap(\.records.rows) }
    /// The whole numbers of the first column, which tell rows apart; -1 for anything else.
    public var identifiers: [Int] {
        rows.map { if case .integer(let id)? = $0.first { Int(truncatingIfNeeded: id) } else { -1 } }
    }
    /// The rejects of all batches.
    public var rejects: [Reject] { flatMap(\.rejects) }
}
