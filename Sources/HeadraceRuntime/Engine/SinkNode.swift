import HeadraceColumnar
import HeadraceCore

/// What the run needs of an opened sink, whatever its type.
protocol SinkEnd: PushNode {
    var name: String { get }
    var step: StepHandle { get }
    /// Rows handed over and accepted since the last commit, by the engine's count.
    var pending: Int { get }
    /// Whether rows of the target that the load did not have are to go.
    var isMirror: Bool { get }
    /// Deletes what the load did not have, for a mirror.
    /// - Returns: how many rows went; 0 for every other mode.
    func deleteAbsent() async throws -> Int
    /// Writes what the sink has in hand.
    /// - Returns: rows that it refuses; they do not count as handed over any more.
    func drain() async throws -> [Reject]
    func settle() async throws -> WriteCounts
    func commit(_ checkpoint: Checkpoint) async throws
    func abort() async
}

/// Encodes batches on all workers and writes them in order.
///
/// - Invariant (`@unchecked Sendable`): `accepted` is touched by the holder of the turn, one at a time.
final class SinkNode<Writer: SinkWriter>: SinkEnd, @unchecked Sendable {
    let name: String
    let step: StepHandle
    private let writer: Writer
    private let mode: SinkMode
    private let clock: any RunClock
    private var accepted = 0

    init(_ name: String, _ step: StepHandle, _ writer: Writer, mode: SinkMode, clock: any RunClock) {
        self.name = name
        self.step = step
        self.writer = writer
        self.mode = mode
        self.clock = clock
    }

    var pending: Int { accepted }

    var isMirror: Bool { if case .mirror = mode { true } else { false } }

    func push(_ batch: Batch, in turn: Turn) throws {
        let began = clock.monotonic()
        let encoded = try locating(batch) { try writer.encode(batch) }
        let encodedAt = clock.monotonic()
        try turn.acquire()
        let resumed = clock.monotonic()
        let rejects = try locating(batch) { try write(encoded) }
        try accept(batch.count, rejects)
        turn.writtenBytes += batch.records.byteSize
        try turn.note(
            step,
            StepDelta(
                input: batch.count, output: batch.count - rejects.count, rejected: rejects.count,
                nanoseconds: encodedAt - began + clock.monotonic() - resumed),
            rejects: rejects)
    }

    /// Counts rows that were handed over and rows that were refused, maybe of earlier batches.
    private func accept(_ rows: Int, _ rejects: [Reject]) throws {
        guard rejects.count <= accepted + rows else {
            throw HeadraceError(
                .accountMismatch, "sink \(name) refused \(rejects.count) rows and was given \(accepted + rows)")
        }
        accepted += rows - rejects.count
    }

    private func write(_ encoded: Writer.Encoded) throws -> [Reject] {
        if let local = writer as? any SynchronousSinkWriter { return try Self.writeNow(local, encoded) }
        let writer = self.writer
        return try BlockingWork.wait { try await writer.write(encoded) }
    }

    private static func writeNow<Local: SynchronousSinkWriter>(_ writer: Local, _ encoded: Writer.Encoded) throws
        -> [Reject]
    {
        guard let same = encoded as? Local.Encoded else { preconditionFailure("a writer's encoded type changed") }
        return try writer.writeNow(same)
    }

    private func locating<R>(_ batch: Batch, _ body: () throws -> R) throws -> R {
        do { return try body() } catch {
            let last = batch.provenance.place(of: max(0, batch.count - 1))
            throw HeadraceError.wrapping(error, "writing to \(name) failed")
                .at("step \(step.name), rows \(batch.provenance.place(of: 0)) to \(last)")
        }
    }

    func deleteAbsent() async throws -> Int {
        guard isMirror else { return 0 }
        guard let mirror = writer as? any MirroringWriter else {
            throw HeadraceError(.unsupported, "\(name) cannot be written by mirror")
        }
        let deleted = try await mirror.deleteAbsent()
        accepted += deleted
        return deleted
    }

    func drain() async throws -> [Reject] {
        let rejects = try await writer.drain()
        try accept(0, rejects)
        return rejects
    }

    func settle() async throws -> WriteCounts { try await writer.settle() }

    func commit(_ checkpoint: Checkpoint) async throws {
        try await writer.commit(checkpoint)
        accepted = 0
    }

    func abort() async { await writer.abort() }
    func finish() {}
}
