public import HeadraceColumnar

/// A computation over the columns of a row, as a value: run by kernels, translated to SQL, read for lineage.
///
/// Untyped; jobs write the typed `Expr<Value>` and get this from it. Nulls follow SQL's three-valued logic. Integer
/// overflow, decimal overflow and division by zero refuse the row.
public indirect enum Formula: Sendable, Hashable {
    /// The row's value of a column; compiling the formula fails where the schema has none of the name.
    case column(String)
    /// The same value for every row; the type is needed because null and numbers do not tell it.
    case literal(Scalar, DataType)
    /// A function of the catalog over its arguments in order; compiling the formula fails when their number is wrong.
    case call(Function, [Formula])
    /// The value as another type; a value that does not fit refuses the row.
    case cast(Formula, DataType)
    /// The result of the first condition that is true, else the last, as the type that all results have in common.
    case choice([Branch], otherwise: Formula)

    /// One arm of a choice, for rows that no arm before it takes.
    public struct Branch: Sendable, Hashable {
        /// Of booleans; null counts as not true. Fails only rows that no arm before it takes.
        public var condition: Formula
        /// What the row gets. Fails only the rows that take this arm.
        public var result: Formula
        /// An arm of a choice. Compiling the formula fails when the condition is none of booleans, and when the results
        /// of all arms and the last one have no type in common: numbers have (of exact ones it is the decimal or
        /// integer type that holds them all), text and JSON have, other types only with themselves.
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
    /// Whether two values are the same; null where either is null. Numbers of all types compare by exact value, NaN
    /// equals NaN.
    case equal
    /// Whether two values differ; null where either is null.
    case notEqual
    /// Whether the first value is below the second; null where either is null. Text is ordered by its UTF-8 bytes.
    case less
    /// Whether the first value is not above the second; null where either is null.
    case lessOrEqual
    /// Whether the first value is above the second; null where either is null. NaN is above all numbers.
    case greater
    /// Whether the first value is not below the second; null where either is null.
    case greaterOrEqual
    /// Whether two values differ, a null being a value like others: never null.
    case isDistinct
    /// Of two booleans; false when either is false, else null when either is null.
    case and
    /// Of two booleans; true when either is true, else null when either is null.
    case or
    /// The other truth value; null stays null.
    case not
    /// Whether the value is null; never null itself.
    case isNull
    /// Whether the value is there; never null itself.
    case isNotNull
    /// The first argument that is not null, as the type of the first. What this type does not hold, and what cannot be
    /// computed, refuses the rows that get to it.
    case coalesce
    /// The sum of two numbers, or a date and days, or a timestamp and microseconds; null where either is null.
    case add
    /// The difference of two numbers, or of two dates in days or two timestamps in microseconds; null where either is
    /// null.
    case subtract
    /// The product of two numbers; null where either is null. Decimals are rounded half-even where 38 digits do not do.
    case multiply
    /// The quotient of two numbers; null where either is null. Integers truncate towards zero; a zero divisor refuses
    /// the row, of floats too.
    case divide
    /// The rest of a division that truncates, with the sign of the dividend; a zero divisor refuses the row.
    case remainder
    /// The number with the other sign; the lowest integer of a type has none and refuses the row.
    case negate
    /// The number without its sign; the lowest integer of a type has none and refuses the row.
    case absolute
    /// Rounds a decimal to `scale` digits after the point.
    case round(scale: Int, RoundingMode)
    /// Upper case by Unicode's full mapping, the same in every locale: `ß` becomes `SS`.
    case upper
    /// Lower case by Unicode's full mapping, the same in every locale.
    case lower
    /// Text without the white space at its ends, line breaks and no-break spaces included.
    case trim
    /// Text trimmed, with every run of white space inside as one space.
    case collapseWhitespace
    /// The number of Unicode scalars in a text, as int64.
    case length
    /// The texts of all arguments one after the other, nothing between them; null where any is null.
    case concatenate
    /// Whether the second text occurs in the first, byte for byte; the empty text occurs in every one.
    case contains
    /// Whether the first text begins with the second, byte for byte.
    case startsWith
    /// Whether the first text ends with the second, byte for byte.
    case endsWith
    /// The first text with the third in place of every occurrence of the second, from left to right; an empty second
    /// one occurs nowhere.
    case replace
    /// Whether a POSIX extended regular expression occurs in the text (anchor it with `^` and `$`). In process only.
    case matches(String)
    /// Characters from `start` (1 is the first), at most `count` of them.
    case substring(start: Int, count: Int?)
    /// The calendar year of a date as int64. What is no date is first made one as by `toDate`.
    case year
    /// The month of a date, 1 to 12, as int64. What is no date is first made one as by `toDate`.
    case month
    /// The day of a date in its month, 1 to 31, as int64. What is no date is first made one as by `toDate`.
    case day
    /// The date that an ISO text names or at whose midnight a timestamp lies; another text or time of day refuses the
    /// row.
    case toDate
    /// One JSON object of the named arguments.
    case jsonObject([String])
    /// The least argument that is not null, as the type of the first; null where all are.
    case least
    /// The greatest argument that is not null, as the type of the first; null where all are.
    case greatest
}
