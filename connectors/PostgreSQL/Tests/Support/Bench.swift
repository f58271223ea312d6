import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Synchronization
import Testing

@testable import HeadracePostgreSQL

/// A database of its own for one test, and `psql` as the independent client.
struct Bench: Sendable {
    let server: PostgreSQLServer
    let database: String

    init(_ server: PostgreSQLServer? = nil) throws {
        self.server = try server ?? PostgreSQLServer.shared()
        database = try self.server.makeDatabase()
    }

    var url: String { server.url(database: database) }

    var configuration: PostgreSQLConfiguration {
        get throws { try PostgreSQLConfiguration(url) }
    }

    /// Runs SQL in `psql`; one line a row, columns joined by bars.
    @discardableResult
    func psql(_ sql: String) throws -> [String] { try server.psql(sql, database: database) }

    /// Runs `body` with a connection of its own.
    func connected<R: Sendable>(_ body: @Sendable (PostgreSQLConnection) throws -> R) async throws -> R {
        let session = PostgreSQLSession(try configuration)
        do {
            let result = try await session.use(raw: true, body)
            await session.close()
            return result
        } catch {
            await session.close()
            throw error
        }
    }

    /// Writes rows into a table, without the sink.
    /// - Returns: the rows that the server says it stored, and those that the client refused.
    func write(_ records: RecordBatch, to table: String) async throws -> (
        stored: Int, misfits: [(String, PostgreSQLMisfit)]
    ) {
        try await connected { connection in
            let table = try #require(try PostgreSQLTable.read(try PostgreSQLTableName(table), from: connection))
            let columns = try records.schema.names.map { try #require(table.column($0)) }
            let encoder = try PostgreSQLRowEncoder(records.schema, into: columns.map { ($0.type, $0.isNullable) })
            let encoded = encoder.encode(records)
            try connection.beginCopyIn("COPY \(table.name) (\(columns.map(\.name))) FROM STDIN (FORMAT binary)")
            try PostgreSQLEncodedRows.header.withUnsafeBytes { try connection.copyIn($0) }
            try encoded.withBytes(of: 0..<encoded.count) { try connection.copyIn($0) }
            try PostgreSQLEncodedRows.trailer.withUnsafeBytes { try connection.copyIn($0) }
            return (try connection.endCopyIn(), encoded.misfits.map { ($0.column, $0.misfit) })
        }
    }

    /// Reads a table whole, without the source: its schema, its rows and the values that did not fit.
    func read(_ table: String, checksText: Bool = false) async throws -> (
        records: RecordBatch, misfits: [(String, PostgreSQLMisfit)]
    ) {
        try await connected { connection in
            let table = try #require(try PostgreSQLTable.read(try PostgreSQLTableName(table), from: connection))
            let list = table.columns.map(\.selection)
            try connection.beginCopyOut("COPY (SELECT \(list) FROM \(table.name)) TO STDOUT (FORMAT binary)")
            var bytes: [UInt8] = []
            while try connection.copyOut({
                bytes += $0
                return true
            }) {}
            var rows = 0
            var place = 19
            while bytes[place] != 0xff {
                rows += 1
                place += 2
                for _ in table.columns {
                    let length = bytes[place..<place + 4].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
                    place += 4 + Int(max(Int32(bitPattern: length), 0))
                }
            }
            let decoder = PostgreSQLRowDecoder(table.schema, types: table.columns.map(\.type), checksText: checksText)
            return try bytes[19..<place].withUnsafeBytes { try decoder.decode($0, rows: rows) }
        }
    }
}
