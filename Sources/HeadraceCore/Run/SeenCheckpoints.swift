import Synchronization

/// What runs have read as the last checkpoint of a sink, so that none of them commits what another has committed since.
///
/// A fence alone does not keep a run from that which takes a job over: the run that lost its lease may be the one that
/// commits next, before the new one has committed anything. So whoever commits makes sure, in the same transaction, that
/// the checkpoint is still the one from which the run went on. Copies of a sink share what it has seen.
package final class SeenCheckpoints: Sendable {
    /// What a run may commit over.
    package enum Expectation: Sendable, Hashable {
        /// The run did not ask where to go on: it starts anew whatever is there.
        case anything
        /// This checkpoint, or none.
        case only(Checkpoint?)
    }

    private let seen = Mutex<[String: Expectation]>([:])

    package init() {}

    /// Notes what a run has read.
    package func note(_ checkpoint: Checkpoint?, by run: String) {
        seen.withLock { $0[run] = .only(checkpoint) }
    }

    /// What the run may commit over; told once, to the writer that keeps account from then on.
    package func take(by run: String) -> Expectation {
        seen.withLock { $0.removeValue(forKey: run) } ?? .anything
    }
}

extension SeenCheckpoints.Expectation {
    /// Refuses a commit over what is not expected. Call while nobody else can commit for the job.
    /// - Parameters:
    ///   - current: the checkpoint that is there.
    ///   - place: where it is, for the error.
    /// - Throws: `leaseLost` when another run has committed since this one read where to go on.
    package func check(_ current: Checkpoint?, job: String, place: String) throws {
        guard case .only(let expected) = self, expected != current else { return }
        throw HeadraceError(
            .leaseLost, "another run of job \(job) has committed to \(place) since this one began",
            fields: [
                ("checkpoint at the beginning", expected.map { "epoch \($0.epoch) of run \($0.run)" } ?? "none"),
                ("checkpoint now", current.map { "epoch \($0.epoch) of run \($0.run)" } ?? "none"),
            ],
            hint: "nothing of this run's epoch was written; the other run's rows stand; run again to go on after them")
    }
}
