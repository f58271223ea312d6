import HeadraceColumnar
import HeadraceCore

/// What tells new rows from old ones beside the transaction that wrote them.
struct PostgreSQLIncrement: Sendable, Hashable {
    /// A column that grows with every new or changed row, such as `updated_at` or an identity.
    let cursor: PostgreSQLName
    /// How far behind the highest value of the cursor a late row may lie, as the server reads it: `1 hour`, `1000`.
    /// Nil trusts the cursor with nothing: the whole table is looked through on the server.
    let lag: String?

    /// A condition that lets the server use an index on the cursor; nil for the first reading and without a lag.
    func floor(
        of table: PostgreSQLTable, _ window: PostgreSQLWindow?, _ connection: PostgreSQLConnection
    ) throws -> SQL? {
        guard let column = table.column(cursor.text) else {
            throw HeadraceError(
                .schemaMismatch, "table \(table.name) has no column \"\(cursor.text)\" to be a cursor",
                fields: [("columns", table.columns.map(\.name.text).joined(separator: ", "))])
        }
        guard let lag, let since = window?.since else { return nil }
        // What the lag is subtracted as, and what the result is compared as: the index needs the column's kind of type.
        let lowered: SQL
        let operand: SQL
        switch column.type.kind {
        case .timestamp, .timestampWithZone, .date:
            (lowered, operand) = ("max(\(cursor)) - $1::interval", "timestamptz")
        case .int2, .int4, .int8: (lowered, operand) = ("floor(max(\(cursor)) - $1::numeric)::bigint", "bigint")
        case .numeric, .unboundedNumeric: (lowered, operand) = ("max(\(cursor)) - $1::numeric", "numeric")
        default:
            throw HeadraceError(
                .badOption, "a lag needs a cursor of numbers or times, \"\(cursor.text)\" is \(column.type.name)")
        }
        // The highest value among rows that the readings before this one have seen.
        let before = "((xmin::text::bigint - \(since)) & 4294967295) >= 2147483648" as SQL
        let highest = try connection.first("SELECT (\(lowered))::text FROM \(table.name) WHERE \(before)", [lag]) {
            $0.text(0)
        }
        guard let value = highest ?? nil else { return nil }
        return "(\(cursor) >= \(try PostgreSQLLiteral(value))::\(operand) OR \(cursor) IS NULL)"
    }
}
