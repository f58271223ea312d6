import HeadraceColumnar
import HeadraceCore

/// How far behind the newest value of a cursor a row may still come.
enum MySQLLag: Sendable, Hashable {
    /// For cursors of numbers.
    case amount(MySQLLiteral)
    /// For cursors of times.
    case microseconds(Int64)

    /// A hundred years.
    private static let longest: Int64 = 36_525 * 86_400_000_000

    private static let units: [String: Int64] = [
        "second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000, "day": 86_400_000_000,
        "week": 604_800_000_000,
    ]

    /// Reads `1000`, `0.5`, `90 seconds`, `1 hour`, `2 days`.
    /// - Throws: `badOption` for anything else.
    init(_ text: String) throws(HeadraceError) {
        let words = text.split(separator: " ")
        let unit = words.count == 2 ? words[1].lowercased() : ""
        let singular = unit.hasSuffix("s") ? String(unit.dropLast()) : unit
        if words.count == 1, let number = MySQLLiteral(number: Array(words[0].utf8)), !words[0].hasPrefix("-") {
            self = .amount(number)
        } else if words.count == 2, let count = Int64(words[0]), count >= 0, let factor = Self.units[singular],
            !count.multipliedReportingOverflow(by: factor).overflow, count * factor <= Self.longest
        {
            self = .microseconds(count * factor)
        } else {
            throw HeadraceError(
                .badOption, "lag=\(text) is neither a number nor a time of at most a hundred years",
                hint: "write 1000 for a cursor of numbers, 90 seconds, 5 minutes, 1 hour or 2 days for one of times")
        }
    }
}

/// The column of a table by which new and changed rows are told from old ones.
struct MySQLCursor: Sendable {
    /// What kind of value grows.
    enum Kind: Sendable, Hashable {
        /// Whole or decimal numbers.
        case number(scale: Int)
        /// Points in time of so many digits after a second's point, in a time zone of the server's.
        case time(digits: Int, zone: SQL)
        /// Days.
        case day(zone: SQL)
    }

    let column: MySQLTable.Column
    let kind: Kind
    let table: MySQLTable

    /// - Throws: `schemaMismatch` for a column that the table lacks, `badOption` for one that does not grow.
    init(_ name: String, of table: MySQLTable) throws {
        self.table = table
        guard let column = table.column(name) else {
            throw HeadraceError(
                .schemaMismatch, "table \"\(table.name.text)\" has no column \"\(name)\" to be a cursor",
                fields: [("columns", table.columns.map(\.name.text).joined(separator: ", "))])
        }
        self.column = column
        let zone: SQL =
            if case .timestamp(zone: nil) = column.type.type { "@@global.time_zone" } else { "'+00:00'" }
        switch (column.type.kind, column.type.type) {
        case (.temporal(let digits), .timestamp): kind = .time(digits: digits, zone: zone)
        case (.temporal, .date32): kind = .day(zone: "@@global.time_zone")
        case (.plain, .decimal(_, let scale)): kind = .number(scale: scale)
        case (.wideDecimal(_, let scale), _): kind = .number(scale: scale)
        case (.plain, .int8), (.plain, .int16), (.plain, .int32), (.plain, .int64), (.plain, .uint8), (.plain, .uint16),
            (.plain, .uint32), (.plain, .uint64):
            kind = .number(scale: 0)
        default:
            throw HeadraceError(
                .badOption,
                "a cursor is a column of numbers or times, \"\(column.name.text)\" is \(column.type.declared)"
            )
        }
    }

    /// How long one value of a cursor of times lasts, in microseconds; 0 for numbers.
    var moment: Int64 {
        switch kind {
        case .number: 0
        case .day: 86_400_000_000
        case .time(let digits, _): DecimalMath.powerOfTen(6 - min(max(digits, 0), 6))
        }
    }

    func literal(_ value: String) throws -> SQL { try column.literal(Array(value.utf8)) }

    /// The condition that a row lies in a window.
    func condition(_ window: MySQLWindow) throws -> SQL {
        guard let bound = window.bound, !window.isEmpty else { return "FALSE" }
        let upper: SQL = "\(column.name) <= \(try literal(bound))"
        guard let since = window.since else { return upper }
        return "\(column.name) > \(try literal(since)) AND \(upper)"
    }

    /// Refuses rows that no window would ever hold.
    func checkNulls(_ connection: MySQLConnection) throws {
        guard column.isNullable else { return }
        let sql: SQL = "SELECT 1 FROM \(table.name) WHERE \(column.name) IS NULL LIMIT 1"
        guard try connection.rows(sql).isEmpty else {
            throw HeadraceError(
                .schemaMismatch,
                "table \"\(table.name.text)\" holds rows whose cursor \"\(column.name.text)\" is null: they would be missed",
                hint: "fill the column, or take a cursor that is never null")
        }
    }

    /// The time at the server in the zone of the column's values, to the column's digits; nil for numbers.
    /// - Parameter lag: microseconds to go back.
    func now(_ connection: MySQLConnection, lag: Int64 = 0) throws -> String? {
        let zone: SQL
        let length: Int
        switch kind {
        case .number: return nil
        case .day(let found): (zone, length) = (found, 10)
        case .time(let digits, let found): (zone, length) = (found, digits == 0 ? 19 : 20 + digits)
        }
        let sql: SQL =
            "SELECT CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', \(zone)) - INTERVAL \(lag) MICROSECOND"
        guard let text = try connection.rows(sql).first?[0] else {
            throw HeadraceError(
                .unsupported, "the server does not know its own time zone, in which \"\(column.name.text)\" counts",
                hint: "load its time zone tables, or take a TIMESTAMP for a cursor")
        }
        // An interval without microseconds drops the fraction; what follows the column's digits is cut off, not rounded.
        let whole = text.utf8.count > 19 ? text : "\(text).000000"
        return String(whole.prefix(length))
    }

    /// The highest value above `since`, and not above `limit`; nil for none.
    func highest(above since: String?, limit: String?, _ connection: MySQLConnection) throws -> String? {
        var conditions: [SQL] = []
        if let since { conditions.append("\(column.name) > \(try literal(since))") }
        if let limit { conditions.append("\(column.name) <= \(try literal(limit))") }
        let clause: SQL = conditions.isEmpty ? "" : " WHERE \(conditions.joined(by: " AND "))"
        return try connection.rows("SELECT MAX(\(column.name)) FROM \(table.name)\(clause)").first?[0]
    }

    /// The later of two values, by the server's own comparison.
    func later(_ left: String, _ right: String?, _ connection: MySQLConnection) throws -> String {
        guard let right else { return left }
        let sql: SQL =
            switch kind {
            case .number: "SELECT \(try literal(left)) > \(try literal(right))"
            case .time, .day:
                "SELECT CAST(\(try literal(left)) AS DATETIME(6)) > CAST(\(try literal(right)) AS DATETIME(6))"
            }
        return try connection.number(sql) == 1 ? left : right
    }
}
