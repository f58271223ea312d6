import HeadraceColumnar
import HeadraceCore
import Synchronization
import Testing

@testable import HeadracePostgreSQL

/// Makes one fault point fail, or run something there.
final class Faults: FaultPoints {
    private let point: String?
    private let action: @Sendable () throws -> Void

    init(at point: String?, _ action: @escaping @Sendable () throws -> Void = Faults.fail) {
        self.point = point
        self.action = action
    }

    static let fail: @Sendable () throws -> Void = { throw HeadraceError(.init("fault"), "planned fault") }

    func reach(_ point: String) throws {
        if point == self.point { try action() }
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

extension PostgreSQLSink {
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
