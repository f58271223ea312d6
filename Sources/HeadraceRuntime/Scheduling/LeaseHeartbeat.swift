import HeadraceCore

/// Keeps a run's lease alive.
enum LeaseHeartbeat {
    /// Renews the lease at a third of its time until cancelled; a lease that is lost cancels the run.
    static func start(_ lease: Lease, ledger: any LedgerStore, options: RunOptions) -> Task<Void, Never> {
        Task.detached {
            var lease = lease
            while !Task.isCancelled {
                do {
                    try await options.clock.sleep(for: .microseconds(options.leaseDuration / 3))
                    lease = try await ledger.renew(lease, now: options.clock.now(), duration: options.leaseDuration)
                } catch let error as HeadraceError where error.code == .leaseLost {
                    options.log.error("the lease was lost; the run stops", [("job", lease.job)])
                    options.cancellation.cancel()
                    return
                } catch is CancellationError {
                    return
                } catch {
                    options.log.warning("the lease could not be renewed", [("error", "\(error)")])
                }
            }
        }
    }
}
