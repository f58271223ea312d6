import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

private let schema = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])

@Suite struct PostgreSQLCopySpanTests {
    let bench: Bench

    init() throws {
        bench = try Bench()
        try bench.psql("CREATE TABLE people (id bigint PRIMARY KEY, name text CONSTRAINT no_bad CHECK (name <> 'bad'))")
    }

    /// Batches of ten rows, those in `bad` with a name that a check refuses.
    private func batches(_ count: Int, bad: Set<Int>, width: Int = 1) throws -> [RecordBatch] {
        try (0..<count).map { batch in
            try .of(
                schema,
                (batch * 10..<batch * 10 + 10).map { row in
                    [.integer(Int128(row)), .utf8(bad.contains(row) ? "bad" : String(repeating: "n", count: width))]
                })
        }
    }

    @Test("Several batches go in by one COPY, which ends when it has become long", arguments: [(10, 1), (100_000, 0)])
    func spansBatches(width: Int, open: Int) async throws {
        let sink = PostgreSQLSink(try bench.configuration, table: "people")
        let writer = try await sink.openWriter(for: schema, mode: .append, in: .testing())
        // Five batches of a megabyte make a COPY of more than four.
        for batch in try batches(5, bad: [], width: width) {
            _ = try await writer.write(try writer.encode(.testing(batch)))
        }
        let copies = "SELECT count(*) FROM pg_stat_progress_copy WHERE datname = current_database()"
        #expect(try bench.psql(copies) == ["\(open)"])
        #expect(try await writer.drain().isEmpty)
        #expect(try bench.psql(copies) == ["0"])
        #expect(try await writer.settle() == WriteCounts(inserted: 50))
        try await writer.commit(.testing())
        #expect(try bench.psql("SELECT count(*), sum(length(name)) FROM people") == ["50|\(50 * width)"])
    }

    @Test(
        "A row that the server refuses is found in whichever batch of a COPY it is, and the others arrive",
        arguments: [[0], [9], [35], [79], [3, 77], [10, 11, 12, 13, 14], Array(0..<80)])
    func findsRefusedRows(bad: [Int]) async throws {
        let sink = PostgreSQLSink(try bench.configuration, table: "people")
        let result = try await sink.load(try batches(8, bad: Set(bad)), schema: schema, mode: .append)
        #expect(result.counts == WriteCounts(inserted: 80 - bad.count))
        #expect(result.rejects.map { ($0.place.row - 1) % 10 } == bad.map { $0 % 10 })
        #expect(result.rejects.allSatisfy { $0.code == "check" && $0.message.contains("no_bad") })
        let expected = (0..<80).filter { !bad.contains($0) }.map { "\($0)" }
        #expect(try bench.psql("SELECT id FROM people ORDER BY id") == expected)
    }

    @Test("Keys that are there twice are found across batches of one COPY, and the first stands")
    func findsRepeatedKeys() async throws {
        let sink = PostgreSQLSink(try bench.configuration, table: "people")
        let twice = try batches(3, bad: []) + batches(2, bad: [], width: 2)
        let result = try await sink.load(twice, schema: schema, mode: .append)
        #expect(result.counts == WriteCounts(inserted: 30))
        #expect(result.rejects.count == 20 && result.rejects.allSatisfy { $0.code == "notUnique" })
        #expect(try bench.psql("SELECT count(*), sum(length(name)) FROM people") == ["30|30"])
    }

    @Test("With a time-out for statements each batch has a COPY of its own, which does not wait for the source")
    func hasTimeouts() async throws {
        var configuration = try bench.configuration
        configuration.statementTimeout = .seconds(30)
        let writer = try await PostgreSQLSink(configuration, table: "people")
            .openWriter(for: schema, mode: .append, in: .testing())
        var found: [Int] = []
        for batch in try batches(3, bad: [12]) {
            found.append(try await writer.write(try writer.encode(.testing(batch))).count)
        }
        #expect(found == [0, 1, 0])
        #expect(try await writer.drain().isEmpty)
        #expect(try await writer.settle() == WriteCounts(inserted: 29))
        await writer.abort()
        #expect(try bench.psql("SELECT count(*) FROM people") == ["0"])
    }

    @Test("A writer that is given up in the middle of a COPY leaves nothing")
    func abortsInside() async throws {
        let sink = PostgreSQLSink(try bench.configuration, table: "people")
        let writer = try await sink.openWriter(for: schema, mode: .append, in: .testing())
        for batch in try batches(3, bad: []) { _ = try await writer.write(try writer.encode(.testing(batch))) }
        await writer.abort()
        #expect(try bench.psql("SELECT count(*) FROM people") == ["0"])
        #expect(
            try bench.psql(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
                == ["0"])
    }
}
