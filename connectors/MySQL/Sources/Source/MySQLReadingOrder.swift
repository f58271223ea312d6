import HeadraceColumnar
import HeadraceCore

/// The order in which a table is read, and how its reading goes on after a row: by the columns of its primary key, or of a
/// unique index whose columns take no nulls.
struct MySQLReadingOrder: Sendable {
    /// The columns that name a row, in order.
    let columns: [MySQLTable.Column]
    /// How many columns of a row stand before the order's.
    let offset: Int

    /// Nil for a view and a table without such a key. Numbers with a binary fraction name no row that could be found again.
    init?(_ table: MySQLTable, offset: Int) {
        guard !table.isView else { return nil }
        let keys = table.uniqueKeys.first { names in
            names.allSatisfy { name in
                guard let column = table.column(name) else { return false }
                return !column.isNullable && column.type.type != .float32 && column.type.type != .float64
            }
        }
        guard let keys, let columns = try? table.columns(keys) else { return nil }
        self.columns = columns
        self.offset = offset
    }

    /// What follows `ORDER BY`.
    var sql: SQL { "\(columns.map(\.name))" }

    /// The values of the order's columns as bytes in hexadecimal, so that text, numbers and bytes are all kept.
    func position(after rows: MySQLRows, row: Int) -> Position {
        let key = columns.indices.map { index in
            JSONValue.string(Self.hex(rows.value(rows.count - 1, offset + index) ?? []))
        }
        return Position(["key": .array(key), "row": .integer(row)])
    }

    /// The condition for the rows after a position, and how many rows there are before it.
    func condition(after position: Position, of table: MySQLTable) throws -> (sql: SQL, rowsBefore: Int) {
        let row = Int(position.value["row"]?.integerValue ?? 0)
        let key = position.value["key"]?.arrayValue?.compactMap { $0.stringValue.flatMap(Self.bytes) } ?? []
        guard key.count == columns.count else {
            throw HeadraceError(
                .malformedInput, "\(position.value) is no position in table \"\(table.name.text)\"",
                hint: "the table has another key now; run with --restart to read it from its start")
        }
        let values = zip(columns, key).map(Self.literal)
        // A comparison of tuples would be read without the index: one column after another is not.
        let steps: [SQL] = columns.indices.map { index in
            var parts: [SQL] = (0..<index).map { "\(columns[$0].name) = \(values[$0])" }
            parts.append("\(columns[index].name) > \(values[index])")
            return "(\(parts.joined(by: " AND ")))"
        }
        return ("\(columns[0].name) >= \(values[0]) AND (\(steps.joined(by: " OR ")))", row)
    }

    private static func literal(_ column: MySQLTable.Column, _ bytes: [UInt8]) -> SQL {
        switch column.type.kind {
        case .bits:
            return "CAST(\(bytes.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }) AS UNSIGNED)"
        case .bytes, .opaque: return "\(MySQLLiteral(bytes: bytes))"
        default: return "\(MySQLLiteral(String(decoding: bytes, as: UTF8.self)))"
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(_ hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}
