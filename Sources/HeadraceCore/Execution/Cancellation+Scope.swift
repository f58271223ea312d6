extension Cancellation {
    /// Runs asynchronous work that ends when the run is asked to stop: what awaits inside sees a cancelled task then.
    ///
    /// - Throws: `cancelled` when the run was or is asked to stop and the work failed for it, else what `body` throws.
    public func scope<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
        try check()
        let task = Task.detached { try await body() }
        let key = onCancel { task.cancel() }
        defer { remove(key) }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            if isCancelled || error is CancellationError { throw HeadraceError.cancelled }
            throw error
        }
    }
}
