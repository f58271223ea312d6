public import HeadraceColumnar
public import HeadraceCore

extension Sink {
    /// Writes batches as one epoch, settles and commits; aborts and throws when any of that fails.
    ///
    /// - Returns: what the sink says became of the rows, and the rows that it refused.
    @discardableResult
    public func load(
        _ batches: [RecordBatch], schema: Schema, mode: SinkMode, in context: RunContext = .testing(),
        checkpoint: Checkpoint = .testing()
    ) async throws -> (counts: WriteCounts, rejects: [Reject]) {
        let writer = try await openWriter(for: schema, mode: mode, in: context)
        var rejects: [Reject] = []
        do {
            for batch in batches { rejects += try await writer.write(try writer.encode(.testing(batch))) }
            rejects += try await writer.drain()
            let counts = try await writer.settle()
            try await writer.commit(checkpoint)
            return (counts, rejects)
        } catch {
            await writer.abort()
            throw error
        }
    }
}
