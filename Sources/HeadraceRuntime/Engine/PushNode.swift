import HeadraceColumnar
import HeadraceCore

/// A running operator: takes batches from many workers and hands what it makes of them on.
protocol PushNode: AnyObject, Sendable {
    /// Takes a batch in a turn. Never keeps the turn.
    func push(_ batch: Batch, in turn: Turn) throws
    /// Called once by the driver when everything upstream has ended.
    func finish() throws
}

/// Takes several inputs to their ends before it ends itself.
///
/// - Invariant (`@unchecked Sendable`): `left` is changed by the driver's thread only.
final class UnionNode: PushNode, @unchecked Sendable {
    private let step: StepHandle
    private let next: any PushNode
    private var left: Int

    init(_ step: StepHandle, inputs: Int, next: any PushNode) {
        self.step = step
        self.next = next
        left = inputs
    }

    func push(_ batch: Batch, in turn: Turn) throws {
        try turn.note(step, StepDelta(input: batch.count, output: batch.count))
        try next.push(batch, in: turn)
    }

    func finish() throws {
        left -= 1
        if left == 0 { try next.finish() }
    }
}

/// Hands every batch to each of several arms.
final class ForkNode: PushNode {
    private let arms: [any PushNode]
    init(_ arms: [any PushNode]) { self.arms = arms }

    func push(_ batch: Batch, in turn: Turn) throws {
        for arm in arms { try arm.push(batch, in: turn) }
    }

    func finish() throws {
        for arm in arms { try arm.finish() }
    }
}

/// Runs a row-wise step, one instance a worker.
///
/// - Invariant (`@unchecked Sendable`): entry `i` of `stages` is touched by worker `i` only; the array never changes size.
final class StageNode: PushNode, @unchecked Sendable {
    private let step: StepHandle
    private let make: @Sendable () throws -> any Stage
    private let next: any PushNode
    private let clock: any RunClock
    private let stages: UnsafeMutableBufferPointer<(any Stage)?>

    init(
        _ step: StepHandle, workers: Int, clock: any RunClock, next: any PushNode,
        make: @escaping @Sendable () throws -> any Stage
    ) {
        self.step = step
        self.make = make
        self.next = next
        self.clock = clock
        stages = .allocate(capacity: workers)
        stages.initialize(repeating: nil)
    }

    deinit {
        stages.deinitialize()
        stages.deallocate()
    }

    func push(_ batch: Batch, in turn: Turn) throws {
        let stage: any Stage
        if let ready = stages[turn.worker] {
            stage = ready
        } else {
            stage = try make()
            stages[turn.worker] = stage
        }
        let began = clock.monotonic()
        var result: StageResult
        do { result = try stage.process(batch) } catch {
            throw HeadraceError.wrapping(error, "step \(step.name) failed").at(
                "step \(step.name), batch \(batch.sequence)")
        }
        let rejects = result.batch.rejects
        result.batch.rejects = []
        try turn.note(
            step,
            StepDelta(
                input: batch.count, added: result.added, output: result.batch.count, rejected: rejects.count,
                filtered: result.filtered, merged: result.merged, nanoseconds: clock.monotonic() - began),
            rejects: rejects)
        if result.batch.count > 0 { try next.push(result.batch, in: turn) }
    }

    func finish() throws { try next.finish() }
}
