import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Synchronization
import Testing

@testable import HeadraceMySQL

/// A database of its own for one test, and the `mariadb` program as the independent client.
struct Bench: Sendable {
    let server: MariaDBServer
    let database: String

    init(_ server: MariaDBServer? = nil) throws {
        self.server = try server ?? MariaDBServer.shared()
        database = try self.server.makeDatabase()
    }

    var url: String { server.url(database: database) }
    var configuration: MySQLConfiguration { get throws { try MySQLConfiguration(url) } }

    /// Runs SQL in `mariadb`; one line a row, columns joined by tabs.
    @discardableResult
    func mariadb(_ sql: String) throws -> [String] { try server.mariadb(sql, database: database) }

    func source(_ table: String, zeroDatesAreNull: Bool = false, timesAreText: Bool = false) throws -> MySQLTableSource
    {
        MySQLTableSource(
            configuration: try configuration, table: table, zeroDatesAreNull: zeroDatesAreNull,
            timesAreText: timesAreText)
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

/// Makes fault points fail.
final class Faults: FaultPoints {
    private let failing: String
    init(failingAt point: String) { failing = point }
    func reach(_ point: String) throws {
        if point == failing { throw HeadraceError(.init("fault"), "planned fault at \(point)") }
    }
}

/// The log of a run.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    var log: EventLog { EventLog { _, message, _ in self.lines.withLock { $0.append(message) } } }
}

extension RunContext {
    static func testing(
        job: String = "job", run: String = "run-1", fence: Int64 = 1, faults: any FaultPoints = NoFaults(),
        log: EventLog = .none, cancellation: Cancellation = Cancellation()
    ) -> RunContext {
        RunContext(
            job: job, run: run, fence: fence, clock: FixedClock(), random: RunRandom(seed: 1),
            memory: MemoryBudget(limit: 1 << 20), spillFolder: "/tmp", rejects: NoRejects(), progress: SilentProgress(),
            log: log, faults: faults, cancellation: cancellation, scheduling: .threaded(workers: 1))
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
    var rejects: [Reject] { flatMap(\.rejects) }
}

func decimal(_ text: String) -> Scalar { DecimalValue(text).map(Scalar.decimal) ?? .null }
