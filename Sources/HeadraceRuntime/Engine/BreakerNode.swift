import HeadraceCore

/// Feeds an operator with state and, once its inputs have ended, drives what comes out of it.
final class BreakerNode: Sendable {
    private let step: StepHandle
    private let breaker: any Breaker
    private let next: any PushNode
    private let run: LoadRun

    init(_ step: StepHandle, _ breaker: any Breaker, next: any PushNode, run: LoadRun) {
        self.step = step
        self.breaker = breaker
        self.next = next
        self.run = run
    }

    /// The node that the operator's input number `index` pushes into.
    func input(_ index: Int) -> any PushNode { Port(node: self, index: index) }

    private final class Port: PushNode {
        private let node: BreakerNode
        private let index: Int
        init(node: BreakerNode, index: Int) {
            self.node = node
            self.index = index
        }
        func push(_ batch: Batch, in turn: Turn) throws { try node.push(batch, input: index, in: turn) }
        func finish() throws { try node.finish(index) }
    }

    /// Lets go of the operator's state, on any path.
    func discard() { breaker.discard() }

    private func push(_ batch: Batch, input: Int, in turn: Turn) throws {
        let began = run.context.clock.monotonic()
        var downstream: Int64 = 0
        try turn.note(step, StepDelta(input: batch.count, isOpen: true))
        try breaker.consume(batch, input: input) { ready in
            var ready = ready
            let rejects = ready.rejects
            ready.rejects = []
            let delta = StepDelta(output: ready.count, rejected: rejects.count, isOpen: true)
            try turn.note(self.step, delta, rejects: rejects)
            if ready.count == 0 { return }
            let pushed = self.run.context.clock.monotonic()
            try self.next.push(ready, in: turn)
            downstream += self.run.context.clock.monotonic() - pushed
        }
        let spent = run.context.clock.monotonic() - began - downstream
        try turn.note(step, StepDelta(nanoseconds: spent, isOpen: true))
    }

    private func finish(_ input: Int) throws {
        try breaker.finishInput(input)
        guard input == breaker.inputs - 1 else { return }
        try run.phase(pieces: breaker.partitions) { partition, turn in
            let began = self.run.context.clock.monotonic()
            try self.breaker.produce(partition: partition) { batch in
                var batch = batch
                let rejects = batch.rejects
                batch.rejects = []
                try turn.note(
                    self.step, StepDelta(output: batch.count, rejected: rejects.count, isOpen: true), rejects: rejects)
                if batch.count > 0 { try self.next.push(batch, in: turn) }
            }
            try turn.note(
                self.step, StepDelta(nanoseconds: self.run.context.clock.monotonic() - began, isOpen: true))
        }
        // The operator's own count of what it added, merged and filtered closes the account that was open until now.
        let own = breaker.account
        try run.close(
            step, StepDelta(added: own.added, filtered: own.filtered, merged: own.merged, isOpen: true),
            input: own.input, rejected: own.rejected)
        try next.finish()
    }
}
