import HeadraceCSQLite
import HeadraceColumnar
import HeadraceCore

/// A cell whose values are text or bytes.
class SQLiteBytesCell: SQLiteCell {
    private final let store = SQLiteByteStore()
    /// Points into SQLite's row or into a cell's own memory; good until the next step.
    final var value = UnsafeRawBufferPointer(start: nil, count: 0)

    override final var size: Int { value.count }
    override final func keep() { if isNull { store.appendNull() } else { store.append(value) } }
    override final func finish() -> ColumnVector { store.finish(field.type) }
}

final class SQLiteBinaryCell: SQLiteBytesCell {
    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = false
        value = UnsafeRawBufferPointer(start: nil, count: 0)
        switch sqlite3_column_type(statement, column) {
        case SQLITE_BLOB, SQLITE_TEXT: value = bytes(statement)
        case SQLITE_NULL: isNull = true
        default: return false
        }
        return true
    }
}

class SQLiteTextCell: SQLiteBytesCell {
    /// A number as text, written here.
    private final let number = UnsafeMutableRawPointer.allocate(byteCount: DoubleText.capacity, alignment: 8)

    deinit { number.deallocate() }

    override final func read(_ statement: OpaquePointer) -> Bool {
        isNull = false
        value = UnsafeRawBufferPointer(start: nil, count: 0)
        switch sqlite3_column_type(statement, column) {
        case SQLITE_TEXT:
            value = bytes(statement)
            return isText(value)
        case SQLITE_NULL: isNull = true
        case SQLITE_INTEGER:
            let count = IntegerText.format(sqlite3_column_int64(statement, column), into: number)
            value = UnsafeRawBufferPointer(start: number, count: count)
        case SQLITE_FLOAT:
            let found = sqlite3_column_double(statement, column)
            value = UnsafeRawBufferPointer(start: number, count: DoubleText.format(found, into: number))
            return found.isFinite
        default: return false
        }
        return true
    }

    /// Whether text may stand in a column of the field's type.
    func isText(_ bytes: UnsafeRawBufferPointer) -> Bool { SQLiteText.isUTF8(bytes) }
}

final class SQLiteJSONCell: SQLiteTextCell {
    override func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard SQLiteText.isUTF8(bytes) else { return false }
        var tokenizer = JSONTokenizer(bytes, options: .strict)
        do {
            _ = try tokenizer.validate(try tokenizer.next())
            return try tokenizer.next() == .end
        } catch {
            return false
        }
    }
}

/// Dates, times and timestamps, which are ISO text.
final class SQLiteTemporalCell: SQLiteWordCell {
    private enum Kind { case date, time, wallTime, instant }

    private let kind: Kind

    override init(_ column: Int32, _ field: Field) {
        kind =
            switch field.type {
            case .date32: .date
            case .time64: .time
            case .timestamp(.some): .instant
            default: .wallTime
            }
        super.init(column, field)
    }

    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = false
        switch sqlite3_column_type(statement, column) {
        case SQLITE_NULL:
            isNull = true
            return true
        case SQLITE_TEXT:
            let text = bytes(statement)
            guard let base = text.baseAddress else { return false }
            return take(parse(base, text.count))
        default: return false
        }
    }

    private func parse(_ base: UnsafeRawPointer, _ count: Int) -> Int64? {
        switch kind {
        case .date: return DateText.parse(base, count: count).valid.map(Int64.init)
        case .time: return TimeText.parse(base, count: count).valid
        case .instant, .wallTime:
            // A column with a zone takes no text without one, nor the other way round: which instant is meant is not
            // known. A bare date is its midnight where there is no zone.
            let parsed = TimestampText.parse(base, count: count)
            if parsed.isValid { return parsed.hasZone == (kind == .instant) ? parsed.microseconds : nil }
            guard kind == .wallTime, let day = DateText.parse(base, count: count).valid else { return nil }
            return Temporal.timestamp(ofDay: day)
        }
    }

    override func finish() -> ColumnVector {
        guard kind == .date else { return store.finish(field.type) }
        let wide = store.finish(.int64)
        let days = (try? Kernels.cast(wide, to: .int32).column) ?? wide
        return ColumnVector(
            type: .date32, count: days.count, offset: days.offset, nullCount: days.nullCount, validity: days.validity,
            values: days.values)
    }
}

/// Checks of text that SQLite hands over as it was stored, whatever it was.
enum SQLiteText {
    /// Whether bytes are well-formed UTF-8.
    static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        var index = 0
        while index &+ 8 <= bytes.count {
            guard base.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 else { break }
            index &+= 8
        }
        while index < bytes.count, base.load(fromByteOffset: index, as: UInt8.self) < 0x80 { index &+= 1 }
        if index == bytes.count { return true }
        let rest = UnsafeBufferPointer(rebasing: bytes.bindMemory(to: UInt8.self)[index...])
        return (try? UTF8Span(validating: rest.span)) != nil
    }
}
