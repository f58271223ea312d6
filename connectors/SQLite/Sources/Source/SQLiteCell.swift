import HeadraceCSQLite
import HeadraceColumnar
import HeadraceCore

/// Reads one column of a statement's rows, in two steps: `read` looks at the current row's value and says whether it fits,
/// `keep` appends it once the whole row is known to fit.
///
/// Subclasses are not generic: calls through a class's table run the unspecialised code of generic ones.
class SQLiteCell {
    final let column: Int32
    final let field: Field
    final var isNull = false

    init(_ column: Int32, _ field: Field) {
        self.column = column
        self.field = field
    }

    /// Looks at the current row's value; false when it does not fit the field's type. Null fits always: what a table says
    /// about nulls binds its writers.
    func read(_ statement: OpaquePointer) -> Bool { false }
    /// Appends the value that was read last.
    func keep() {}
    func finish() -> ColumnVector { .nulls(field.type, count: 0) }
    /// The bytes of the value that was read last, for the batch's bound.
    var size: Int { 8 }

    /// A cell that reads values of the field's type, nil for lists and structs, which SQLite has not.
    static func make(_ column: Int32, _ field: Field) -> SQLiteCell? {
        switch field.type {
        case .bool: SQLiteBooleanCell(column, field)
        case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32: SQLiteIntegerCell(column, field)
        case .uint64: SQLiteUnsignedCell(column, field)
        case .float32, .float64: SQLiteDoubleCell(column, field)
        case .decimal(let precision, let scale):
            precision <= 18
                ? SQLiteDecimalCell(column, field, precision, scale)
                : SQLiteWideDecimalCell(column, field, precision, scale)
        case .utf8: SQLiteTextCell(column, field)
        case .json: SQLiteJSONCell(column, field)
        case .binary: SQLiteBinaryCell(column, field)
        case .date32, .time64, .timestamp: SQLiteTemporalCell(column, field)
        case .list, .struct: nil
        }
    }

    /// The bytes of a text or blob value of the current row; good until the next step.
    @inline(__always)
    final func bytes(_ statement: OpaquePointer) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(statement, column)
        return UnsafeRawBufferPointer(
            start: start ?? UnsafeRawPointer(SQLiteStatement.empty), count: Int(sqlite3_column_bytes(statement, column))
        )
    }
}

/// A cell whose values are collected as 8 bytes each.
class SQLiteWordCell: SQLiteCell {
    final var word: Int64 = 0
    final let store = SQLiteStore(width: 8)

    override final func keep() { if isNull { store.appendNull() } else { store.append(word) } }

    /// Takes a value, or says that there is none that fits.
    @inline(__always)
    final func take(_ value: Int64?) -> Bool {
        guard let value else { return false }
        word = value
        return true
    }
}

// MARK: - Numbers

final class SQLiteIntegerCell: SQLiteWordCell {
    private let lowest: Int64
    private let highest: Int64

    override init(_ column: Int32, _ field: Field) {
        let range = field.type.integerRange ?? (0, 0)
        lowest = Int64(truncatingIfNeeded: range.lowest)
        highest = Int64(truncatingIfNeeded: range.highest)
        super.init(column, field)
    }

    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = false
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: word = sqlite3_column_int64(statement, column)
        case SQLITE_NULL:
            isNull = true
            return true
        case SQLITE_FLOAT: if !take(Int64(exactly: sqlite3_column_double(statement, column))) { return false }
        case SQLITE_TEXT:
            let text = bytes(statement)
            let parsed = text.baseAddress.flatMap { IntegerText.parse($0, count: text.count, as: Int64.self).valid }
            if !take(parsed) { return false }
        default: return false
        }
        return word >= lowest && word <= highest
    }

    /// Collected as `int64`; every value is known to fit the narrower type.
    override func finish() -> ColumnVector {
        let wide = store.finish(.int64)
        return (try? Kernels.cast(wide, to: field.type).column) ?? wide
    }
}

final class SQLiteUnsignedCell: SQLiteWordCell {
    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = false
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER:
            word = sqlite3_column_int64(statement, column)
            return word >= 0
        case SQLITE_NULL:
            isNull = true
            return true
        case SQLITE_TEXT:
            let text = bytes(statement)
            let parsed = text.baseAddress.flatMap { IntegerText.parse($0, count: text.count, as: UInt64.self).valid }
            return take(parsed.map { Int64(bitPattern: $0) })
        default: return false
        }
    }

    override func finish() -> ColumnVector { store.finish(.uint64) }
}

final class SQLiteBooleanCell: SQLiteWordCell {
    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = false
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER:
            word = sqlite3_column_int64(statement, column)
            return word == 0 || word == 1
        case SQLITE_NULL:
            isNull = true
            return true
        case SQLITE_TEXT:
            let text = bytes(statement)
            let parsed = text.baseAddress.flatMap { BooleanText.parse($0, count: text.count).valid }
            return take(parsed.map { $0 ? 1 : 0 })
        default: return false
        }
    }

    override func finish() -> ColumnVector {
        let words = store.finish(.int64)
        return (try? Kernels.cast(words, to: .bool).column) ?? words
    }
}

final class SQLiteDoubleCell: SQLiteWordCell {
    private let isSingle: Bool

    override init(_ column: Int32, _ field: Field) {
        isSingle = field.type == .float32
        super.init(column, field)
    }

    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = false
        var value: Double
        switch sqlite3_column_type(statement, column) {
        case SQLITE_FLOAT: value = sqlite3_column_double(statement, column)
        case SQLITE_NULL:
            isNull = true
            return true
        case SQLITE_INTEGER:
            guard let exact = Double(exactly: sqlite3_column_int64(statement, column)) else { return false }
            value = exact
        case SQLITE_TEXT:
            let text = bytes(statement)
            let parsed = text.baseAddress.flatMap {
                DoubleText.parse($0, count: text.count, allowsNonFinite: true).valid
            }
            guard let parsed else { return false }
            value = parsed
        default: return false
        }
        word = Int64(bitPattern: value.bitPattern)
        return !isSingle || Double(Float(value)) == value || value.isNaN
    }

    override func finish() -> ColumnVector {
        let wide = store.finish(.float64)
        return (try? Kernels.cast(wide, to: field.type).column) ?? wide
    }
}

/// Decimals of up to 18 digits.
final class SQLiteDecimalCell: SQLiteWordCell {
    private let shape: SQLiteDecimalShape

    init(_ column: Int32, _ field: Field, _ precision: Int, _ scale: Int) {
        shape = SQLiteDecimalShape(precision: precision, scale: scale)
        super.init(column, field)
    }

    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = false
        switch sqlite3_column_type(statement, column) {
        case SQLITE_FLOAT:
            return take(
                shape.coefficient(of: sqlite3_column_double(statement, column)).map { Int64(truncatingIfNeeded: $0) })
        case SQLITE_NULL:
            isNull = true
            return true
        case SQLITE_INTEGER:
            return take(
                shape.coefficient(of: sqlite3_column_int64(statement, column)).map { Int64(truncatingIfNeeded: $0) })
        case SQLITE_TEXT:
            let text = bytes(statement)
            return take(
                text.baseAddress.flatMap {
                    DecimalText.parse64($0, count: text.count, precision: shape.precision, scale: shape.scale).valid
                })
        default: return false
        }
    }

    override func finish() -> ColumnVector { store.finish(field.type) }
}

/// Decimals of 19 to 38 digits.
final class SQLiteWideDecimalCell: SQLiteCell {
    private let shape: SQLiteDecimalShape
    private let store = SQLiteStore(width: 16)
    private var value: Int128 = 0

    init(_ column: Int32, _ field: Field, _ precision: Int, _ scale: Int) {
        shape = SQLiteDecimalShape(precision: precision, scale: scale)
        super.init(column, field)
    }

    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = false
        let found: Int128?
        switch sqlite3_column_type(statement, column) {
        case SQLITE_FLOAT: found = shape.coefficient(of: sqlite3_column_double(statement, column))
        case SQLITE_INTEGER: found = shape.coefficient(of: sqlite3_column_int64(statement, column))
        case SQLITE_NULL:
            isNull = true
            return true
        case SQLITE_TEXT:
            let text = bytes(statement)
            found = text.baseAddress.flatMap {
                DecimalText.parse128($0, count: text.count, precision: shape.precision, scale: shape.scale).valid
            }
        default: found = nil
        }
        value = found ?? 0
        return found != nil
    }

    override func keep() { if isNull { store.appendNull() } else { store.append(value) } }
    override func finish() -> ColumnVector { store.finish(field.type) }
}

/// Turns SQLite's numbers into decimals of one precision and scale.
struct SQLiteDecimalShape {
    let precision: Int
    let scale: Int
    /// 10 to the power of the scale where that is an exact double.
    private let factor: Double?

    init(precision: Int, scale: Int) {
        self.precision = precision
        self.scale = scale
        factor = scale <= 18 ? Double(DecimalMath.powerOfTen(scale)) : nil
    }

    /// The decimal of this scale whose nearest double this is. With at most 15 digits there is one or none; a number that
    /// is the nearest to no such decimal was never one.
    func coefficient(of number: Double) -> Int128? {
        if let factor {
            let scaled = (number * factor).rounded()
            if scaled.magnitude < 1e15 {
                guard scaled / factor == number else { return nil }
                let exact = Int128(Int64(scaled))
                return DecimalMath.fits(exact, precision: precision) ? exact : nil
            }
        }
        return DecimalValue(shortest: number)?.exactCoefficient(precision: precision, scale: scale)
    }

    func coefficient(of number: Int64) -> Int128? {
        DecimalValue(coefficient: Int128(number), scale: 0).exactCoefficient(precision: precision, scale: scale)
    }
}
