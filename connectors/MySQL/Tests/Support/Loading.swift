import HeadraceColumnar
import HeadraceCore

@testable import HeadraceMySQL

extension MySQLSink {
    /// Writes batches, settles and commits.
    @discardableResult
    func load(
        _ batches: [RecordBatch], schema: Schema, mode: SinkMode, in context: RunContext = .testing(),
        checkpoint: Checkpoint = .testing()
    ) async throws -> (counts: WriteCounts, rejects: [Reject]) {
        let writer = try await openWriter(for: schema, mode: mode, in: context)
        var rejects: [Reject] = []
        do {
            for batch in batches { rejects += try await writer.write(try writer.encode(.testing(batch))) }
            let counts = try await writer.settle()
            try await writer.commit(checkpoint)
            return (counts, rejects)
        } catch {
            await writer.abort()
            throw error
        }
    }
}

extension Bench {
    func sink(_ table: String? = nil) throws -> MySQLSink {
        MySQLSink(configuration: try configuration, table: table)
    }

    /// The names of all tables that are there, Headrace's state apart.
    func tables() throws -> [String] {
        try mariadb(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '\(database)' ORDER BY 1"
        ).filter { $0 != "_headrace_state" && $0 != "_headrace_swap" }
    }
}
