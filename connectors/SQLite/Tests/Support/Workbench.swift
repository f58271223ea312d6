import Foundation
import HeadraceColumnar
import HeadraceCore
import Synchronization
import Testing

@testable import HeadraceSQLite

/// A folder of its own for one test, and the `sqlite3` program as the independent client that reads what we wrote.
final class Workbench: Sendable {
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("headrace-sqlite-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var path: String { folder + "/w.db" }
    var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? [] }

    /// Runs SQL in the `sqlite3` program; values come back as SQL literals, one row a line, joined by commas, or plain and
    /// joined by bars with mode `-list`.
    @discardableResult
    func sqlite(_ sql: String, file: String? = nil, mode: String = "-quote") throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["sqlite3", "-batch", "-bail", mode, file ?? path]
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        input.fileHandleForWriting.write(Data((sql + ";\n").utf8))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let problems = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw ClientFailure(message: problems) }
        return text.split(separator: "\n").map(String.init)
    }

    struct ClientFailure: Error { let message: String }
}

/// Records what a writer refuses and makes fault points fail.
final class Faults: FaultPoints {
    private let failing: Mutex<String?>
    private let seen = Mutex<[String]>([])

    init(failingAt point: String? = nil) { failing = Mutex(point) }

    var reached: [String] { seen.withLock { $0 } }

    func reach(_ point: String) throws {
        seen.withLock { $0.append(point) }
        if failing.withLock({ $0 == point }) { throw HeadraceError(.init("fault"), "planned fault at \(point)") }
    }
}

private struct NoRejects: RejectWriter {
    func write(_ rejects: [Reject], epoch: Int) async throws {}
    func flush() async throws {}
}

private struct FixedClock: RunClock {
    func now() -> Int64 { 1_700_000_000_000_000 }
    func monotonic() -> Int64 { 0 }
    func sleep(for duration: Duration) async throws {}
}

extension RunContext {
    static func testing(
        job: String = "job", run: String = "run-1", fence: Int64 = 1, faults: any FaultPoints = NoFaults(),
        cancellation: Cancellation = Cancellation()
    ) -> RunContext {
        RunContext(
            job: job, run: run, fence: fence, clock: FixedClock(), random: RunRandom(seed: 1),
            memory: MemoryBudget(limit: 1 << 20), spillFolder: "/tmp", rejects: NoRejects(), progress: SilentProgress(),
            log: .none, faults: faults, cancellation: cancellation, scheduling: .threaded(workers: 1))
    }
}

private final class Rows: Origin {
    func place(of row: Int) -> Place { Place(source: "test", line: row + 2, row: row + 1) }
    func original(of row: Int) -> [UInt8]? { Array("original \(row)".utf8) }
}

extension Batch {
    static func testing(_ records: RecordBatch) -> Batch {
        Batch(
            records, provenance: Provenance(Rows()), stream: StreamID("s"), sequence: 0, recordsRead: records.count)
    }
}

extension Checkpoint {
    static func testing(
        epoch: Int = 1, final: Bool = true, run: String = "run-1", positions: [String: JSONValue] = ["s": 7]
    ) -> Checkpoint {
        Checkpoint(
            epoch: epoch,
            positions: Dictionary(uniqueKeysWithValues: positions.map { (StreamID($0), Position($1)) }),
            isFinal: final, run: run)
    }
}

extension RecordBatch {
    static func of(_ schema: Schema, _ rows: [[Scalar]]) throws -> RecordBatch {
        try #require(RecordBatch(schema: schema, rows: rows), "a value does not fit its field")
    }
}

extension SQLiteSink {
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

extension Source {
    /// Reads all rows.
    func readAll(
        _ schema: Schema? = nil, from position: Position? = nil, in context: RunContext = .testing()
    ) async throws -> (batches: [Batch], positions: [Position]) {
        let wanted: Schema
        if let schema { wanted = schema } else { wanted = try await self.schema(in: context) }
        let reader = try await openReader(for: wanted, from: position, in: context)
        var batches: [Batch] = []
        var positions: [Position] = []
        do {
            while case .chunk(let chunk, let position) = try await reader.next() {
                batches.append(try reader.decode(chunk, sequence: UInt64(batches.count)))
                positions.append(position)
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
        return (batches, positions)
    }
}

extension [Batch] {
    var rows: [[Scalar]] { flatMap { batch in (0..<batch.count).map { batch.records.row(at: $0) } } }
}
