import HeadraceColumnar

/// The row that a closure makes of another: set its columns by the handles that were declared.
///
/// A column that is not set is null; one set twice has the last value.
public struct RowWriter: ~Copyable {
    @usableFromInline let columns: UnsafeMutablePointer<WrittenColumn>
    @usableFromInline let count: Int
    @usableFromInline let token: UInt32
    /// The row being written.
    @usableFromInline var row = 0
    /// Why the row cannot stand.
    private(set) var failure: RowError?
    private let filled: [Int]

    init(_ rows: WrittenRows) {
        columns = rows.columns
        count = rows.count
        token = rows.token
        filled = rows.filled
        open()
    }

    /// Sets a column of the row; nil sets null. A value that the column's type does not hold refuses the row.
    @inlinable public mutating func set<V: RowValue>(_ output: RowOutput<V>, _ value: V?) {
        check(output.slot, output.token)
        guard let value else { return columns[output.slot].clear(row) }
        if V.put(value, into: &columns[output.slot], at: row) {
            columns[output.slot].mark(row)
        } else {
            doesNotFit(output.slot, "\(value)")
        }
    }

    /// Sets a text column to a text of the row that is read, without a `String` between.
    public mutating func set(_ output: RowOutput<String>, _ text: TextSlice?) {
        check(output.slot, output.token)
        guard let text else { return columns[output.slot].clear(row) }
        text.withBytes { columns[output.slot].putText($0, at: row) }
        columns[output.slot].mark(row)
    }

    @inlinable func check(_ slot: Int, _ own: UInt32) {
        precondition(slot < count && own == token, "a handle was used outside the closure it was made for")
    }

    @usableFromInline mutating func doesNotFit(_ slot: Int, _ value: String) {
        if failure != nil { return }
        let field = columns[slot].field
        failure = RowError(
            "outOfRange", "\(value) does not fit column \(field.name), which is \(field.type)", field: field.name)
    }

    /// Makes room for the row.
    mutating func open() {
        for slot in 0..<count { columns[slot].open(row) }
    }

    /// Ends the row; nothing that it was refused for may be left.
    /// - Throws: `RowError` when a value did not fit or a column that must not be null has none.
    func close() throws(RowError) {
        if let failure { throw failure }
        for slot in filled where !columns[slot].isSet(row) { throw RowError.missing(columns[slot].field.name) }
    }

    /// Goes on to the next row.
    mutating func advance() {
        row &+= 1
        open()
    }

    /// Takes all rows from `start` back.
    mutating func rewind(to start: Int) {
        failure = nil
        for row in start...row {
            for slot in 0..<count { columns[slot].clear(row) }
        }
        row = start
        open()
    }
}

/// The rows that a closure makes of one row: set columns, then `emit()`, as often as there are rows to make.
public struct RowEmitter: ~Copyable {
    /// The most bytes that the rows of one batch may become.
    private static let mostBytes = 1 << 30

    @usableFromInline var writer: RowWriter
    /// The row of the batch that each row was made of.
    private(set) var parents: [Int32] = []
    /// The row of the batch that rows are made of now.
    var parent: Int32 = 0
    private(set) var failure: RowError?
    private(set) var isTooMuch = false

    init(_ rows: WrittenRows, capacity: Int) {
        writer = RowWriter(rows)
        parents.reserveCapacity(capacity)
    }

    /// Sets a column of the row that is emitted next; nil sets null. A value that the column's type does not hold refuses the
    /// row that is read, with all that was made of it.
    @inlinable public mutating func set<V: RowValue>(_ output: RowOutput<V>, _ value: V?) { writer.set(output, value) }

    /// Sets a text column to a text of the row that is read, without a `String` between.
    public mutating func set(_ output: RowOutput<String>, _ text: TextSlice?) { writer.set(output, text) }

    /// Ends a row, whose columns that were not set are null, and begins the next.
    ///
    /// A column that must not be null and was not set refuses the row that is read, with all that was made of it.
    public mutating func emit() {
        if failure != nil || isTooMuch { return }
        do throws(RowError) { try writer.close() } catch { return failure = error }
        parents.append(parent)
        writer.advance()
        if parents.count & 4095 == 0 { measure() }
    }

    private mutating func measure() {
        var bytes = 0
        for slot in 0..<writer.count { bytes += writer.columns[slot].byteCount(rows: writer.row) }
        isTooMuch = bytes > Self.mostBytes
    }

    /// Ends what is made of a row: what was set and not emitted goes.
    mutating func close() throws(RowError) {
        if let failure { throw failure }
        if let failure = writer.failure { throw failure }
        writer.rewind(to: writer.row)
    }

    /// Takes back all rows from `start`.
    mutating func rewind(to start: Int) {
        failure = nil
        parents.removeSubrange(start...)
        writer.rewind(to: start)
    }
}

/// The columns that a closure writes for one batch.
///
/// Used by one thread.
final class WrittenRows {
    let columns: UnsafeMutablePointer<WrittenColumn>
    let count: Int
    let token: UInt32
    /// The columns that must not be null.
    let filled: [Int]
    private var isFinished = false

    init(_ mapping: RowMapping, rows: Int) {
        let fields = mapping.written
        count = fields.count
        token = mapping.token
        filled = fields.indices.filter { !fields[$0].isNullable }
        columns = .allocate(capacity: max(count, 1))
        for (slot, field) in fields.enumerated() { (columns + slot).initialize(to: WrittenColumn(field, rows: rows)) }
    }

    /// The first `rows` rows.
    func finish(rows: Int) -> [ColumnVector] {
        isFinished = true
        return (0..<count).map { (columns + $0).move().finish(rows: rows) }
    }

    deinit {
        if !isFinished { columns.deinitialize(count: count) }
        columns.deallocate()
    }
}
