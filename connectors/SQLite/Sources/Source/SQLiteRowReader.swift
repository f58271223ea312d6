import HeadraceCSQLite
import HeadraceColumnar
import HeadraceCore

/// Builds batches straight from a statement's rows.
final class SQLiteRowReader {
    /// A value that does not fit the type of its field.
    struct Misfit {
        let field: Field
        let value: SQLiteValue
    }

    let schema: Schema
    private let cells: [SQLiteCell]

    /// A reader of the statement's columns `columns` as the fields of `schema`; nil when a field is a list or struct.
    init?(_ schema: Schema, columns: [Int]) {
        self.schema = schema
        var cells: [SQLiteCell] = []
        for (field, column) in zip(schema.fields, columns) {
            guard let cell = SQLiteCell.make(Int32(column), field) else { return nil }
            cells.append(cell)
        }
        self.cells = cells
    }

    /// Takes the current row, or says which value does not fit; then nothing of it is taken.
    /// - Parameter bytes: grows by the size of the row.
    func take(_ statement: SQLiteStatement, bytes: inout Int) -> Misfit? {
        for cell in cells where !cell.read(statement.handle) {
            return Misfit(field: cell.field, value: statement.value(Int(cell.column)))
        }
        for cell in cells {
            cell.keep()
            bytes &+= cell.size
        }
        return nil
    }

    /// The rows taken since the last call.
    func finish(count: Int) -> RecordBatch {
        RecordBatch(schema: schema, columns: cells.map { $0.finish() }, count: count)
    }
}

extension SQLiteRowReader.Misfit {
    /// The value as text, for a reject.
    var text: String {
        switch value {
        case .null: "null"
        case .integer(let number): "\(number)"
        case .real(let number): "\(number)"
        case .text(let text): text
        case .blob(let bytes): Scalar.binary(Array(bytes.prefix(64))).description
        }
    }

    private var kind: String {
        switch value {
        case .null: "null"
        case .integer: "an integer"
        case .real: "a number"
        case .text: "text"
        case .blob: "bytes"
        }
    }

    var message: String { "\(kind) in column \"\(field.name)\" does not fit \(field.type)" }
}
