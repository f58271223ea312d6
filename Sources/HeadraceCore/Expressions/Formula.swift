public import HeadraceColumnar

/// A computation over the columns of a row, as a value: run by kernels, translated to SQL, read for lineage.
///
/// Untyped; jobs write the typed `Expr<Value>` and get this from it. Nulls follow SQL's three-valued logic. Integer
/// overflow, decimal overflow and division by zero refuse the row.
public indirect enum Formula: Sendable, Hashable {
    case column(String)
    case literal(Scalar, DataType)
    case call(Function, [Formula])
    /// The value as another type; a value that does not fit refuses the row.
    case cast(Formula, DataType)
    /// The result of the first condition that is true, else the last.
    case choice([Branch], otherwise: Formula)

    public struct Branch: Sendable, Hashable {
        public var condition: Formula
        public var result: Formula
        public init(when condition: Formula, then result: Formula) {
            self.condition = condition
            self.result = result
        }
    }

    /// The columns that the formula reads.
    public var columns: Set<String> {
        switch self {
        case .column(let name): [name]
        case .literal: []
        case .call(_, let arguments): arguments.reduce(into: []) { $0.formUnion($1.columns) }
        case .cast(let inner, _): inner.columns
        case .choice(let branches, let otherwise):
            branches.reduce(into: otherwise.columns) { $0.formUnion($1.condition.columns.union($1.result.columns)) }
        }
    }
}

/// A function of the catalog. Each has a kernel, a null rule, and SQL per dialect or "in process only".
public enum Function: Sendable, Hashable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, isDistinct
    case and, or, not, isNull, isNotNull, coalesce
    case add, subtract, multiply, divide, remainder, negate, absolute
    /// Rounds a decimal to `scale` digits after the point.
    case round(scale: Int, RoundingMode)
    case upper, lower, trim, collapseWhitespace, length, concatenate
    case contains, startsWith, endsWith
    case replace
    /// Whether a POSIX extended regular expression occurs in the text (anchor it with `^` and `$`). In process only.
    case matches(String)
    /// Characters from `start` (1 is the first), at most `count` of them.
    case substring(start: Int, count: Int?)
    case year, month, day, toDate
    /// One JSON object of the named arguments.
    case jsonObject([String])
    case least, greatest
}
