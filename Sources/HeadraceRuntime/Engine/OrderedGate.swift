import HeadraceCore

/// Lets the pieces of a phase through in their order, whichever worker finishes first.
///
/// - Invariant (`@unchecked Sendable`): stored properties are touched under `condition` only.
final class OrderedGate: @unchecked Sendable {
    private let condition = Condition()
    private let stepper: Stepper?
    private var current: UInt64 = 0
    private var failure: (any Error)?

    init(stepper: Stepper?) { self.stepper = stepper }

    /// Waits until all numbers before `number` are done; throws when the phase has failed.
    func acquire(_ number: UInt64, worker: Int) throws {
        while true {
            condition.lock()
            if let failure {
                condition.unlock()
                throw failure
            }
            if current == number {
                condition.unlock()
                return
            }
            if stepper == nil { condition.wait() }
            condition.unlock()
            stepper?.pass(worker)
        }
    }

    /// Ends the turn that `acquire` gave.
    func release(_ number: UInt64) {
        condition.lock()
        current = number + 1
        condition.broadcast()
        condition.unlock()
    }

    /// Wakes everyone who waits, with the error that ended the phase.
    func fail(_ error: any Error) {
        condition.lock()
        if failure == nil { failure = error }
        condition.broadcast()
        condition.unlock()
    }
}

/// One piece of a phase on its way through the operators: a chunk of a source or a partition of a breaker.
///
/// Collects what the steps did with its rows; the run takes that over, in order, when the turn is completed. Used by
/// one worker.
final class Turn {
    let number: UInt64
    let worker: Int
    private let gate: OrderedGate
    private var isAcquired = false
    private(set) var rejects: [Reject] = []
    private(set) var deltas: [(step: Int, delta: StepDelta)] = []
    /// Bytes handed to sinks in this turn.
    var writtenBytes = 0

    init(_ number: UInt64, gate: OrderedGate, worker: Int) {
        self.number = number
        self.gate = gate
        self.worker = worker
    }

    /// Waits until all earlier turns are completed. A sink calls it before it writes.
    func acquire() throws {
        guard !isAcquired else { return }
        try gate.acquire(number, worker: worker)
        isAcquired = true
    }

    /// Lets the next turn go on.
    func release() { gate.release(number) }

    /// Adds what step number `step` did; throws `accountMismatch` when it does not add up.
    func note(_ step: StepHandle, _ delta: StepDelta, rejects: [Reject] = []) throws {
        guard delta.isBalanced else { throw delta.mismatch(in: step.name) }
        deltas.append((step.ordinal, delta))
        guard !rejects.isEmpty else { return }
        self.rejects.append(contentsOf: rejects.map { $0.of(step) })
    }
}

extension Reject {
    /// The same with the name of the step that refused it.
    func of(_ step: StepHandle) -> Reject {
        var named = self
        named.step = step.name
        return named
    }
}
