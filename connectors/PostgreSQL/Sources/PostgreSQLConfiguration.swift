import HeadraceCPQ
public import HeadraceCore

/// How to reach a PostgreSQL server and how long to wait for it.
///
/// What is not given comes from where `psql` takes it: `PGHOST`, `PGUSER` and the other variables, a service file
/// (`service`), the password from `PGPASSWORD` or `~/.pgpass`. The password prints nowhere.
public struct PostgreSQLConfiguration: Sendable, Hashable {
    /// How much of the connection is encrypted and whether the server must prove who it is, in libpq's words.
    public enum TLSMode: String, Sendable, Hashable, CaseIterable {
        /// No encryption; encryption only where the server insists; encryption where the server offers it; encryption always.
        case disable, allow, prefer, require
        /// Encryption, and a certificate that an authority of `sslrootcert` has signed.
        case verifyCertificate = "verify-ca"
        /// As `verifyCertificate`, and the certificate names the host.
        case verifyFull = "verify-full"
    }

    /// libpq's keywords with their values, without password and time-outs.
    private(set) var parameters: [String: String] = [:]
    /// The password; nil leaves it to `PGPASSWORD`, `~/.pgpass` or the service file.
    public var password: Secret?
    /// How long connecting may take in all.
    public var connectTimeout: Duration = .seconds(15)
    /// The longest that the server works on one statement; nil for as long as it takes.
    public var statementTimeout: Duration?
    /// The longest that a statement waits for a lock; nil for as long as it takes.
    public var lockTimeout: Duration?
    /// The longest silence of the server while an answer is due; nil leaves a dead peer to TCP's keepalives, which
    /// give up after about a minute.
    public var idleTimeout: Duration?

    /// The server that the environment names, or parts of it given here.
    public init(
        host: String? = nil, port: Int? = nil, user: String? = nil, database: String? = nil, password: Secret? = nil,
        tls: TLSMode? = nil
    ) {
        parameters["host"] = host
        parameters["port"] = port.map(String.init)
        parameters["user"] = user
        parameters["dbname"] = database
        parameters["sslmode"] = tls?.rawValue
        self.password = password
    }

    /// Reads `postgresql://user:password@host:port/database?sslmode=require` or `host=… port=… dbname=…`.
    /// - Throws: `badLocation` for text that libpq does not understand; the text is not repeated, it may hold a password.
    public init(_ connectionString: String) throws(HeadraceError) {
        guard let options = PQconninfoParse(connectionString, nil) else {
            throw HeadraceError(
                .badLocation, "the connection string of a PostgreSQL server cannot be read",
                hint: "write postgresql://user@host:port/database, with other characters than letters and digits as %XX"
            )
        }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { try set(String(cString: keyword), to: String(cString: value)) }
            option += 1
        }
    }

    /// The user name, nil where the environment decides.
    public var user: String? { parameters["user"] }
    /// The database, nil where the environment decides.
    public var database: String? { parameters["dbname"] }
    /// The host or the folder of the server's socket, nil where the environment decides.
    public var host: String? { parameters["host"] }
    /// The mode of encryption, nil for libpq's own default (`prefer`).
    public var tls: TLSMode? {
        get { parameters["sslmode"].flatMap(TLSMode.init(rawValue:)) }
        set { parameters["sslmode"] = newValue?.rawValue }
    }

    /// The keywords that libpq knows, such as `host`, `sslrootcert`, `target_session_attrs`.
    static let keywords: Set<String> = {
        guard let options = PQconndefaults() else { return [] }
        defer { PQconninfoFree(options) }
        var found: Set<String> = []
        var option = options
        while let keyword = option.pointee.keyword {
            found.insert(String(cString: keyword))
            option += 1
        }
        return found
    }()

    /// Sets one of libpq's keywords.
    /// - Throws: `badOption` for a keyword that libpq does not know and a value that it does not take.
    public mutating func set(_ keyword: String, to value: String) throws(HeadraceError) {
        switch keyword {
        case "password": password = Secret(value)
        case "connect_timeout":
            guard let seconds = Int(value), (0...86_400).contains(seconds) else { throw Self.bad(keyword, value) }
            connectTimeout = seconds == 0 ? .seconds(86_400) : .seconds(seconds)
        case "sslmode":
            guard let mode = TLSMode(rawValue: value) else {
                throw HeadraceError(
                    .badOption, "sslmode=\(value) is no mode of encryption",
                    fields: [("modes", TLSMode.allCases.map(\.rawValue).joined(separator: ", "))])
            }
            tls = mode
        case "client_encoding":
            guard ["utf8", "utf-8", "auto"].contains(value.lowercased()) else {
                throw HeadraceError(.badOption, "text goes to and from PostgreSQL in UTF-8 only")
            }
        default:
            guard Self.keywords.contains(keyword) else {
                throw HeadraceError(
                    .badOption, "PostgreSQL has no connection option \"\(keyword)\"",
                    fields: [("options", Self.keywords.sorted().joined(separator: ", "))])
            }
            parameters[keyword] = value
        }
    }

    private static func bad(_ keyword: String, _ value: String) -> HeadraceError {
        HeadraceError(.badOption, "\(keyword)=\(value) is no number of seconds", hint: "write a number from 0 to 86400")
    }
}

extension PostgreSQLConfiguration: CustomStringConvertible {
    /// The server's address as far as it is given here, without user and password: a job goes on under another account.
    public var description: String {
        var text = "postgresql://"
        if let host { text += host.hasPrefix("/") ? "[\(host)]" : host }
        if let port = parameters["port"] { text += ":\(port)" }
        if let database { text += "/\(database)" }
        if let service = parameters["service"] { text += "?service=\(service)" }
        return text
    }
}
