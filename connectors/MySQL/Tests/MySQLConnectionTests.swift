import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

@Suite struct MySQLConnectionTests {
    @Test("An address is read into its parts, and printed without the password")
    func parses() throws {
        let configuration = try MySQLConfiguration(
            "mysql://us%40er:p%2Fw@db.example:3307/shop?sslmode=require&connectTimeout=3&lockTimeout=2")
        #expect(configuration.user == "us@er")
        #expect(configuration.password?.reveal() == "p/w")
        #expect(configuration.host == "db.example")
        #expect(configuration.port == 3307)
        #expect(configuration.database == "shop")
        #expect(configuration.tls == .require)
        #expect(configuration.connectTimeout == .seconds(3))
        #expect(configuration.lockTimeout == .seconds(2))
        #expect("\(configuration)" == "mysql://us@er@db.example:3307/shop")
        #expect(!String(reflecting: configuration).contains("p/w"))
        #expect(try MySQLConfiguration("mysql://[::1]:3306/d").host == "::1")
    }

    @Test(
        "An address that cannot be read is refused without being repeated",
        arguments: [
            "mysql:host/d", "mysql://u:secret@h:port/d", "mysql://u:secret@h/d/e", "mysql://u:se%zz@h/d",
            "postgresql://u:secret@h/d",
        ])
    func refuses(url: String) {
        let error = #expect(throws: HeadraceError.self) { _ = try MySQLConfiguration(url) }
        #expect(error.map { "\($0)".contains("secret") } == false)
    }

    @Test("A session is strict, in UTC and utf8mb4, whatever the server's own settings are")
    func session() async throws {
        let bench = try Bench()
        let row = try await MySQLSession.once(try bench.configuration) { connection in
            try connection.rows("SELECT @@sql_mode, @@time_zone, @@character_set_client, @@character_set_results")[0]
        }
        #expect(row[0]?.contains("STRICT_ALL_TABLES") == true)
        #expect(row[1] == "+00:00")
        #expect(row[2] == "utf8mb4" && row[3] == "utf8mb4")
    }

    @Test("Over TCP the password counts, from the address or MYSQL_PWD, and a wrong one is told without it")
    func passwords() async throws {
        let bench = try Bench()
        var configuration = MySQLConfiguration(
            host: "127.0.0.1", port: bench.server.port, user: bench.server.guest, database: bench.database,
            password: Secret(bench.server.password))
        let who = try await MySQLSession.once(configuration) { try $0.rows("SELECT CURRENT_USER()")[0][0] }
        #expect(who == "tést@%")
        configuration.password = Secret("hunter2")
        let error = await #expect(throws: HeadraceError.self) { try await MySQLSession.once(configuration) { _ in } }
        #expect(error?.code.rawValue == "accessDenied")
        #expect(error.map { "\($0)".contains("hunter2") } == false)
    }

    @Test("A server that is not there and a database that is not there are told apart")
    func failures() async throws {
        let server = try MariaDBServer.shared()
        var nowhere = MySQLConfiguration(socket: "/tmp/no-such-socket", user: "root")
        nowhere.connectTimeout = .seconds(2)
        let away = await #expect(throws: HeadraceError.self) { try await MySQLSession.once(nowhere) { _ in } }
        #expect(away?.code.rawValue == "connectionFailed")
        let configuration = try MySQLConfiguration(server.url(database: "nope"))
        let missing = await #expect(throws: HeadraceError.self) {
            try await MySQLSession.once(configuration) { _ in }
        }
        #expect(missing?.code == .notFound)
    }

    @Test("TLS that was demanded and is not offered fails; preferred, the connection goes on without")
    func tls() async throws {
        let bench = try Bench()
        var configuration = MySQLConfiguration(
            host: "127.0.0.1", port: bench.server.port, user: bench.server.guest, database: bench.database,
            password: Secret(bench.server.password))
        for mode in [MySQLConfiguration.TLSMode.require, .verifyFull] {
            configuration.tls = mode
            let error = await #expect(throws: HeadraceError.self) {
                try await MySQLSession.once(configuration) { _ in }
            }
            #expect(error?.code.rawValue == "connectionFailed")
        }
        for mode in [MySQLConfiguration.TLSMode.prefer, .disable] {
            configuration.tls = mode
            try await MySQLSession.once(configuration) { _ = try $0.rows("SELECT 1") }
        }
    }

    @Test("Encryption is asked for, and the certificate and its name are checked, as the mode says")
    func certificates() async throws {
        let own = try TestCertificate(for: ["DNS:localhost", "IP:127.0.0.1"], owner: "mysql")
        let stranger = try TestCertificate(for: ["DNS:elsewhere"], owner: "mysql")
        defer { withExtendedLifetime((own, stranger)) {} }
        func cipher(
            _ server: MariaDBServer, _ mode: MySQLConfiguration.TLSMode, root: String? = nil
        ) async throws -> String {
            var configuration = MySQLConfiguration(
                host: "127.0.0.1", port: server.port, user: server.guest, database: "mysql",
                password: Secret(server.password))
            configuration.tls = mode
            configuration.certificateAuthority = root
            return try await MySQLSession.once(configuration) {
                try $0.rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'").first?[1] ?? ""
            }
        }
        func refusal(_ server: MariaDBServer, root: String?) async -> HeadraceError? {
            await #expect(throws: HeadraceError.self) { _ = try await cipher(server, .verifyFull, root: root) }
        }
        let server = try MariaDBServer(settings: ["--ssl-cert=\(own.certificate)", "--ssl-key=\(own.key)"])
        defer { server.stop() }
        #expect(try await cipher(server, .disable) == "")
        #expect(try await cipher(server, .prefer) != "")
        #expect(try await cipher(server, .require) != "")
        #expect(try await cipher(server, .verifyFull, root: own.certificate) != "")
        for root in [nil, stranger.certificate] {
            #expect(await refusal(server, root: root)?.code == .connectionFailed)
        }
        // A certificate that is trusted and belongs to somebody else.
        let other = try MariaDBServer(settings: ["--ssl-cert=\(stranger.certificate)", "--ssl-key=\(stranger.key)"])
        defer { other.stop() }
        #expect(await refusal(other, root: stranger.certificate)?.code == .connectionFailed)
        #expect(try await cipher(other, .require) != "")
    }

    @Test(
        "Names and values are themselves whatever they hold",
        arguments: ["plain", "it's", "a`b", "x\\", "\"; DROP TABLE t; --", "\u{1F600}", "tab\tnew\nline", ""])
    func quoting(text: String) async throws {
        let bench = try Bench()
        let value = try await MySQLSession.once(try bench.configuration) { connection in
            try connection.rows("SELECT \(MySQLLiteral(text))")[0][0]
        }
        #expect(value == text)
        guard let name = try? MySQLName(text) else { return }
        let named = try await MySQLSession.once(try bench.configuration) { connection in
            try connection.describe("SELECT 1 AS \(name)").map(\.name)
        }
        #expect(named == [text])
    }

    @Test("A lock that another holds is given up on in time, and told as such")
    func locks() async throws {
        let bench = try Bench()
        try bench.mariadb("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO t VALUES (1)")
        var configuration = try bench.configuration
        configuration.lockTimeout = .seconds(1)
        let holder = MySQLSession(configuration)
        try await holder.use { connection in
            try connection.execute("BEGIN")
            try connection.execute("DELETE FROM t")
        }
        let error = await #expect(throws: HeadraceError.self) {
            try await MySQLSession.once(configuration) { try $0.execute("UPDATE t SET id = 2") }
        }
        #expect(error?.code.rawValue == "databaseBusy")
        #expect(error?.retry == .mayHelp)
        await holder.close()
    }
}
