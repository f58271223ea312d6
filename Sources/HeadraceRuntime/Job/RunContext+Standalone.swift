public import HeadraceCore

extension RunContext {
    /// A context for looking without running: schemas, previews, plans, checks. Keeps no rejects and no ledger entry.
    public static func looking(_ options: RunOptions = RunOptions(), job: String = "look") -> RunContext {
        RunContext(
            job: job, run: "look", fence: 0, clock: options.clock,
            random: RunRandom(seed: options.seed ?? SystemFacts.entropy()),
            memory: MemoryBudget(limit: options.memoryLimit),
            spillFolder: options.temporaryFolder, rejects: DroppedRejects(), progress: SilentProgress(),
            log: options.log,
            faults: options.faults, cancellation: options.cancellation, scheduling: options.scheduling)
    }
}

/// Takes rejects of a look and forgets them.
private struct DroppedRejects: RejectWriter {
    func write(_ rejects: [Reject], epoch: Int) async throws {}
    func flush() async throws {}
}
