public import HeadraceColumnar

private func call<R: ColumnValue>(_ function: Function, _ arguments: Formula...) -> Expr<R> {
    Expr(.call(function, arguments))
}

/// Equality; null when either side is null.
public func == <V: ColumnValue>(left: some Expressible<V>, right: Expr<V>) -> Expr<Bool> {
    call(.equal, left.expression.formula, right.formula)
}
/// Equality; null when either side is null.
public func == <V: ColumnValue>(left: some Expressible<V>, right: Column<V>) -> Expr<Bool> {
    call(.equal, left.expression.formula, right.expression.formula)
}
/// Inequality; null when either side is null.
public func != <V: ColumnValue>(left: some Expressible<V>, right: Expr<V>) -> Expr<Bool> {
    call(.notEqual, left.expression.formula, right.formula)
}
/// Inequality; null when either side is null.
public func != <V: ColumnValue>(left: some Expressible<V>, right: Column<V>) -> Expr<Bool> {
    call(.notEqual, left.expression.formula, right.expression.formula)
}
/// Order; null when either side is null.
public func < <V: OrderedColumnValue>(left: some Expressible<V>, right: Expr<V>) -> Expr<Bool> {
    call(.less, left.expression.formula, right.formula)
}
/// Order; null when either side is null.
public func < <V: OrderedColumnValue>(left: some Expressible<V>, right: Column<V>) -> Expr<Bool> {
    call(.less, left.expression.formula, right.expression.formula)
}
/// Order; null when either side is null.
public func <= <V: OrderedColumnValue>(left: some Expressible<V>, right: Expr<V>) -> Expr<Bool> {
    call(.lessOrEqual, left.expression.formula, right.formula)
}
/// Order; null when either side is null.
public func <= <V: OrderedColumnValue>(left: some Expressible<V>, right: Column<V>) -> Expr<Bool> {
    call(.lessOrEqual, left.expression.formula, right.expression.formula)
}
/// Order; null when either side is null.
public func > <V: OrderedColumnValue>(left: some Expressible<V>, right: Expr<V>) -> Expr<Bool> {
    call(.greater, left.expression.formula, right.formula)
}
/// Order; null when either side is null.
public func > <V: OrderedColumnValue>(left: some Expressible<V>, right: Column<V>) -> Expr<Bool> {
    call(.greater, left.expression.formula, right.expression.formula)
}
/// Order; null when either side is null.
public func >= <V: OrderedColumnValue>(left: some Expressible<V>, right: Expr<V>) -> Expr<Bool> {
    call(.greaterOrEqual, left.expression.formula, right.formula)
}
/// Order; null when either side is null.
public func >= <V: OrderedColumnValue>(left: some Expressible<V>, right: Column<V>) -> Expr<Bool> {
    call(.greaterOrEqual, left.expression.formula, right.expression.formula)
}
/// Sum; overflow refuses the row.
public func + <V: NumericColumnValue>(left: some Expressible<V>, right: Expr<V>) -> Expr<V> {
    call(.add, left.expression.formula, right.formula)
}
/// Sum; overflow refuses the row.
public func + <V: NumericColumnValue>(left: some Expressible<V>, right: Column<V>) -> Expr<V> {
    call(.add, left.expression.formula, right.expression.formula)
}
/// Difference; overflow refuses the row.
public func - <V: NumericColumnValue>(left: some Expressible<V>, right: Expr<V>) -> Expr<V> {
    call(.subtract, left.expression.formula, right.formula)
}
/// Difference; overflow refuses the row.
public func - <V: NumericColumnValue>(left: some Expressible<V>, right: Column<V>) -> Expr<V> {
    call(.subtract, left.expression.formula, right.expression.formula)
}
/// Product; overflow refuses the row.
public func * <V: NumericColumnValue>(left: some Expressible<V>, right: Expr<V>) -> Expr<V> {
    call(.multiply, left.expression.formula, right.formula)
}
/// Product; overflow refuses the row.
public func * <V: NumericColumnValue>(left: some Expressible<V>, right: Column<V>) -> Expr<V> {
    call(.multiply, left.expression.formula, right.expression.formula)
}
/// Quotient; a zero divisor refuses the row.
public func / <V: NumericColumnValue>(left: some Expressible<V>, right: Expr<V>) -> Expr<V> {
    call(.divide, left.expression.formula, right.formula)
}
/// Quotient; a zero divisor refuses the row.
public func / <V: NumericColumnValue>(left: some Expressible<V>, right: Column<V>) -> Expr<V> {
    call(.divide, left.expression.formula, right.expression.formula)
}
/// True when both are; false when either is false, whatever the other.
public func && (left: some Expressible<Bool>, right: some Expressible<Bool>) -> Expr<Bool> {
    call(.and, left.expression.formula, right.expression.formula)
}
/// True when either is, whatever the other; false when both are false.
public func || (left: some Expressible<Bool>, right: some Expressible<Bool>) -> Expr<Bool> {
    call(.or, left.expression.formula, right.expression.formula)
}
/// True becomes false and the reverse; null stays null.
public prefix func ! (value: some Expressible<Bool>) -> Expr<Bool> { call(.not, value.expression.formula) }

extension Expressible {
    /// Whether the value is null; never null itself.
    public var isNull: Expr<Bool> { call(.isNull, expression.formula) }
    /// Whether the value is there; never null itself.
    public var isNotNull: Expr<Bool> { call(.isNotNull, expression.formula) }
    /// The value, or `other` where it is null.
    public func or(_ other: Expr<Value>) -> Expr<Value> { call(.coalesce, expression.formula, other.formula) }
    /// The column under a name, for `project`.
    public func named(_ name: String) -> Projection { Projection(name, expression.formula) }
    /// The value as text.
    public var asText: Expr<String> { Expr(.cast(expression.formula, .utf8)) }
    /// The value as an exact decimal; one that does not fit refuses the row.
    public func asDecimal(precision: Int, scale: Int) -> Expr<DecimalValue> {
        Expr(.cast(expression.formula, .decimal(precision: precision, scale: scale)))
    }
    /// The value as a 64-bit integer; one that does not fit refuses the row.
    public var asInteger: Expr<Int64> { Expr(.cast(expression.formula, .int64)) }
}

extension Expressible where Value == DecimalValue {
    /// Rounded to `scale` digits after the point.
    public func rounded(toScale scale: Int, _ mode: RoundingMode = .halfEven) -> Expr<DecimalValue> {
        call(.round(scale: scale, mode), expression.formula)
    }
}

extension Expressible where Value == String {
    /// Upper case by Unicode's full mapping: `ß` becomes `SS`.
    public var uppercased: Expr<String> { call(.upper, expression.formula) }
    /// Lower case by Unicode's full mapping.
    public var lowercased: Expr<String> { call(.lower, expression.formula) }
    /// Without white space at both ends.
    public var trimmed: Expr<String> { call(.trim, expression.formula) }
    /// Trimmed, with every run of white space inside made one space.
    public var collapsed: Expr<String> { call(.collapseWhitespace, expression.formula) }
    /// The number of characters (Unicode scalars).
    public var length: Expr<Int64> { call(.length, expression.formula) }
    /// Whether the text holds `part`, byte for byte.
    public func contains(_ part: String) -> Expr<Bool> {
        call(.contains, expression.formula, Expr<String>.literal(part).formula)
    }
    /// Whether the text begins with `part`.
    public func starts(with part: String) -> Expr<Bool> {
        call(.startsWith, expression.formula, Expr<String>.literal(part).formula)
    }
    /// Whether the text ends with `part`.
    public func ends(with part: String) -> Expr<Bool> {
        call(.endsWith, expression.formula, Expr<String>.literal(part).formula)
    }
}

/// The first result whose condition is true, else `otherwise`.
public func choose<V: ColumnValue>(
    _ branches: (when: Expr<Bool>, then: Expr<V>)..., otherwise: Expr<V>
) -> Expr<V> {
    Expr(.choice(branches.map { .init(when: $0.when.formula, then: $0.then.formula) }, otherwise: otherwise.formula))
}
