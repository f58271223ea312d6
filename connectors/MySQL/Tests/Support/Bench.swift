import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Synchronization
import Testing

@testable import HeadraceMySQL

/// A database of its own for one test, and the `mariadb` program as the independent client.
struct Bench: Sendable {
    let server: MariaDBServer
    let database: String

    init(_ server: MariaDBServer? = nil) throws {
        self.server = try server ?? MariaDBServer.shared()
        database = try self.server.makeDatabase()
    }

    var url: String { server.url(database: database) }
    var configuration: MySQLConfiguration { get throws { try MySQLConfiguration(url) } }

    /// Runs SQL in `mariadb`; one line a row, columns joined by tabs.
    @discardableResult
    func mariadb(_ sql: String) throws -> [String] { try server.mariadb(sql, database: database) }

    func source(
        _ table: String, streams: Int = 1, zeroDatesAreNull: Bool = false, timesAreText: Bool = false
    ) throws -> MySQLTableSource {
        MySQLTableSource(
            configuration: try configuration, table: table, streams: streams, zeroDatesAreNull: zeroDatesAreNull,
            timesAreText: timesAreText)
    }
}

func decimal(_ text: String) -> Scalar { DecimalValue(text).map(Scalar.decimal) ?? .null }
