import Glibc
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

/// A server with a certificate of its own, and passwords from files.
@Suite struct PostgreSQLTLSTests {
    @Test("Encryption is asked for, and the certificate and its name are checked, as the mode says")
    func modes() async throws {
        let own = try TestCertificate(for: ["DNS:localhost"], owner: "postgres")
        defer { withExtendedLifetime(own) {} }
        let server = try PostgreSQLServer(settings: [
            "ssl = on", "ssl_cert_file = '\(own.certificate)'", "ssl_key_file = '\(own.key)'",
        ])
        defer { try? server.stop() }
        func isEncrypted(_ mode: PostgreSQLConfiguration.TLSMode, host: String, root: String?) async throws -> Bool {
            var configuration = PostgreSQLConfiguration(
                host: host, port: server.port, user: server.user, database: "postgres",
                password: Secret(server.password), tls: mode)
            try configuration.set("hostaddr", to: "127.0.0.1")
            if let root { try configuration.set("sslrootcert", to: root) }
            let session = PostgreSQLSession(configuration)
            do {
                let encrypted = try await session.use { $0.isEncrypted }
                await session.close()
                return encrypted
            } catch {
                await session.close()
                throw error
            }
        }
        let root = own.certificate
        #expect(try await isEncrypted(.disable, host: "localhost", root: nil) == false)
        #expect(try await isEncrypted(.prefer, host: "localhost", root: nil))
        #expect(try await isEncrypted(.require, host: "elsewhere", root: nil))
        #expect(try await isEncrypted(.verifyCertificate, host: "elsewhere", root: root))
        #expect(try await isEncrypted(.verifyFull, host: "localhost", root: root))
        let wrongName = await #expect(throws: HeadraceError.self) {
            _ = try await isEncrypted(.verifyFull, host: "elsewhere", root: root)
        }
        #expect(wrongName?.code.rawValue == "connectionFailed" && wrongName?.message.contains("encrypted") == true)
        let stranger = try TestCertificate(for: ["DNS:localhost"], owner: "postgres")
        defer { withExtendedLifetime(stranger) {} }
        await #expect(throws: HeadraceError.self) {
            _ = try await isEncrypted(.verifyFull, host: "localhost", root: stranger.certificate)
        }
    }

    @Test("A password is taken from a password file that only its owner may read")
    func passwordFile() async throws {
        let bench = try Bench()
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder("passwords")
        let escaped = bench.server.password.map { $0 == ":" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
        _ = try ChildProcess.run(
            ["tee", path], input: "127.0.0.1:\(bench.server.port):*:\(bench.server.user):\(escaped)\n")
        chmod(path, 0o600)
        var configuration = PostgreSQLConfiguration(
            host: "127.0.0.1", port: bench.server.port, user: bench.server.user, database: bench.database)
        try configuration.set("passfile", to: path)
        let session = PostgreSQLSession(configuration)
        #expect(try await session.use { try $0.first("SELECT 1") { $0.integer(0) } } == 1)
        await session.close()
    }
}
