import HeadraceCore
import Synchronization

/// Collects the rejects of a run and adds them to the ledger in larger pieces.
actor LedgerRejectWriter: RejectWriter {
    private let ledger: any LedgerStore
    private let run: String
    private var waiting: [Reject] = []
    private var epoch = 0
    /// Rejects held in memory before they are added.
    private let most = 2000

    init(_ ledger: any LedgerStore, run: String) {
        self.ledger = ledger
        self.run = run
    }

    func write(_ rejects: [Reject], epoch: Int) async throws {
        if epoch != self.epoch { try await flush() }
        self.epoch = epoch
        waiting.append(contentsOf: rejects)
        if waiting.count >= most { try await flush() }
    }

    func flush() async throws {
        guard !waiting.isEmpty else { return }
        let rejects = waiting
        waiting = []
        try await ledger.add(rejects, run: run, epoch: epoch)
    }
}
