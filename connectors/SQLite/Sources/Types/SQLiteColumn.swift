import HeadraceCSQLite
import HeadraceColumnar

/// One column of a batch in the form that SQLite takes: integers, doubles, text or bytes.
struct SQLiteColumn: Sendable {
    /// Of type `int64`, `float64`, `utf8` or `binary`; text may be dictionary-encoded.
    let values: ColumnVector
    /// Text that stands in for the values where it is not null: what SQLite's numbers cannot hold.
    let instead: ColumnVector?

    init(_ values: ColumnVector, instead: ColumnVector? = nil) {
        self.values = values
        self.instead = instead.flatMap { $0.nullCount == $0.count ? nil : $0 }
    }

    /// Whether a row has a value.
    func isThere(_ row: Int) -> Bool { values.isValid(row) || instead?.isValid(row) == true }
}

/// Binds rows of a batch to the parameters of a statement; holds pointers into the batch's memory.
///
/// The columns must outlive it, and the statement's bindings must be cleared before they go.
struct SQLiteBinder: ~Copyable {
    private enum Kind: UInt8 { case integer, real, text, keyedText, bytes }

    private struct Cell {
        var kind: Kind
        var view: UnsafeColumnView
        /// The dictionary of keyed text.
        var words: UnsafeColumnView
        var instead: UnsafeColumnView
        var hasInstead: Bool
    }

    private let cells: UnsafeMutableBufferPointer<Cell>

    init(_ columns: [SQLiteColumn]) {
        cells = .allocate(capacity: columns.count)
        for (index, column) in columns.enumerated() {
            let kind: Kind =
                switch column.values.type.layout {
                case .bytes:
                    column.values.type == .binary ? .bytes : column.values.dictionary == nil ? .text : .keyedText
                default: column.values.type == .float64 ? .real : .integer
                }
            cells.initializeElement(
                at: index,
                to: Cell(
                    kind: kind, view: column.values.unsafeView,
                    words: (column.values.dictionary ?? column.values).unsafeView,
                    instead: (column.instead ?? column.values).unsafeView, hasInstead: column.instead != nil))
        }
    }

    deinit { cells.deallocate() }

    /// Binds row `row` to the parameters from `first`, none beyond `limit`.
    /// - Returns: `SQLITE_OK`, or the status of a call that failed.
    func bind(_ row: Int, from first: Int32, to statement: OpaquePointer, limit: Int32 = .max) -> Int32 {
        var position = first
        var worst = SQLITE_OK
        for index in 0..<cells.count where position <= limit {
            let status = bind(row, cells[index], position, statement)
            if status != SQLITE_OK { worst = status }
            position &+= 1
        }
        return worst
    }

    @inline(__always)
    private func bind(_ row: Int, _ cell: borrowing Cell, _ position: Int32, _ statement: OpaquePointer) -> Int32 {
        if cell.hasInstead, cell.instead.isValid(row) {
            return Self.bindText(cell.instead.bytes(row), position, statement)
        }
        guard cell.view.isValid(row) else { return sqlite3_bind_null(statement, position) }
        switch cell.kind {
        case .integer: return sqlite3_bind_int64(statement, position, cell.view.values(as: Int64.self)[row])
        case .real: return sqlite3_bind_double(statement, position, cell.view.values(as: Double.self)[row])
        case .text: return Self.bindText(cell.view.bytes(row), position, statement)
        case .keyedText: return Self.bindText(cell.words.bytes(cell.view.key(row)), position, statement)
        case .bytes:
            let bytes = cell.view.bytes(row)
            return headrace_sqlite3_bind_blob_static(
                statement, position, bytes.baseAddress ?? UnsafeRawPointer(SQLiteStatement.empty), UInt64(bytes.count))
        }
    }

    @inline(__always)
    private static func bindText(
        _ bytes: UnsafeRawBufferPointer, _ position: Int32, _ statement: OpaquePointer
    ) -> Int32 {
        let start = bytes.baseAddress ?? UnsafeRawPointer(SQLiteStatement.empty)
        return headrace_sqlite3_bind_text_static(
            statement, position, start.assumingMemoryBound(to: CChar.self), UInt64(bytes.count))
    }
}
