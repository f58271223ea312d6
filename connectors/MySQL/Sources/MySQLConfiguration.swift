public import HeadraceCore

/// How to reach a MySQL or MariaDB server and how long to wait for it.
public struct MySQLConfiguration: Sendable, Hashable {
    /// How much of the connection is encrypted and whether the server must prove who it is.
    public enum TLSMode: String, Sendable, Hashable, CaseIterable {
        /// No encryption; encryption where the server offers it; encryption always.
        case disable, prefer, require
        /// Encryption, and a certificate of the host that an authority of `sslrootcert` has signed.
        case verifyFull = "verify-full"
    }

    /// The host name or address; nil for the socket.
    public var host: String?
    /// The port of `host`; nil for 3306.
    public var port: Int?
    /// The server's Unix socket, used instead of `host` where it is given.
    public var socket: String?
    /// The user; nil leaves it to the defaults file or the name of the process's user.
    public var user: String?
    /// The database that names of tables are looked up in.
    public var database: String?
    /// The password; nil leaves it to `MYSQL_PWD` or the defaults file.
    public var password: Secret?
    /// A file of options as `mariadb --defaults-file` reads it, group `client`; nil reads none.
    public var defaultsFile: String?
    /// The mode of encryption.
    public var tls: TLSMode = .prefer
    /// A file of certificates of the authorities that `verify-full` trusts; nil for the system's.
    public var certificateAuthority: String?
    /// How long connecting may take.
    public var connectTimeout: Duration = .seconds(15)
    /// The longest that the server works on one statement (MySQL: on a SELECT); nil for as long as it takes.
    public var statementTimeout: Duration?
    /// The longest that a statement waits for a lock; nil for the server's own limit.
    public var lockTimeout: Duration?
    /// The longest silence of the server while an answer is due; nil for as long as it takes.
    public var idleTimeout: Duration?

    /// A server by host or socket; nothing is opened yet.
    public init(
        host: String? = nil, port: Int? = nil, socket: String? = nil, user: String? = nil, database: String? = nil,
        password: Secret? = nil
    ) {
        self.host = host
        self.port = port
        self.socket = socket
        self.user = user
        self.database = database
        self.password = password
    }

    /// Reads `mysql://user:password@host:port/database?socket=/run/mysqld/mysqld.sock&sslmode=require`.
    /// - Throws: `badLocation` for text that is no such address; it is not repeated, because it may hold a password.
    public init(_ url: String) throws(HeadraceError) {
        let location = try Location(url) { _ in false }
        guard location.scheme == "mysql" || location.scheme == "mariadb" else { throw Self.bad }
        try self.init(location)
        for option in location.options where !Self.connectionOptions.contains(option.name) {
            throw HeadraceError(
                .badOption, "MySQL has no connection option \"\(option.name)\"",
                fields: [("options", Self.connectionOptions.sorted().joined(separator: ", "))])
        }
    }

    static let connectionOptions: Set<String> = [
        "socket", "sslmode", "sslrootcert", "defaultsFile", "connectTimeout", "statementTimeout", "lockTimeout",
        "idleTimeout", "password", "user",
    ]

    private static var bad: HeadraceError {
        HeadraceError(
            .badLocation, "the address of a MySQL server cannot be read",
            hint: "write mysql://user@host:port/database, with other characters than letters and digits as %XX")
    }

    /// The server of a location; options that are not about the connection are left to others.
    init(_ location: Location) throws(HeadraceError) {
        guard location.address.hasPrefix("//") else { throw Self.bad }
        func decoded(_ text: Substring) throws(HeadraceError) -> String? {
            if text.isEmpty { return nil }
            guard let decoded = Location.percentDecode(String(text), plusIsSpace: false) else { throw Self.bad }
            return decoded
        }
        let rest = location.address.dropFirst(2)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        let path = rest[slash...].dropFirst()
        guard !path.contains("/") else { throw Self.bad }
        let at = authority.lastIndex(of: "@")
        let account = at.map { authority[..<$0] } ?? ""
        var server = at.map { authority[authority.index(after: $0)...] } ?? authority
        let parts = account.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var port: Int?
        if server.hasPrefix("["), let end = server.firstIndex(of: "]") {
            port = try Self.port(server[server.index(after: end)...])
            server = server[server.index(after: server.startIndex)..<end]
        } else if let colon = server.lastIndex(of: ":") {
            port = try Self.port(server[colon...])
            server = server[..<colon]
        }
        self.init(
            host: try decoded(server), port: port, user: try decoded(parts.first ?? ""), database: try decoded(path),
            password: parts.count == 2 ? try decoded(parts[1]).map { Secret($0) } : nil)
        for option in location.options { try set(option.name, option.value) }
    }

    private static func port(_ text: Substring) throws(HeadraceError) -> Int? {
        if text.isEmpty || text == ":" { return nil }
        guard text.hasPrefix(":"), let port = UInt16(text.dropFirst()), port > 0 else { throw bad }
        return Int(port)
    }

    private mutating func set(_ name: String, _ value: String) throws(HeadraceError) {
        switch name {
        case "socket": socket = value
        case "user": user = value
        case "password": password = Secret(value)
        case "defaultsFile": defaultsFile = value
        case "sslrootcert": certificateAuthority = value
        case "sslmode":
            guard let mode = TLSMode(rawValue: value) else {
                throw HeadraceError(
                    .badOption, "sslmode=\(value) is no mode of encryption",
                    fields: [("modes", TLSMode.allCases.map(\.rawValue).joined(separator: ", "))])
            }
            tls = mode
        case "connectTimeout": connectTimeout = try Self.duration(name, value)
        case "statementTimeout": statementTimeout = try Self.duration(name, value)
        case "lockTimeout": lockTimeout = try Self.duration(name, value)
        case "idleTimeout": idleTimeout = try Self.duration(name, value)
        default: break
        }
    }

    private static func duration(_ name: String, _ value: String) throws(HeadraceError) -> Duration {
        guard let seconds = Double(value), seconds > 0, seconds <= 86_400 else {
            throw HeadraceError(
                .badOption, "\(name)=\(value) is no number of seconds", hint: "write a number above 0, up to 86400")
        }
        return .seconds(seconds)
    }
}

extension MySQLConfiguration: CustomStringConvertible {
    /// The server's address as far as it is given here; never the password.
    public var description: String {
        var text = "mysql://"
        if let user { text += "\(user)@" }
        if let host { text += host.contains(":") ? "[\(host)]" : host }
        if let port { text += ":\(port)" }
        text += "/\(database ?? "")"
        if let socket { text += "?socket=\(socket)" }
        return text
    }
}
