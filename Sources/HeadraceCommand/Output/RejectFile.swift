import Files
import HeadraceCSV
import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime

/// The refused rows of a run as CSV.
enum RejectFile {
    static let schema = Schema([
        Field("run_id", .utf8), Field("step", .utf8), Field("source", .utf8), Field("line", .int64),
        Field("byte_offset", .int64), Field("row", .int64), Field("field", .utf8), Field("rule", .utf8),
        Field("code", .utf8),
        Field("value", .utf8), Field("message", .utf8), Field("original", .utf8),
    ])

    /// Writes all rejects of a run to a file, or to standard output for `-`.
    static func write(_ run: String, to path: String, ledger: any LedgerStore) async throws {
        let carrier: any ByteSink = path == "-" ? StandardOutput() : AtomicFile(at: path)
        try await write(run, ledger: ledger, into: carrier)
    }

    private static func write<Carrier: ByteSink>(_ run: String, ledger: any LedgerStore, into carrier: Carrier)
        async throws
    {
        let context = RunContext.looking()
        let sink = FormatSink(carrier, CSVEncoder())
        let writer = try await sink.openWriter(for: schema, mode: .replace, in: context)
        do {
            var after: Int64 = 0
            while case let page = try await ledger.rejects(of: run, after: after, limit: 1000), let last = page.last {
                after = last.number
                _ = try await writer.write(try writer.encode(try batch(page)))
            }
            _ = try await writer.settle()
            try await writer.commit(Checkpoint(epoch: 1, positions: [:], isFinal: true, run: run))
        } catch {
            await writer.abort()
            throw error
        }
    }

    private static func batch(_ records: [RejectRecord]) throws -> Batch {
        func number(_ value: Int?) -> Scalar { value.map { .integer(Int128($0)) } ?? .null }
        func text(_ value: String?) -> Scalar { value.map { .utf8($0) } ?? .null }
        let rows = records.map { record -> [Scalar] in
            let reject = record.reject
            let place = reject.place
            return [
                .utf8(record.run), .utf8(reject.step), .utf8(place.file ?? place.source), number(place.line),
                number(place.byteOffset), number(place.row), text(reject.field), .utf8(reject.rule), .utf8(reject.code),
                text(reject.value), .utf8(reject.message),
                text(reject.original.map { String(decoding: $0, as: UTF8.self) } ?? reject.row),
            ]
        }
        guard let batch = RecordBatch(schema: schema, rows: rows) else {
            throw HeadraceError(.unexpected, "rejects do not fit their columns")
        }
        return Batch(
            batch, provenance: .derived("rejects"), stream: StreamID("rejects"), sequence: 0, recordsRead: batch.count)
    }
}
