import Glibc
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

/// A server with a certificate of its own, and passwords from files.
@Suite struct PostgreSQLTLSTests {
    /// A folder with `key.pem` and `cert.pem`, which the server may read.
    private static func certificate(for name: String) throws -> String {
        var template = Array("/tmp/hr-tls-XXXXXX".utf8CString)
        _ = try #require(mkdtemp(&template))
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let made = try ChildProcess.run([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-addext",
            "subjectAltName=DNS:\(name)", "-keyout", "\(folder)/key.pem", "-out", "\(folder)/cert.pem",
        ])
        try #require(made.status == 0, "\(made.errors)")
        if geteuid() == 0, let owner = getpwnam("postgres") {
            for path in [folder, "\(folder)/key.pem", "\(folder)/cert.pem"] {
                chown(path, owner.pointee.pw_uid, owner.pointee.pw_gid)
            }
        }
        chmod("\(folder)/key.pem", 0o600)
        return folder
    }

    @Test("Encryption is asked for, and the certificate and its name are checked, as the mode says")
    func modes() async throws {
        let folder = try Self.certificate(for: "localhost")
        defer { _ = try? ChildProcess.run(["rm", "-rf", folder]) }
        let server = try PostgreSQLServer(settings: [
            "ssl = on", "ssl_cert_file = '\(folder)/cert.pem'", "ssl_key_file = '\(folder)/key.pem'",
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
        let root = "\(folder)/cert.pem"
        #expect(try await isEncrypted(.disable, host: "localhost", root: nil) == false)
        #expect(try await isEncrypted(.prefer, host: "localhost", root: nil))
        #expect(try await isEncrypted(.require, host: "elsewhere", root: nil))
        #expect(try await isEncrypted(.verifyCertificate, host: "elsewhere", root: root))
        #expect(try await isEncrypted(.verifyFull, host: "localhost", root: root))
        let wrongName = await #expect(throws: HeadraceError.self) {
            _ = try await isEncrypted(.verifyFull, host: "elsewhere", root: root)
        }
        #expect(wrongName?.code.rawValue == "connectionFailed" && wrongName?.message.contains("encrypted") == true)
        let stranger = try Self.certificate(for: "localhost")
        defer { _ = try? ChildProcess.run(["rm", "-rf", stranger]) }
        await #expect(throws: HeadraceError.self) {
            _ = try await isEncrypted(.verifyFull, host: "localhost", root: "\(stranger)/cert.pem")
        }
    }

    @Test("A password is taken from a password file that only its owner may read")
    func passwordFile() async throws {
        let bench = try Bench()
        let made = try ChildProcess.run(["mktemp", "/tmp/hr-pass-XXXXXX"])
        let path = String(made.output.dropLast())
        defer { unlink(path) }
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
