/// The number of digits of a decimal type and how many of them follow the point.
@frozen
public struct DecimalShape: Hashable, Sendable {
    /// The number of digits in all, at most 38.
    public var precision: Int
    /// The number of digits after the point.
    public var scale: Int

    /// Joins a precision and a scale as they are.
    @inlinable
    public init(precision: Int, scale: Int) {
        self.precision = precision
        self.scale = scale
    }

    /// The number of digits before the point.
    @inlinable public var integerDigits: Int { precision - scale }
}

extension DecimalShape: CustomStringConvertible {
    /// The type as SQL writes it: `decimal(12,2)`.
    public var description: String { "decimal(\(precision),\(scale))" }
}

/// The precision and scale of the result of each operator on decimals, those of Spark SQL and SQL Server.
///
/// With operands `(p1, s1)` and `(p2, s2)`:
///
/// | operator | scale | precision |
/// |---|---|---|
/// | `+`, `-` | max(s1, s2) | max(p1 − s1, p2 − s2) + scale + 1 |
/// | `*` | s1 + s2 | p1 + p2 + 1 |
/// | `/` | max(6, s1 + p2 + 1) | p1 − s1 + s2 + scale |
/// | `%` | max(s1, s2) | min(p1 − s1, p2 − s2) + scale |
/// | union, case, comparison | max(s1, s2) | max(p1 − s1, p2 − s2) + scale |
/// | sum | s1 | p1 + 10 |
/// | average | s1 + 4 | p1 + 4 |
///
/// Where more than 38 digits would be needed, the digits before the point are kept and the scale shrinks, but not below
/// 6 (or the scale itself if that is smaller). Results are then rounded half-even to that scale, and a value too large
/// for the precision is a reject of its row.
public enum DecimalRules {
    /// The least scale that a quotient has, and that a result keeps when digits have to go.
    public static let minimumAdjustedScale = 6

    /// The shape of a sum or a difference of two columns.
    public static func add(_ left: DecimalShape, _ right: DecimalShape) -> DecimalShape {
        let scale = max(left.scale, right.scale)
        return adjusted(precision: max(left.integerDigits, right.integerDigits) + scale + 1, scale: scale)
    }

    /// The shape of a product.
    public static func multiply(_ left: DecimalShape, _ right: DecimalShape) -> DecimalShape {
        adjusted(precision: left.precision + right.precision + 1, scale: left.scale + right.scale)
    }

    /// The shape of a quotient.
    public static func divide(_ left: DecimalShape, _ right: DecimalShape) -> DecimalShape {
        let scale = max(minimumAdjustedScale, left.scale + right.precision + 1)
        return adjusted(precision: left.integerDigits + right.scale + scale, scale: scale)
    }

    /// The shape of the remainder of a division.
    public static func remainder(_ left: DecimalShape, _ right: DecimalShape) -> DecimalShape {
        let scale = max(left.scale, right.scale)
        return adjusted(precision: min(left.integerDigits, right.integerDigits) + scale, scale: scale)
    }

    /// The smallest shape that holds the values of both columns: for unions, alternatives and comparisons.
    public static func common(_ left: DecimalShape, _ right: DecimalShape) -> DecimalShape {
        let scale = max(left.scale, right.scale)
        return adjusted(precision: max(left.integerDigits, right.integerDigits) + scale, scale: scale)
    }

    /// The shape of the sum of a column over many rows.
    public static func sum(_ column: DecimalShape) -> DecimalShape {
        DecimalShape(precision: min(column.precision + 10, 38), scale: column.scale)
    }

    /// The shape of the average of a column over many rows.
    public static func average(_ column: DecimalShape) -> DecimalShape {
        adjusted(precision: column.precision + 4, scale: column.scale + 4)
    }

    /// The shape of a column rounded to fewer fraction digits: one integer digit more, for 9.5 becomes 10. Asking for
    /// no fewer digits than there are changes nothing.
    public static func round(_ column: DecimalShape, toScale scale: Int) -> DecimalShape {
        guard scale < column.scale else { return column }
        let scale = max(scale, 0)
        return DecimalShape(precision: min(column.integerDigits + 1 + scale, 38), scale: scale)
    }

    /// The shape in which every integer of `bits` bits, 8 to 64, fits: what an integer counts as beside a decimal.
    public static func integer(bits: Int, isSigned: Bool) -> DecimalShape {
        let precision =
            switch bits {
            case ...8: 3
            case ...16: 5
            case ...32: 10
            default: isSigned ? 19 : 20
            }
        return DecimalShape(precision: precision, scale: 0)
    }

    private static func adjusted(precision: Int, scale: Int) -> DecimalShape {
        guard precision > 38 else { return DecimalShape(precision: precision, scale: scale) }
        let least = min(scale, minimumAdjustedScale)
        return DecimalShape(precision: 38, scale: max(38 - (precision - scale), least))
    }
}
