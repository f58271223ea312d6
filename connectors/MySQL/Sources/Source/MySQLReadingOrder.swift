import HeadraceColumnar
import HeadraceCore

/// The key of a row: what the server compares of each column of the order, as bytes.
struct MySQLKey: Sendable, Hashable {
    let values: [[UInt8]]

    /// Hexadecimal digits, so that text, numbers and bytes are all kept.
    var json: JSONValue { .array(values.map { .string(Self.hex($0)) }) }

    init(values: [[UInt8]]) { self.values = values }

    init?(_ json: JSONValue, count: Int) {
        guard let parts = json.arrayValue, parts.count == count else { return nil }
        let values = parts.compactMap { $0.stringValue.flatMap(Self.bytes) }
        guard values.count == count else { return nil }
        self.values = values
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

/// The order in which a table is read, and how its reading goes on after a row: by the columns of its primary key, or of a
/// unique index whose columns take no nulls.
///
/// Only the server compares keys, by the columns' own types and collations: what is equal there is one key, whatever its bytes.
struct MySQLReadingOrder: Sendable {
    /// The columns that name a row, in order.
    let columns: [MySQLTable.Column]
    /// The index over them.
    let index: MySQLName

    /// Nil for a view and a table without such a key, or with one that is kept by a hash only. Numbers with a binary fraction name no row that could be found again.
    init?(_ table: MySQLTable) {
        guard !table.isView else { return nil }
        let found = table.uniqueKeys.indices.first { key in
            table.sortedKeys[key]
                && table.uniqueKeys[key].allSatisfy { name in
                    guard let column = table.column(name) else { return false }
                    return !column.isNullable && column.type.type != .float32 && column.type.type != .float64
                }
        }
        guard let found, let columns = try? table.columns(table.uniqueKeys[found]) else { return nil }
        self.columns = columns
        index = table.uniqueNames[found]
    }

    /// What follows `ORDER BY`.
    var sql: SQL { "\(columns.map(\.name))" }

    /// What follows `SELECT` to read a row's key.
    var selection: [SQL] { columns.map(\.keySelection) }

    /// The key of a row whose key's columns begin at `offset`.
    func key(_ rows: MySQLRows, row: Int, offset: Int) -> MySQLKey {
        MySQLKey(values: columns.indices.map { rows.value(row, offset + $0) ?? [] })
    }

    /// The condition that a row lies after `after` and not after `through`; nil where it holds for all rows.
    func condition(after: MySQLKey?, through: MySQLKey?) throws -> SQL? {
        var parts: [SQL] = []
        if let after { parts.append(try condition(after, ">", last: ">")) }
        if let through { parts.append(try condition(through, "<", last: "<=")) }
        return parts.isEmpty ? nil : parts.joined(by: " AND ")
    }

    /// A comparison of tuples would be read without the index: one column after another is not.
    private func condition(_ key: MySQLKey, _ comparison: SQL, last: SQL) throws -> SQL {
        let values = try zip(columns, key.values).map { try $0.literal($1) }
        let final = columns.count - 1
        guard final > 0 else { return "\(columns[0].name) \(last) \(values[0])" }
        let steps: [SQL] = columns.indices.map { index in
            var parts: [SQL] = (0..<index).map { "\(columns[$0].name) = \(values[$0])" }
            parts.append("\(columns[index].name) \(index == final ? last : comparison) \(values[index])")
            return "(\(parts.joined(by: " AND ")))"
        }
        return "\(columns[0].name) \(comparison)= \(values[0]) AND (\(steps.joined(by: " OR ")))"
    }
}

extension MySQLTable.Column {
    /// How values of the column are compared with literals.
    private enum Comparison { case number, text(MySQLName), bytes, quoted }

    private var comparison: Comparison {
        switch type.kind {
        // Enumerations and sets are sorted by their numbers, but compared with text as text.
        case .word: characterSet == nil ? .quoted : .number
        case .bits, .wideDecimal: .number
        case .bytes, .opaque: .bytes
        case .temporal, .year: .quoted
        case .characters, .text: characterSet.map { .text($0) } ?? .bytes
        case .plain, .float: .number
        }
    }

    /// The column in a SELECT, in the form that `literal` takes.
    ///
    /// Text comes as the bytes of its own character set: on the way through another one some characters become others.
    var keySelection: SQL {
        switch comparison {
        case .text: "CAST(\(name) AS BINARY)"
        case .number where type.isCollated || type.kind.isBits: "CAST(\(name) AS UNSIGNED)"
        case .number, .bytes, .quoted: selection
        }
    }

    /// A value that `keySelection` gave, as a literal that the server compares as it compares the column's own values.
    /// - Throws: `malformedInput` for bytes that are no such value.
    func literal(_ value: [UInt8]) throws -> SQL {
        switch comparison {
        case .text(let set): return "\(MySQLLiteral(bytes: value, characterSet: set))"
        case .bytes: return "\(MySQLLiteral(bytes: value))"
        case .quoted: return "\(MySQLLiteral(String(decoding: value, as: UTF8.self)))"
        case .number:
            guard let number = MySQLLiteral(number: value) else {
                throw HeadraceError(
                    .malformedInput, "a position in column \"\(name.text)\" (\(type.declared)) is no number",
                    hint: "run with --restart")
            }
            return "\(number)"
        }
    }
}

extension MySQLColumnType.Kind {
    fileprivate var isBits: Bool { if case .bits = self { true } else { false } }
}
