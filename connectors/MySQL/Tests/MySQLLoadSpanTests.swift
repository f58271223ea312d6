import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

private let schema = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])

@Suite struct MySQLLoadSpanTests {
    let bench: Bench

    init() throws {
        bench = try Bench()
        try bench.mariadb(
            """
            CREATE TABLE people (id BIGINT PRIMARY KEY, name LONGTEXT, CONSTRAINT no_bad CHECK (name <> 'bad'))
            ENGINE=InnoDB CHARACTER SET utf8mb4
            """)
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

    /// Fails unless so many loads run, or will in a moment.
    private func expectLoads(_ count: Int) async throws {
        let running =
            "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '\(bench.database)' AND INFO LIKE 'LOAD DATA%'"
        let others = try await settled {
            let found = try bench.mariadb(running)
            return found.count == count ? [] : ["\(found.count) loads run"]
        }
        #expect(others == [])
    }

    @Test(
        "Several batches go in by one statement, which ends when it has become long",
        arguments: [(10, 1), (100_000, 0)])
    func spansBatches(width: Int, open: Int) async throws {
        let writer = try await bench.sink("people").openWriter(for: schema, mode: .append, in: .testing())
        // Five batches of a megabyte make a load of more than four.
        for batch in try batches(5, bad: [], width: width) {
            _ = try await writer.write(try writer.encode(.testing(batch)))
        }
        try await expectLoads(open)
        #expect(try await writer.drain().isEmpty)
        try await expectLoads(0)
        #expect(try await writer.settle() == WriteCounts(inserted: 50))
        try await writer.commit(.testing())
        #expect(try bench.mariadb("SELECT COUNT(*), SUM(LENGTH(name)) FROM people") == ["50\t\(50 * width)"])
    }

    @Test(
        "A row that the server skips is found in whichever batch of a load it is, and the others arrive",
        arguments: [[0], [9], [35], [79], [3, 77], [10, 11, 12, 13, 14], Array(0..<80)])
    func findsRefusedRows(bad: [Int]) async throws {
        let result = try await bench.sink("people").load(
            try batches(8, bad: Set(bad)), schema: schema, mode: .append)
        #expect(result.counts == WriteCounts(inserted: 80 - bad.count))
        #expect(result.rejects.map { ($0.place.row - 1) % 10 } == bad.map { $0 % 10 })
        #expect(result.rejects.allSatisfy { $0.code == "check" && $0.message.contains("no_bad") })
        let expected = (0..<80).filter { !bad.contains($0) }.map { "\($0)" }
        #expect(try bench.mariadb("SELECT id FROM people ORDER BY id") == expected)
    }

    @Test("Keys that are there twice are found across batches of one load, and the first stands")
    func findsRepeatedKeys() async throws {
        let twice = try batches(3, bad: []) + batches(2, bad: [], width: 2)
        let result = try await bench.sink("people").load(twice, schema: schema, mode: .append)
        #expect(result.counts == WriteCounts(inserted: 30))
        #expect(result.rejects.count == 20 && result.rejects.allSatisfy { $0.code == "notUnique" })
        #expect(try bench.mariadb("SELECT COUNT(*), SUM(LENGTH(name)) FROM people") == ["30\t30"])
    }

    @Test("With a time-out for statements each batch has a load of its own, which does not wait for the source")
    func hasTimeouts() async throws {
        var configuration = try bench.configuration
        configuration.statementTimeout = .seconds(30)
        let writer = try await MySQLSink(configuration: configuration, table: "people")
            .openWriter(for: schema, mode: .append, in: .testing())
        var found: [Int] = []
        for batch in try batches(3, bad: [12]) {
            found.append(try await writer.write(try writer.encode(.testing(batch))).count)
        }
        #expect(found == [0, 1, 0])
        #expect(try await writer.drain().isEmpty)
        #expect(try await writer.settle() == WriteCounts(inserted: 29))
        await writer.abort()
        #expect(try bench.mariadb("SELECT COUNT(*) FROM people") == ["0"])
    }

    @Test("A connection that is lost in the middle of a load fails the next batches, not only the commit")
    func losesConnection() async throws {
        let writer = try await bench.sink("people").openWriter(for: schema, mode: .append, in: .testing())
        let batches = try batches(30, bad: [], width: 10_000)
        _ = try await writer.write(try writer.encode(.testing(batches[0])))
        try await expectLoads(1)
        let connection =
            "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '\(bench.database)' AND INFO LIKE 'LOAD DATA%'"
        try bench.mariadb("KILL \(try #require(try bench.mariadb(connection).first))")
        let error = await #expect(throws: HeadraceError.self) {
            for batch in batches.dropFirst() {
                _ = try await writer.write(try writer.encode(.testing(batch)))
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        await writer.abort()
        #expect(error?.code == .connectionLost)
        #expect(try bench.mariadb("SELECT COUNT(*) FROM people") == ["0"])
    }

    @Test("A writer that is given up or cancelled in the middle of a load leaves nothing", arguments: [false, true])
    func abortsInside(isCancelled: Bool) async throws {
        let cancellation = Cancellation()
        let writer = try await bench.sink("people").openWriter(
            for: schema, mode: .append, in: .testing(cancellation: cancellation))
        let batches = try batches(4, bad: [])
        for batch in batches.dropLast() { _ = try await writer.write(try writer.encode(.testing(batch))) }
        try await expectLoads(1)
        if isCancelled {
            cancellation.cancel()
            let last = try writer.encode(.testing(batches[3]))
            let error = await #expect(throws: HeadraceError.self) { try await writer.write(last) }
            #expect(error?.code == .cancelled)
        }
        await writer.abort()
        #expect(try bench.mariadb("SELECT COUNT(*) FROM people") == ["0"])
        let others =
            "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '\(bench.database)' AND ID <> CONNECTION_ID()"
        #expect(try await settled { try bench.mariadb(others) } == [])
    }
}
