import HeadraceCore

/// The order in which a table is read, and how its reading goes on after a row: by rowid, or by the primary key of a
/// table without one.
struct SQLiteReadingOrder: Sendable {
    /// The columns that name a row, in order.
    let columns: [String]
    let isRowid: Bool

    init(_ table: SQLiteTable) throws {
        if let rowid = table.rowidName {
            columns = [rowid]
            isRowid = true
        } else if !table.hasRowid, !table.keyColumns.isEmpty {
            columns = table.keyColumns.map(\.name)
            isRowid = false
        } else {
            throw HeadraceError(
                .unsupported, "the columns of table \"\(table.name)\" hide its rowid",
                hint: "read it as a query: SELECT * FROM \(SQLiteName.quoted(table.name))")
        }
    }

    /// The query for `names` followed by the order's columns, with the values that it binds.
    func query(
        columns names: [String], of table: SQLiteTable, after position: Position?
    ) throws -> (sql: String, values: [SQLiteValue], rowsBefore: Int) {
        var values: [SQLiteValue] = []
        var rowsBefore = 0
        var condition = ""
        let order = SQLiteName.list(columns)
        if let position {
            (values, rowsBefore) = try read(position, of: table)
            let marks = columns.map { _ in "?" }.joined(separator: ", ")
            condition = columns.count == 1 ? " WHERE \(order) > ?" : " WHERE (\(order)) > (\(marks))"
        }
        let sql =
            "SELECT \(SQLiteName.list(names + columns)) FROM \(SQLiteName.quoted(table.name))\(condition) ORDER BY \(order)"
        return (sql, values, rowsBefore)
    }

    /// Writes down what names the current row of a statement whose last columns are the order's.
    func note(_ statement: SQLiteStatement, in key: inout [SQLiteValue]) {
        let first = statement.columnCount - columns.count
        key.removeAll(keepingCapacity: true)
        for index in columns.indices { key.append(statement.value(first + index)) }
    }

    /// The position after the row that `key` names.
    func position(after key: [SQLiteValue], row: Int) -> Position {
        if isRowid, case .integer(let rowid)? = key.first {
            return Position(["rowid": .integer(rowid), "row": .integer(row)])
        }
        return Position(["key": .array(key.map(Self.json)), "row": .integer(row)])
    }

    private func read(_ position: Position, of table: SQLiteTable) throws -> ([SQLiteValue], Int) {
        let row = Int(position.value["row"]?.integerValue ?? 0)
        if isRowid, let rowid = position.value["rowid"]?.integerValue { return ([.integer(rowid)], row) }
        if !isRowid, let key = position.value["key"]?.arrayValue, key.count == columns.count {
            let values = key.compactMap(Self.value)
            if values.count == key.count { return (values, row) }
        }
        throw HeadraceError(
            .malformedInput, "\(position.value) is no position in table \"\(table.name)\"",
            hint: "the table has another key now; run with --restart to read it from its start")
    }

    /// Integers and text as themselves; numbers and bytes as text that gives back the same bits.
    private static func json(_ value: SQLiteValue) -> JSONValue {
        switch value {
        case .null: .null
        case .integer(let number): .integer(number)
        case .text(let text): .string(text)
        case .real(let number): ["real": .string(String(number.bitPattern, radix: 16))]
        case .blob(let bytes): ["blob": .array(bytes.map { .integer($0) })]
        }
    }

    private static func value(_ json: JSONValue) -> SQLiteValue? {
        if let number = json.integerValue { return .integer(number) }
        if let text = json.stringValue { return .text(text) }
        if let bits = json["real"]?.stringValue.flatMap({ UInt64($0, radix: 16) }) {
            return .real(Double(bitPattern: bits))
        }
        return json["blob"]?.arrayValue.map { .blob($0.map { UInt8(truncatingIfNeeded: $0.integerValue ?? 0) }) }
    }
}
