import HeadraceColumnar
import HeadraceCore

private struct NoRejects: RejectWriter {
    func write(_ rejects: [Reject], epoch: Int) async throws {}
    func flush() async throws {}
}

private struct FixedClock: RunClock {
    func now() -> Int64 { 1_700_000_000_000_000 }
    func monotonic() -> Int64 { 0 }
    func sleep(for duration: Duration) async throws {}
}

extension RunContext {
    static func testing(
        job: String = "job", run: String = "run-1", fence: Int64 = 1, faults: any FaultPoints = NoFaults(),
        cancellation: Cancellation = Cancellation()
    ) -> RunContext {
        RunContext(
            job: job, run: run, fence: fence, clock: FixedClock(), random: RunRandom(seed: 1),
            memory: MemoryBudget(limit: 1 << 20), spillFolder: "/tmp", rejects: NoRejects(), progress: SilentProgress(),
            log: .none, faults: faults, cancellation: cancellation, scheduling: .threaded(workers: 1))
    }
}

extension Source {
    /// Reads all rows, or the chunks of the first `limit`.
    func readAll(
        _ schema: Schema? = nil, from position: Position? = nil, chunks limit: Int = .max,
        in context: RunContext = .testing()
    ) async throws -> (batches: [Batch], positions: [Position]) {
        let wanted: Schema
        if let schema { wanted = schema } else { wanted = try await self.schema(in: context) }
        let reader = try await openReader(for: wanted, from: position, in: context)
        var batches: [Batch] = []
        var positions: [Position] = []
        do {
            while batches.count < limit, case .chunk(let chunk, let position) = try await reader.next() {
                batches.append(try reader.decode(chunk, sequence: UInt64(batches.count)))
                positions.append(Position(try JSONValue.parse(position.value.compactText)))
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
        return (batches, positions)
    }
}

extension [Batch] {
    var rows: [[Scalar]] { flatMap { batch in (0..<batch.count).map { batch.records.row(at: $0) } } }
    /// The values of the first column.
    var identifiers: [Int] { rows.map { if case .integer(let id) = $0[0] { Int(id) } else { -1 } } }
}
