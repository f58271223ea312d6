public import HeadraceColumnar

/// A computation over the columns of a row that yields a `Value`; comparing a price with a text does not compile.
///
/// Values of one kind of number mix only by an explicit cast: `Int64` columns with `DecimalValue` columns need
/// `.asDecimal`. Nulls follow SQL's three-valued logic.
public struct Expr<Value: ColumnValue>: Sendable {
    /// The untyped formula, as transforms and back ends take it.
    public let formula: Formula

    /// An expression over a formula that the caller knows to yield `Value`.
    public init(_ formula: Formula) { self.formula = formula }
}

/// A named column of known type: the handle by which jobs mention it.
///
/// ```swift
/// let price = Column<DecimalValue>("price")
/// pipeline.filter(price > 0 && currency == "USD")
/// ```
public struct Column<Value: ColumnValue>: Sendable, Hashable {
    /// The name in the schema of the relation that the handle is used on.
    public let name: String
    /// A handle by name alone; whether there is such a column is checked when the plan is made.
    public init(_ name: String) { self.name = name }
    /// The column as an expression.
    public var expression: Expr<Value> { Expr(.column(name)) }
}

/// Anything that can stand where an expression of `Value` is wanted: columns, expressions and literals.
public protocol Expressible<Value>: Sendable {
    /// The Swift type that stands for the type of the results.
    associatedtype Value: ColumnValue
    /// What operators and functions build on, whichever way it was written.
    var expression: Expr<Value> { get }
}

extension Expr: Expressible {
    /// Itself, so that operators take expressions and columns alike.
    public var expression: Expr<Value> { self }
}
extension Column: Expressible {}

/// A Swift type that stands for the values of a column type.
public protocol ColumnValue: Sendable, Hashable {
    /// The value as a literal and its column type.
    var literal: (Scalar, DataType) { get }
}

extension Bool: ColumnValue {
    public var literal: (Scalar, DataType) { (.bool(self), .bool) }
}
extension Int64: ColumnValue {
    public var literal: (Scalar, DataType) { (.integer(Int128(self)), .int64) }
}
extension Double: ColumnValue {
    public var literal: (Scalar, DataType) { (.double(self), .float64) }
}
extension String: ColumnValue {
    public var literal: (Scalar, DataType) { (.utf8(self), .utf8) }
}
extension DecimalValue: ColumnValue {
    /// The literal in the smallest decimal type that holds it.
    public var literal: (Scalar, DataType) {
        let scale = max(self.scale, 0)
        let digits = String(coefficient.magnitude).utf8.count + (scale - self.scale)
        return (.decimal(self), .decimal(precision: min(38, max(digits, scale, 1)), scale: scale))
    }
}
/// Days since 1970-01-01, the Swift side of a `date32` column.
public struct DateValue: ColumnValue {
    /// Negative for days before 1970-01-01.
    public let days: Int32
    /// The day that lies so many days after 1970-01-01.
    public init(days: Int32) { self.days = days }
    /// The day as a `date32` constant.
    public var literal: (Scalar, DataType) { (.date(days), .date32) }
}
/// Microseconds since 1970-01-01T00:00:00Z, the Swift side of a timestamp column with zone.
public struct InstantValue: ColumnValue {
    /// Negative for instants before 1970; leap seconds are not counted.
    public let microseconds: Int64
    /// The instant that lies so many microseconds after 1970-01-01T00:00:00Z.
    public init(microseconds: Int64) { self.microseconds = microseconds }
    /// The instant as a constant of a timestamp type with zone UTC.
    public var literal: (Scalar, DataType) { (.timestamp(microseconds), .instant) }
}

extension Expr where Value: ColumnValue {
    /// A constant.
    public static func literal(_ value: Value) -> Expr { Expr(.literal(value.literal.0, value.literal.1)) }
}

extension Expr: ExpressibleByIntegerLiteral where Value: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Value.IntegerLiteralType) { self = .literal(Value(integerLiteral: value)) }
}
extension Expr: ExpressibleByFloatLiteral where Value: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Value.FloatLiteralType) { self = .literal(Value(floatLiteral: value)) }
}
extension Expr: ExpressibleByBooleanLiteral where Value == Bool {
    public init(booleanLiteral value: Bool) { self = .literal(value) }
}
extension Expr: ExpressibleByUnicodeScalarLiteral where Value == String {
    /// A text of one Unicode scalar; literals of text go through it where that is all they hold.
    public init(unicodeScalarLiteral value: String) { self = .literal(value) }
}
extension Expr: ExpressibleByExtendedGraphemeClusterLiteral where Value == String {
    /// A text of one character; literals of text go through it where that is all they hold.
    public init(extendedGraphemeClusterLiteral value: String) { self = .literal(value) }
}
extension Expr: ExpressibleByStringLiteral where Value == String {
    public init(stringLiteral value: String) { self = .literal(value) }
}

/// Values with arithmetic.
public protocol NumericColumnValue: ColumnValue {}
extension Int64: NumericColumnValue {}
extension Double: NumericColumnValue {}
extension DecimalValue: NumericColumnValue {}

/// Values with an order.
public protocol OrderedColumnValue: ColumnValue {}
extension Int64: OrderedColumnValue {}
extension Double: OrderedColumnValue {}
extension DecimalValue: OrderedColumnValue {}
extension String: OrderedColumnValue {}
extension DateValue: OrderedColumnValue {}
extension InstantValue: OrderedColumnValue {}
