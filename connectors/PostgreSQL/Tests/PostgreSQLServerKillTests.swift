import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

private let schema = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])

private func rows(_ range: Range<Int>) throws -> RecordBatch {
    try .of(schema, range.map { [.integer(Int128($0)), .utf8("row \($0)")] })
}

/// The server ends by SIGKILL in the middle of a load, and recovers from its log as after a power cut.
@Suite(.serialized) struct PostgreSQLServerKillTests {
    enum Moment: String, CaseIterable { case duringCopy, beforeCommit, afterCommit }

    @Test(
        "A server killed in mid-load leaves all of the load or nothing, and running again completes it",
        arguments: Moment.allCases, ["append", "replace", "upsert"])
    func kills(moment: Moment, mode name: String) async throws {
        let server = try PostgreSQLServer(durable: true)
        defer { try? server.stop() }
        let bench = try Bench(server)
        try bench.psql("CREATE TABLE people (id bigint PRIMARY KEY, name text); INSERT INTO people VALUES (-1, 'old')")
        let mode: SinkMode = name == "append" ? .append : name == "replace" ? .replace : .upsert(on: ["id"])
        let proxy = try FaultProxy(
            to: .tcp(host: "127.0.0.1", port: server.port), script: try FaultScript("hold@toServer:after=COMMIT%00"))
        defer { proxy.stop() }
        EngineThread.start {
            // The answer has come as far as the proxy, and the client never hears it.
            guard proxy.wait(milliseconds: 60_000, until: { $0.waiting > 0 }) else { return }
            if moment == .afterCommit { server.kill() }
            proxy.cut()
        }
        var configuration = try bench.configuration
        configuration.password = Secret(server.password)
        try configuration.set("host", to: "127.0.0.1")
        try configuration.set("port", to: "\(proxy.port)")
        let faults = Faults(at: "postgresql.beforeCommit") { if moment == .beforeCommit { server.kill() } }
        let sink = PostgreSQLSink(configuration, table: "people")
        let writer = try await sink.openWriter(for: schema, mode: mode, in: .testing(faults: faults))
        let error = await #expect(throws: HeadraceError.self) {
            for piece in 0..<4 {
                _ = try await writer.write(try writer.encode(.testing(try rows(piece * 500..<piece * 500 + 500))))
                if moment == .duringCopy, piece == 1 { server.kill() }
            }
            _ = try await writer.settle()
            try await writer.commit(.testing())
        }
        await writer.abort()
        #expect(error?.retry != .never)
        try server.start()
        let direct = PostgreSQLSink(try bench.configuration, table: "people")
        let committed = try await direct.committed(in: .testing())
        #expect((committed != nil) == (moment == .afterCommit))
        let old = try bench.psql("SELECT count(*) FROM people WHERE id < 0")
        #expect(old == [moment == .afterCommit && name == "replace" ? "0" : "1"])
        if committed == nil {
            #expect(try bench.psql("SELECT count(*) FROM people WHERE id >= 0") == ["0"])
            try await direct.load([try rows(0..<2000)], schema: schema, mode: mode)
        }
        #expect(try bench.psql("SELECT count(*), sum(id) FROM people WHERE id >= 0") == ["2000|1999000"])
        #expect(try bench.psql("SELECT count(*) FROM pg_class WHERE relname LIKE '_headrace_stage%'") == ["0"])
    }
}
