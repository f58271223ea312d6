import HeadraceColumnar
import HeadraceCore

/// How a table that is there comes to take rows with more columns or wider numbers than it has.
struct MySQLColumnChanges {
    let table: MySQLTable
    /// The table that is changed: the one that is there, or the one that will be swapped in.
    let into: MySQLName
    let fit: SchemaFit
    let connection: MySQLConnection

    /// The column that a field goes to, as it will be; what has to be done to it first is added to `definitions`.
    func column(of field: Field, _ definitions: inout [SQL]) throws -> MySQLTable.Column {
        guard let column = table.column(field.name) else {
            let name = try MySQLName(field.name)
            let declared = try MySQLColumnType.declaration(of: field.type)
            let comment = MySQLColumnType.comment(of: field.type)
            definitions.append("ALTER TABLE \(into) ADD COLUMN \(name) \(declared) NULL\(comment)")
            return MySQLTable.Column(
                name: name, type: MySQLColumnType(made: field.type, declared), isNullable: true, hasDefault: false,
                isGenerated: false, characterSet: nil)
        }
        guard let wide = fit.widened.first(where: { $0.column == column.name.text })?.to else { return column }
        let declared = try MySQLColumnType.declaration(of: wide)
        let rest = try attributes(of: column)
        definitions.append("ALTER TABLE \(into) MODIFY COLUMN \(column.name) \(declared)\(rest)")
        return MySQLTable.Column(
            name: column.name, type: MySQLColumnType(made: wide, declared), isNullable: column.isNullable,
            hasDefault: column.hasDefault, isGenerated: false, characterSet: nil)
    }

    /// What the server writes behind a column's type: a change of the type that did not repeat it would drop it.
    private func attributes(of column: MySQLTable.Column) throws -> SQL {
        let text = try connection.rows("SHOW CREATE TABLE \(table.name)").first?[1] ?? ""
        let prefix = "  \(column.name.quoted) \(column.type.declared)"
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(prefix) }) else {
            throw HeadraceError(
                .unsupported, "column \"\(column.name.text)\" of table \"\(table.name.text)\" cannot be widened",
                hint: "change its type by ALTER TABLE, then run again")
        }
        let rest = line.dropFirst(prefix.count)
        return SQL(writtenByUser: String(rest.hasSuffix(",") ? rest.dropLast() : rest))
    }
}
