import HeadraceColumnar
import HeadraceCore

/// Temporary tables without constraints, into which rows go before SQL sorts or joins them. They end with the transaction.
///
/// Used inside calls of its session only.
final class PostgreSQLStages {
    private let isIndexed: Bool
    /// By their columns.
    private var made: [SQL: PostgreSQLTableName] = [:]

    /// - Parameter isIndexed: whether rows are found by their number, one by one.
    init(isIndexed: Bool) { self.isIndexed = isIndexed }

    /// The column in front of a stage's others: the row of the batch.
    static var row: SQL { "\"_headrace_row\"" }

    static func name(_ number: Int) -> PostgreSQLTableName {
        // Both names are short and hold no zero byte, which is all that can be wrong with one.
        guard let schema = try? PostgreSQLName("pg_temp"), let table = try? PostgreSQLName("_headrace_stage_\(number)")
        else { preconditionFailure("names of stages are names") }
        return PostgreSQLTableName(schema: schema, table: table)
    }

    /// Forgets all tables: the transaction that made them has ended.
    func forget() { made = [:] }

    /// Puts encoded rows, or those of them for which `condition` is true, into the stage for `columns`, emptied before.
    func fill(
        _ columns: [PostgreSQLColumn], _ rows: PostgreSQLEncodedRows, where condition: SQL? = nil,
        in connection: PostgreSQLConnection
    ) throws -> PostgreSQLTableName {
        let (stage, isNew) = try make(for: columns, connection)
        if !isNew { try connection.script("TRUNCATE \(stage)") }
        let only: SQL = condition.map { " WHERE \($0)" } ?? ""
        try connection.beginCopyIn(
            "COPY \(stage) (\(Self.row), \(columns.map(\.name))) FROM STDIN (FORMAT binary)\(only)")
        try PostgreSQLEncodedRows.header.withUnsafeBytes { try connection.copyIn($0) }
        try Self.numbered(rows).withUnsafeBytes { try connection.copyIn($0) }
        try PostgreSQLEncodedRows.trailer.withUnsafeBytes { try connection.copyIn($0) }
        _ = try connection.endCopyIn()
        return stage
    }

    /// Makes the stage for `columns` where there is none. What is made inside a savepoint that is rolled back is gone.
    @discardableResult
    func make(
        for columns: [PostgreSQLColumn], _ connection: PostgreSQLConnection
    ) throws -> (stage: PostgreSQLTableName, isNew: Bool) {
        let shape = columns.map(\.likeness).joined(by: ", ")
        if let known = made[shape] { return (known, false) }
        let stage = Self.name(made.count + 1)
        let key: SQL = isIndexed ? "PRIMARY KEY" : "NOT NULL"
        try connection.script(
            "CREATE TEMPORARY TABLE \(stage.table) (\(Self.row) integer \(key), \(shape)) ON COMMIT DROP")
        made[shape] = stage
        return (stage, true)
    }

    /// The rows with their numbers in the batch as a column in front.
    private static func numbered(_ rows: PostgreSQLEncodedRows) -> [UInt8] {
        let total = rows.ends.last.map(Int.init) ?? 0
        return [UInt8](unsafeUninitializedCapacity: total + 8 * rows.count) { buffer, count in
            defer { count = total + 8 * rows.count }
            guard var out = UnsafeMutableRawPointer(buffer.baseAddress) else { return }
            let source = UnsafeRawPointer(rows.bytes.base)
            var start = 0
            for index in 0..<rows.count {
                let end = Int(rows.ends[index])
                let fields = Int16(bigEndian: (source + start).loadUnaligned(as: Int16.self)) &+ 1
                out.storeBytes(of: fields.bigEndian, as: Int16.self)
                (out + 2).storeBytes(of: (4 as Int32).bigEndian, as: Int32.self)
                (out + 6).storeBytes(of: Int32(truncatingIfNeeded: rows.batchRow(index)).bigEndian, as: Int32.self)
                (out + 10).copyMemory(from: source + start + 2, byteCount: end - start - 2)
                out += end - start + 8
                start = end
            }
            withExtendedLifetime(rows) {}
        }
    }
}
