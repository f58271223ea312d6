public import HeadraceColumnar

/// A column value that closures over rows read and write: the value types of `Column`.
///
/// The requirements are the engine's, which calls them with columns of a type that it has checked.
public protocol RowValue: ColumnValue {
    /// What a row shows of a value: for text its bytes in place, else the value itself.
    associatedtype View: Sendable
    /// The type in which columns of `type` are read, without loss of any value; nil when they are none of this value.
    static func readable(_ type: DataType) -> DataType?
    /// Value `row` of a column, which is not null there.
    static func view(of column: BoundColumn, at row: Int) -> View
    /// Puts a value into row `row` of a column that is being written; false when the column's type does not hold it.
    static func put(_ value: Self, into column: inout WrittenColumn, at row: Int) -> Bool
}

/// A row value that is always written in the same column type.
public protocol PlainRowValue: RowValue {
    /// The type of columns written.
    static var columnType: DataType { get }
}

extension Bool: PlainRowValue {
    public typealias View = Bool
    public static var columnType: DataType { .bool }
    public static func readable(_ type: DataType) -> DataType? { type == .bool ? .bool : nil }
    @inlinable public static func view(of column: BoundColumn, at row: Int) -> Bool { column.view.bool(row) }
    @inlinable public static func put(_ value: Bool, into column: inout WrittenColumn, at row: Int) -> Bool {
        Bitmap.set(column.values.base, row, value)
        return true
    }
}

extension Int64: PlainRowValue {
    public typealias View = Int64
    public static var columnType: DataType { .int64 }
    /// Integers of every width but `uint64`, whose upper half has no place.
    public static func readable(_ type: DataType) -> DataType? { type.isInteger && type != .uint64 ? .int64 : nil }
    @inlinable public static func view(of column: BoundColumn, at row: Int) -> Int64 {
        column.view.values(as: Int64.self)[row]
    }
    @inlinable public static func put(_ value: Int64, into column: inout WrittenColumn, at row: Int) -> Bool {
        column.values.base.storeBytes(of: value, toByteOffset: row &* 8, as: Int64.self)
        return true
    }
}

extension Double: PlainRowValue {
    public typealias View = Double
    public static var columnType: DataType { .float64 }
    public static func readable(_ type: DataType) -> DataType? {
        type == .float64 || type == .float32 ? .float64 : nil
    }
    @inlinable public static func view(of column: BoundColumn, at row: Int) -> Double {
        column.view.values(as: Double.self)[row]
    }
    @inlinable public static func put(_ value: Double, into column: inout WrittenColumn, at row: Int) -> Bool {
        column.values.base.storeBytes(of: value, toByteOffset: row &* 8, as: Double.self)
        return true
    }
}

extension DateValue: PlainRowValue {
    public typealias View = DateValue
    public static var columnType: DataType { .date32 }
    public static func readable(_ type: DataType) -> DataType? { type == .date32 ? .date32 : nil }
    @inlinable public static func view(of column: BoundColumn, at row: Int) -> DateValue {
        DateValue(days: column.view.values(as: Int32.self)[row])
    }
    @inlinable public static func put(_ value: DateValue, into column: inout WrittenColumn, at row: Int) -> Bool {
        column.values.base.storeBytes(of: value.days, toByteOffset: row &* 4, as: Int32.self)
        return true
    }
}

extension InstantValue: PlainRowValue {
    public typealias View = InstantValue
    public static var columnType: DataType { .instant }
    /// Timestamps of any zone: they count from the same instant. Wall times are none.
    public static func readable(_ type: DataType) -> DataType? {
        if case .timestamp(.some) = type { return type }
        return nil
    }
    @inlinable public static func view(of column: BoundColumn, at row: Int) -> InstantValue {
        InstantValue(microseconds: column.view.values(as: Int64.self)[row])
    }
    @inlinable public static func put(_ value: InstantValue, into column: inout WrittenColumn, at row: Int) -> Bool {
        column.values.base.storeBytes(of: value.microseconds, toByteOffset: row &* 8, as: Int64.self)
        return true
    }
}

extension DecimalValue: RowValue {
    public typealias View = DecimalValue
    /// Decimals of every precision and scale; integers are not mixed in, as in expressions.
    public static func readable(_ type: DataType) -> DataType? {
        if case .decimal = type { return type }
        return nil
    }
    @inlinable public static func view(of column: BoundColumn, at row: Int) -> DecimalValue {
        column.isWide
            ? DecimalValue(coefficient: column.view.values(as: Int128.self)[row], scale: column.scale)
            : DecimalValue(coefficient: Int128(column.view.values(as: Int64.self)[row]), scale: column.scale)
    }
    /// False when the value has more digits than the column, before the point or after it: nothing is rounded.
    public static func put(_ value: DecimalValue, into column: inout WrittenColumn, at row: Int) -> Bool {
        guard case .decimal(let precision, let scale) = column.field.type,
            let coefficient = value.exactCoefficient(precision: precision, scale: scale)
        else { return false }
        if precision <= 18 {
            column.values.base.storeBytes(
                of: Int64(truncatingIfNeeded: coefficient), toByteOffset: row &* 8, as: Int64.self)
        } else {
            column.values.base.storeBytes(of: coefficient, toByteOffset: row &* 16, as: Int128.self)
        }
        return true
    }
}

extension String: PlainRowValue {
    public typealias View = TextSlice
    public static var columnType: DataType { .utf8 }
    /// Text, and JSON as its text.
    public static func readable(_ type: DataType) -> DataType? { type.isText ? type : nil }
    @inlinable public static func view(of column: BoundColumn, at row: Int) -> TextSlice {
        if let dictionary = column.dictionary {
            return TextSlice(dictionary.bytes(column.view.key(row)), in: column.owner)
        }
        return TextSlice(column.view.bytes(row), in: column.owner)
    }
    public static func put(_ value: String, into column: inout WrittenColumn, at row: Int) -> Bool {
        var value = value
        value.withUTF8 { column.putText(UnsafeRawBufferPointer($0), at: row) }
        return true
    }
}
