import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime

/// Writes `etl_logs`, each row in a transaction of its own, so that "failed" survives a rollback of the load.
struct RunLog: Sendable {
    let warehouse: PriceWarehouse
    let date: CivilDate
    let context: RunContext

    enum Stage: String {
        case start, validation, complete, failed
    }

    enum Status: String {
        case running, success, error
    }

    func write(
        _ stage: Stage, _ status: Status, processed: Int, rejected: Int, started: Int64, error: String? = nil
    ) async throws {
        var context = self.context
        context.job = "daily-prices/etl_logs/\(stage.rawValue)"
        let row: [Scalar] = [
            .date(date.daysSinceEpoch), .utf8(stage.rawValue), .utf8(status.rawValue), .integer(Int128(processed)),
            .integer(Int128(rejected)), .timestamp(started),
            stage == .start ? .null : .timestamp(context.clock.now()), error.map { .utf8($0) } ?? .null,
        ]
        guard let records = RecordBatch(schema: PriceTables.log, rows: [row]) else {
            throw HeadraceError(.unexpected, "a row of the run log does not fit its columns")
        }
        try await append(records, to: warehouse.sink("etl_logs"), context)
    }

    private func append<S: Sink>(_ records: RecordBatch, to sink: S, _ context: RunContext) async throws {
        let writer = try await sink.openWriter(for: records.schema, mode: .append, in: context)
        do {
            let batch = Batch(
                records, provenance: .derived("run log"), stream: StreamID("run log"), sequence: 0,
                recordsRead: records.count)
            _ = try await writer.write(try writer.encode(batch))
            _ = try await writer.settle()
            try await writer.commit(Checkpoint(epoch: 1, positions: [:], isFinal: true, run: context.run))
        } catch {
            await writer.abort()
            throw error
        }
    }
}
