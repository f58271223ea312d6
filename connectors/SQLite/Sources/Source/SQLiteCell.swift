import CSQLite
import HeadraceColumnar
import HeadraceCore

/// Reads one column of a statement's rows into a builder, in two steps: `read` looks at the current row's value and says
/// whether it fits, `keep` appends it once the whole row is known to fit.
class SQLiteCell {
    let column: Int32
    let field: Field
    fileprivate(set) var isNull = false

    fileprivate init(_ column: Int32, _ field: Field) {
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
        case .bool: BooleanCell(column, field)
        case .int8: IntegerCell<Int8>(column, field)
        case .int16: IntegerCell<Int16>(column, field)
        case .int32: IntegerCell<Int32>(column, field)
        case .int64: IntegerCell<Int64>(column, field)
        case .uint8: IntegerCell<UInt8>(column, field)
        case .uint16: IntegerCell<UInt16>(column, field)
        case .uint32: IntegerCell<UInt32>(column, field)
        case .uint64: IntegerCell<UInt64>(column, field)
        case .float32: FloatCell(column, field)
        case .float64: DoubleCell(column, field)
        case .decimal(let precision, let scale):
            precision <= 18
                ? DecimalCell<Int64>(column, field, precision, scale)
                : DecimalCell<Int128>(column, field, precision, scale)
        case .utf8: TextCell(column, field)
        case .json: JSONCell(column, field)
        case .binary: BinaryCell(column, field)
        case .date32: TemporalCell<Int32>(column, field) { DateText.parse($0, count: $1).valid }
        case .time64: TemporalCell<Int64>(column, field) { TimeText.parse($0, count: $1).valid }
        case .timestamp(let zone): TemporalCell<Int64>(column, field) { timestamp($0, $1, hasZone: zone != nil) }
        case .list, .struct: nil
        }
    }

    /// A column with a zone takes no text without one, nor the other way round: which instant is meant is not known. A
    /// bare date is its midnight where there is no zone.
    private static func timestamp(_ base: UnsafeRawPointer, _ count: Int, hasZone: Bool) -> Int64? {
        let parsed = TimestampText.parse(base, count: count)
        if parsed.isValid { return parsed.hasZone == hasZone ? parsed.microseconds : nil }
        guard !hasZone, let day = DateText.parse(base, count: count).valid else { return nil }
        return Temporal.timestamp(ofDay: day)
    }

    /// The bytes of a text or blob value of the current row; good until the next step.
    @inline(__always)
    fileprivate final func bytes(_ statement: OpaquePointer) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(statement, column)
        return UnsafeRawBufferPointer(
            start: start ?? UnsafeRawPointer(SQLiteStatement.empty), count: Int(sqlite3_column_bytes(statement, column))
        )
    }
}

// MARK: - Numbers

private final class IntegerCell<Value: FixedWidthInteger & BitwiseCopyable & Sendable>: SQLiteCell {
    private let builder: PrimitiveBuilder<Value>
    private var value: Value = 0

    override init(_ column: Int32, _ field: Field) {
        builder = PrimitiveBuilder(field.type)
        super.init(column, field)
    }

    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = false
        let found: Value?
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: found = Value(exactly: sqlite3_column_int64(statement, column))
        case SQLITE_NULL:
            isNull = true
            return true
        case SQLITE_FLOAT: found = Value(exactly: sqlite3_column_double(statement, column))
        case SQLITE_TEXT:
            let text = bytes(statement)
            found = text.baseAddress.flatMap { IntegerText.parse($0, count: text.count, as: Value.self).valid }
        default: found = nil
        }
        value = found ?? 0
        return found != nil
    }

    override func keep() { if isNull { builder.appendNull() } else { builder.append(value) } }
    override func finish() -> ColumnVector { builder.finish() }
}

private final class BooleanCell: SQLiteCell {
    private let builder = BooleanBuilder()
    private var value = false

    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = false
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER:
            let number = sqlite3_column_int64(statement, column)
            value = number == 1
            return number == 0 || number == 1
        case SQLITE_NULL:
            isNull = true
            return true
        case SQLITE_TEXT:
            let text = bytes(statement)
            guard let word = text.baseAddress.flatMap({ BooleanText.parse($0, count: text.count).valid }) else {
                return false
            }
            value = word
            return true
        default: return false
        }
    }

    override func keep() { if isNull { builder.appendNull() } else { builder.append(value) } }
    override func finish() -> ColumnVector { builder.finish() }
}

/// The double of the current row: a number, an integer that a double holds exactly, or text such as `NaN`.
private func double(_ statement: OpaquePointer, _ column: Int32, _ text: () -> UnsafeRawBufferPointer) -> Double? {
    switch sqlite3_column_type(statement, column) {
    case SQLITE_FLOAT: return sqlite3_column_double(statement, column)
    case SQLITE_INTEGER: return Double(exactly: sqlite3_column_int64(statement, column))
    case SQLITE_TEXT:
        let text = text()
        return text.baseAddress.flatMap { DoubleText.parse($0, count: text.count, allowsNonFinite: true).valid }
    default: return nil
    }
}

private final class DoubleCell: SQLiteCell {
    private let builder = PrimitiveBuilder<Double>(.float64)
    private var value = 0.0

    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = sqlite3_column_type(statement, column) == SQLITE_NULL
        if isNull { return true }
        guard let found = double(statement, column, { bytes(statement) }) else { return false }
        value = found
        return true
    }

    override func keep() { if isNull { builder.appendNull() } else { builder.append(value) } }
    override func finish() -> ColumnVector { builder.finish() }
}

private final class FloatCell: SQLiteCell {
    private let builder = PrimitiveBuilder<Float>(.float32)
    private var value: Float = 0

    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = sqlite3_column_type(statement, column) == SQLITE_NULL
        if isNull { return true }
        guard let found = double(statement, column, { bytes(statement) }) else { return false }
        value = Float(found)
        return Double(value) == found || found.isNaN
    }

    override func keep() { if isNull { builder.appendNull() } else { builder.append(value) } }
    override func finish() -> ColumnVector { builder.finish() }
}

private final class DecimalCell<Value: FixedWidthInteger & BitwiseCopyable>: SQLiteCell {
    private let builder: PrimitiveBuilder<Value>
    private let precision: Int
    private let scale: Int
    /// 10 to the power of the scale where that is an exact double.
    private let factor: Double?
    private var value: Value = 0

    init(_ column: Int32, _ field: Field, _ precision: Int, _ scale: Int) {
        builder = PrimitiveBuilder(field.type)
        self.precision = precision
        self.scale = scale
        factor = scale <= 18 ? Double(DecimalMath.powerOfTen(scale)) : nil
        super.init(column, field)
    }

    override func read(_ statement: OpaquePointer) -> Bool {
        isNull = false
        let found: Int128?
        switch sqlite3_column_type(statement, column) {
        case SQLITE_FLOAT: found = coefficient(of: sqlite3_column_double(statement, column))
        case SQLITE_INTEGER:
            let whole = DecimalValue(coefficient: Int128(sqlite3_column_int64(statement, column)), scale: 0)
            found = whole.exactCoefficient(precision: precision, scale: scale)
        case SQLITE_NULL:
            isNull = true
            return true
        case SQLITE_TEXT:
            let text = bytes(statement)
            found = text.baseAddress.flatMap {
                DecimalText.parse128($0, count: text.count, precision: precision, scale: scale).valid
            }
        default: found = nil
        }
        value = found.map { Value(truncatingIfNeeded: $0) } ?? 0
        return found != nil
    }

    /// The decimal of this scale whose nearest double this is. With at most 15 digits there is one or none; a number that
    /// is the nearest to no such decimal was never one.
    private func coefficient(of number: Double) -> Int128? {
        if let factor {
            let scaled = (number * factor).rounded()
            if scaled.magnitude < 1e15 {
                guard scaled / factor == number else { return nil }
                let exact = Int128(scaled)
                return DecimalMath.fits(exact, precision: precision) ? exact : nil
            }
        }
        return DecimalValue(shortest: number)?.exactCoefficient(precision: precision, scale: scale)
    }

    override func keep() { if isNull { builder.appendNull() } else { builder.append(value) } }
    override func finish() -> ColumnVector { builder.finish() }
}

// MARK: - Text and bytes

private class BytesCell: SQLiteCell {
    fileprivate let builder: BytesBuilder
    /// Points into SQLite's row or into `number`; good until the next step.
    fileprivate final var value = UnsafeRawBufferPointer(start: nil, count: 0)

    override init(_ column: Int32, _ field: Field) {
        builder = BytesBuilder(field.type)
        super.init(column, field)
    }

    override final var size: Int { value.count }
    override final func keep() { if isNull { builder.appendNull() } else { builder.append(value) } }
    override final func finish() -> ColumnVector { builder.finish() }
}

private final class BinaryCell: BytesCell {
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

private class TextCell: BytesCell {
    /// A number as text, written here.
    private let number = UnsafeMutableRawPointer.allocate(byteCount: DoubleText.capacity, alignment: 8)

    deinit { number.deallocate() }

    override func read(_ statement: OpaquePointer) -> Bool {
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

    fileprivate func isText(_ bytes: UnsafeRawBufferPointer) -> Bool { SQLiteText.isUTF8(bytes) }
}

private final class JSONCell: TextCell {
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

private final class TemporalCell<Value: BitwiseCopyable>: SQLiteCell {
    private let builder: PrimitiveBuilder<Value>
    private let parse: (UnsafeRawPointer, Int) -> Value?
    private var value: Value?

    init(_ column: Int32, _ field: Field, _ parse: @escaping (UnsafeRawPointer, Int) -> Value?) {
        builder = PrimitiveBuilder(field.type)
        self.parse = parse
        super.init(column, field)
    }

    override func read(_ statement: OpaquePointer) -> Bool {
        value = nil
        switch sqlite3_column_type(statement, column) {
        case SQLITE_NULL: return true
        case SQLITE_TEXT:
            let text = bytes(statement)
            value = text.baseAddress.flatMap { parse($0, text.count) }
            return value != nil
        default: return false
        }
    }

    override func keep() { if let value { builder.append(value) } else { builder.appendNull() } }
    override func finish() -> ColumnVector { builder.finish() }
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
