import Glibc
import HeadraceCSV
import HeadraceColumnar
import HeadraceCore
import HeadraceFiles
import HeadraceRuntime

/// The refused rows of a run as CSV.
enum RejectFile {
    static let schema = Schema([
        Field("run_id", .utf8), Field("step", .utf8), Field("source", .utf8), Field("line", .int64),
        Field("byte_offset", .int64), Field("row", .int64), Field("field", .utf8), Field("rule", .utf8),
        Field("code", .utf8),
        Field("value", .utf8), Field("message", .utf8), Field("original", .utf8),
    ])

    /// Does a run after finding out that its rejects can be written, so that no commit comes before that failure.
    ///
    /// A new file holds rows, so it is made for its owner alone; one that is there keeps its permissions, and its contents
    /// until `write`. A run that throws leaves no file that was not there.
    static func reserving<R>(_ path: String?, _ run: () async throws -> R) async throws -> R {
        let isNew = try path.map(reserve) ?? false
        do {
            return try await run()
        } catch {
            if isNew, let path { _ = unlink(path) }
            throw error
        }
    }

    /// Makes the file where there is none.
    /// - Returns: whether it was made.
    private static func reserve(_ path: String) throws -> Bool {
        if path == "-" { return false }
        func refused(_ reason: String) -> HeadraceError {
            HeadraceError(
                .inputOutput, "the rejects cannot be written to \(path)", because: reason,
                hint: "name a file by --rejects that can be made or replaced")
        }
        var status = stat()
        let isThere = stat(path, &status) == 0
        let kind = status.st_mode & S_IFMT
        if isThere && kind == S_IFDIR { throw refused("it is a folder") }
        // Devices and pipes are opened once, when there is something to write.
        if isThere && kind != S_IFREG {
            guard access(path, W_OK) == 0 else { throw refused(String(cString: strerror(errno))) }
            return false
        }
        // The file is replaced in one step by another one that is written beside it.
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        guard access(folder, W_OK | X_OK) == 0 else { throw refused("\(folder): \(String(cString: strerror(errno)))") }
        if isThere { return false }
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw refused(String(cString: strerror(errno))) }
        _ = Glibc.close(file)
        return true
    }

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
