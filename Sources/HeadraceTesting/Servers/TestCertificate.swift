import Glibc
import HeadraceCore

/// A certificate that a test's server shows, and that nobody but itself has signed.
package struct TestCertificate: Sendable {
    /// Holds `key.pem` and `cert.pem`, which `owner` may read, and goes with the last copy of the value.
    private let folder: TemporaryFolder
    /// What clients that trust it name as their authority.
    package var certificate: String { folder("cert.pem") }
    /// For the server alone.
    package var key: String { folder("key.pem") }

    /// - Parameters:
    ///   - names: what it is made out to, as `subjectAltName` has it: `DNS:localhost`, `IP:127.0.0.1`.
    ///   - owner: the user whom the server runs as when the test runs as root.
    /// - Throws: `inputOutput` where `openssl` does not make one.
    package init(for names: [String], owner: String) throws {
        folder = try TemporaryFolder()
        let made = try ChildProcess.run([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext",
            "subjectAltName=\(names.joined(separator: ","))", "-keyout", folder("key.pem"), "-out",
            folder("cert.pem"),
        ])
        guard made.status == 0 else {
            throw HeadraceError(.inputOutput, "openssl makes no certificate", because: made.errors)
        }
        if geteuid() == 0, let user = getpwnam(owner) {
            for path in [folder.path, key, certificate] { chown(path, user.pointee.pw_uid, user.pointee.pw_gid) }
        }
        chmod(key, 0o600)
    }
}
