import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

@Suite struct PostgreSQLConnectionTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    /// Over TCP, which asks for a password.
    private func overTCP(password: Secret?) -> PostgreSQLConfiguration {
        var configuration = PostgreSQLConfiguration(
            host: "127.0.0.1", port: bench.server.port, user: bench.server.user, database: bench.database,
            password: password)
        try? configuration.set("passfile", to: "/nonexistent")
        return configuration
    }

    private func refusal(_ configuration: PostgreSQLConfiguration) async -> HeadraceError? {
        let session = PostgreSQLSession(configuration)
        let error = await #expect(throws: HeadraceError.self) { try await session.use { try $0.script("SELECT 1") } }
        await session.close()
        return error
    }

    @Test("A password lets in, a wrong one does not, and neither is ever printed")
    func passwords() async throws {
        let password = bench.server.password
        let session = PostgreSQLSession(overTCP(password: Secret(password)))
        #expect(try await session.use { try $0.first("SELECT current_user") { $0.text(0) } } == "test")
        await session.close()
        let wrong = await refusal(overTCP(password: Secret("wröng")))
        #expect(wrong?.code.rawValue == "accessDenied")
        let none = await refusal(overTCP(password: nil))
        #expect(none?.code.rawValue == "accessDenied" && none?.hint?.contains("PGPASSWORD") == true)
        var text = ""
        dump(overTCP(password: Secret(password)), to: &text)
        text += "\(overTCP(password: Secret(password))) \(String(describing: wrong)) \(String(describing: none))"
        #expect(!text.contains(password) && !text.contains("wröng"))
    }

    @Test("A URL gives its parts, a bad one is refused without repeating it")
    func urls() throws {
        let parsed = try PostgreSQLConfiguration(
            "postgresql://me:p%40ss@db.example:6432/shop?sslmode=verify-full&connect_timeout=3")
        #expect(parsed.user == "me" && parsed.database == "shop" && parsed.host == "db.example")
        #expect(
            parsed.password?.reveal() == "p@ss" && parsed.tls == .verifyFull && parsed.connectTimeout == .seconds(3))
        #expect(parsed.description == "postgresql://db.example:6432/shop")
        for bad in ["postgresql://me:s3cret@[::1/x", "host=x nonsense=s3cret", "postgresql://h/d?sslmode=s3cret"] {
            let error = #expect(throws: HeadraceError.self) { _ = try PostgreSQLConfiguration(bad) }
            #expect(bad.contains("sslmode") || "\(error as Any)".contains("s3cret") == false)
        }
    }

    @Test("What is wrong with a connection is said with what to do about it")
    func refusals() async throws {
        var nowhere = overTCP(password: nil)
        try nowhere.set("port", to: "1")
        #expect(await refusal(nowhere)?.code.rawValue == "connectionFailed")
        var missing = try bench.configuration
        try missing.set("dbname", to: "nope")
        #expect(await refusal(missing)?.code == .notFound)
        var tls = overTCP(password: Secret(bench.server.password))
        tls.tls = .require
        #expect(await refusal(tls)?.message.contains("encrypted") == true)
        #expect(throws: HeadraceError.self) { try missing.set("nonsense", to: "1") }
    }

    @Test("A server that does not answer is given up after the connect time-out")
    func connectTimeout() throws {
        let listener = try SilentListener()
        var silent = PostgreSQLConfiguration(host: "127.0.0.1", port: listener.port, user: "u", database: "d")
        silent.connectTimeout = .milliseconds(300)
        // On this thread, so that the time is the connection's and not that of tests which wait for threads.
        let start = ContinuousClock().now
        let error = #expect(throws: HeadraceError.self) {
            _ = try PostgreSQLConnection(silent, interrupter: PostgreSQLInterrupter())
        }
        #expect(error?.code.rawValue == "connectionFailed" && error?.retry == .mayHelp)
        #expect(ContinuousClock().now - start < .seconds(12))
    }

    @Test("A statement is given up after the statement time-out, a lock after the lock time-out")
    func statementTimeouts() async throws {
        try bench.psql("CREATE TABLE t (a int)")
        var configuration = try bench.configuration
        configuration.statementTimeout = .milliseconds(200)
        let slow = PostgreSQLSession(configuration)
        let error = await #expect(throws: HeadraceError.self) {
            try await slow.use { try $0.script("SELECT pg_sleep(60)") }
        }
        #expect(error?.code.rawValue == "statementTimeout")
        #expect(try await slow.use { try $0.first("SELECT 7") { $0.integer(0) } } == 7)
        await slow.close()

        configuration = try bench.configuration
        configuration.lockTimeout = .milliseconds(200)
        let (holder, waiter) = (PostgreSQLSession(try bench.configuration), PostgreSQLSession(configuration))
        try await holder.use { try $0.script("BEGIN; LOCK TABLE t") }
        let busy = await #expect(throws: HeadraceError.self) {
            try await waiter.use { try $0.run("INSERT INTO t VALUES (1)") }
        }
        #expect(busy?.code.rawValue == "databaseBusy")
        await holder.close()
        await waiter.close()
    }

    @Test("A silent server is given up after the idle time-out")
    func idleTimeout() async throws {
        var configuration = try bench.configuration
        configuration.idleTimeout = .milliseconds(300)
        let session = PostgreSQLSession(configuration)
        let error = await #expect(throws: HeadraceError.self) {
            try await session.use { try $0.script("SELECT pg_sleep(60)") }
        }
        #expect(error?.code.rawValue == "connectionLost")
        await session.close()
    }

    @Test("Cancelling a run stops a query on the server at once, and the transaction can be undone")
    func cancels() async throws {
        try bench.psql("CREATE TABLE t (a int)")
        let session = PostgreSQLSession(try bench.configuration)
        let cancellation = Cancellation()
        let key = session.follow(cancellation)
        let process = try await session.use { connection in
            try connection.script("BEGIN; INSERT INTO t VALUES (1)")
            return connection.serverProcess
        }
        let start = ContinuousClock().now
        let running = Task { try await session.use { try $0.script("SELECT pg_sleep(60)") } }
        try await Task.sleep(for: .milliseconds(200))
        cancellation.cancel()
        await #expect(throws: HeadraceError.self) { try await running.value }
        #expect(ContinuousClock().now - start < .seconds(30))
        await session.finish { connection in
            #expect(connection.isInTransaction)
            connection.rollBack()
            #expect(connection.isUsable && !connection.isInTransaction)
        }
        await session.close()
        cancellation.remove(key)
        #expect(try bench.psql("SELECT count(*) FROM t") == ["0"])
        var left = ["1"]
        for _ in 0..<50 where left != ["0"] {
            left = try bench.psql("SELECT count(*) FROM pg_stat_activity WHERE pid = \(process)")
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(left == ["0"])
    }

    @Test("An error keeps the connection; it names SQLSTATE, message and statement")
    func errors() async throws {
        let session = PostgreSQLSession(try bench.configuration)
        let error = await #expect(throws: HeadraceError.self) { try await session.use { try $0.script("SELEC 1") } }
        #expect(error?.code.rawValue == "badQuery" && "\(error as Any)".contains("42601"))
        let failure = await #expect(throws: PostgreSQLFailure.self) {
            try await session.use(raw: true) {
                try $0.script("CREATE TABLE u (a int CHECK (a > 0)); INSERT INTO u VALUES (0)")
            }
        }
        #expect(failure?.state == "23514" && failure?.constraint == "u_a_check" && failure?.table == "u")
        #expect(try await session.use { try $0.first("SELECT $1::int + 1", ["41"]) { $0.integer(0) } } == 42)
        await session.close()
    }

    @Test("A killed server process is a lost connection, which may be tried again")
    func lost() async throws {
        let session = PostgreSQLSession(try bench.configuration)
        let process = try await session.use { $0.serverProcess }
        try bench.psql("SELECT pg_terminate_backend(\(process))")
        let error = await #expect(throws: HeadraceError.self) { try await session.use { try $0.script("SELECT 1") } }
        #expect(error?.code.rawValue == "connectionLost" && error?.retry == .mayHelp)
        await session.close()
    }

    @Test(
        "Names and values that look like SQL stay names and values",
        arguments: ["x\"; DROP TABLE keep; --", "'); DROP TABLE keep; --", "a\\", "$1", "%s"])
    func injection(text: String) async throws {
        let found = try await bench.connected { connection in
            let name = try PostgreSQLName(text)
            try connection.script("CREATE TABLE IF NOT EXISTS keep (a int)")
            try connection.script("CREATE TABLE \(name) (\(name) text DEFAULT \(try PostgreSQLLiteral(text)))")
            try connection.run("INSERT INTO \(name) DEFAULT VALUES")
            return try connection.first("SELECT \(name), to_regclass('keep') IS NOT NULL FROM \(name)") {
                ($0.text(0), $0.bool(1))
            }
        }
        #expect(found?.0 == text && found?.1 == true)
    }
}
