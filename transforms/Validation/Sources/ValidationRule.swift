public import HeadraceColumnar
public import HeadraceCore

/// One thing that a row must be, and what happens when it is not.
public struct ValidationRule: Sendable {
    /// What becomes of a row that breaks the rule.
    public enum Severity: Sendable, Hashable {
        /// It is a reject of the step.
        case reject
        /// It stays; the flag's name goes into the step's flag column.
        case flag(String)
    }

    enum Test: Sendable {
        /// True passes, null passes, false breaks the rule.
        case condition(Formula)
        case unique([String])
        case foreignKey(lookup: any TableLookup, table: String, columns: [String], references: [String])
    }

    /// The rule as ledger and rejects name it.
    public var name: String
    /// The column that a reject names.
    public var column: String?
    /// A stable code for programs.
    public var code: String
    /// What a reject says.
    public var message: String
    /// Refused unless `flagging` said otherwise; `unique` and `foreignKey` cannot flag.
    public var severity: Severity
    let test: Test

    /// The same rule, with rows that break it flagged instead of refused.
    public func flagging(_ flag: String) -> ValidationRule {
        var copy = self
        copy.severity = .flag(flag)
        return copy
    }

    /// The same rule under another name.
    public func named(_ name: String) -> ValidationRule {
        var copy = self
        copy.name = name
        return copy
    }

    private init(
        _ name: String, column: String?, code: String, message: String, _ test: Test, severity: Severity = .reject
    ) {
        self.name = name
        self.column = column
        self.code = code
        self.message = message
        self.test = test
        self.severity = severity
    }

    /// The column is not null.
    public static func notNull(_ column: String) -> ValidationRule {
        ValidationRule(
            "\(column) not null", column: column, code: "missing", message: "\(column) is missing",
            .condition(.call(.isNotNull, [.column(column)])))
    }

    /// The text is there and holds more than white space.
    public static func required(_ column: String) -> ValidationRule {
        let filled = Formula.call(.notEqual, [.call(.trim, [.column(column)]), .literal(.utf8(""), .utf8)])
        return ValidationRule(
            "\(column) required", column: column, code: "missing", message: "\(column) is missing",
            .condition(.call(.and, [.call(.isNotNull, [.column(column)]), filled])))
    }

    /// The number lies between the bounds, both included; null passes.
    public static func range(
        _ column: String, from lowest: DecimalValue? = nil, through highest: DecimalValue? = nil
    ) -> ValidationRule {
        range(column, lowest.map { ($0, false) }, highest, "from \(text(lowest)) through \(text(highest))")
    }

    /// The number is greater than a bound; null passes.
    public static func greater(_ column: String, than bound: DecimalValue) -> ValidationRule {
        range(column, (bound, true), nil, "> \(bound)")
    }

    private static func range(
        _ column: String, _ lowest: (value: DecimalValue, isExcluded: Bool)?, _ highest: DecimalValue?, _ name: String
    ) -> ValidationRule {
        var parts: [Formula] = []
        if let lowest {
            let (value, type) = lowest.value.literal
            parts.append(
                .call(lowest.isExcluded ? .greater : .greaterOrEqual, [.column(column), .literal(value, type)]))
        }
        if let highest {
            let (value, type) = highest.literal
            parts.append(.call(.lessOrEqual, [.column(column), .literal(value, type)]))
        }
        let formula = parts.dropFirst().reduce(parts.first ?? .literal(.bool(true), .bool)) { .call(.and, [$0, $1]) }
        return ValidationRule(
            "\(column) \(name)", column: column, code: "outOfRange", message: "\(column) is not \(name)",
            .condition(formula))
    }

    private static func text(_ bound: DecimalValue?) -> String { bound.map(\.description) ?? "any" }

    /// The text has at least and at most so many characters; null passes.
    public static func length(_ column: String, from least: Int = 0, through most: Int) -> ValidationRule {
        let length = Formula.call(.length, [.column(column)])
        func bound(_ count: Int) -> Formula { .literal(.integer(Int128(count)), .int64) }
        return ValidationRule(
            "\(column) length \(least) to \(most)", column: column, code: "wrongLength",
            message: "\(column) does not have \(least) to \(most) characters",
            .condition(
                .call(
                    .and,
                    [.call(.greaterOrEqual, [length, bound(least)]), .call(.lessOrEqual, [length, bound(most)])])))
    }

    /// The text meets a POSIX extended regular expression (anchor it with `^` and `$`); null passes.
    public static func pattern(_ column: String, _ pattern: String) -> ValidationRule {
        ValidationRule(
            "\(column) matches \(pattern)", column: column, code: "wrongForm",
            message: "\(column) does not match \(pattern)",
            .condition(.call(.matches(pattern), [.column(column)])))
    }

    /// The text is one of these; null passes.
    public static func oneOf(_ column: String, _ values: String...) -> ValidationRule {
        let tests = values.map { Formula.call(.equal, [.column(column), .literal(.utf8($0), .utf8)]) }
        let formula = tests.dropFirst().reduce(tests.first ?? .literal(.bool(false), .bool)) { .call(.or, [$0, $1]) }
        return ValidationRule(
            "\(column) one of \(values.joined(separator: ", "))", column: column, code: "notAllowed",
            message: "\(column) is not one of \(values.joined(separator: ", "))", .condition(formula))
    }

    /// No two rows of the run have the same values; the first in source order stays. Always refuses.
    public static func unique(_ columns: String...) -> ValidationRule {
        let list = columns.joined(separator: ", ")
        return ValidationRule(
            "\(list) unique", column: columns.first, code: "duplicate", message: "\(list) is there already",
            .unique(columns))
    }

    /// The columns are the key of a row of a table; null never is. Always refuses.
    public static func foreignKey(
        _ columns: String..., in table: String, of lookup: any TableLookup, references: [String]? = nil
    ) -> ValidationRule {
        let list = columns.joined(separator: ", ")
        return ValidationRule(
            "\(list) in \(table)", column: columns.first, code: "notInTable", message: "\(list) is not in \(table)",
            .foreignKey(lookup: lookup, table: table, columns: columns, references: references ?? columns))
    }

    /// The condition is not false; null passes.
    public static func custom(_ name: String, _ condition: Expr<Bool>, column: String? = nil) -> ValidationRule {
        ValidationRule(
            name, column: column, code: "ruleBroken", message: "the rule \"\(name)\" does not hold",
            .condition(condition.formula))
    }
}
