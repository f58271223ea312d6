import HeadraceColumnar
public import HeadraceCore

/// Gives each row the category of the first rule that its text meets.
public struct Categorization: Transform {
    /// One rule: what the text must hold and the category it then has.
    public struct Rule: Sendable, Hashable {
        enum Test: Sendable, Hashable {
            case keyword(String)
            case pattern(String)
        }
        let test: Test
        let category: String

        /// The text holds this keyword, byte for byte: normalize case first.
        public static func keyword(_ keyword: String, _ category: String) -> Rule {
            Rule(test: .keyword(keyword), category: category)
        }

        /// The text meets this POSIX extended regular expression somewhere.
        public static func pattern(_ pattern: String, _ category: String) -> Rule {
            Rule(test: .pattern(pattern), category: category)
        }
    }

    public let name: String
    /// The text column that is judged; null meets no rule.
    public let column: String
    /// The `utf8` column that gets the category, added or replaced; never null.
    public let target: String
    /// Tried in this order; the first that holds decides.
    public let rules: [Rule]
    /// The category of rows that meet no rule.
    public let otherwise: String

    /// - Parameter otherwise: the category of rows that meet no rule, null text included.
    public init(
        _ column: String, into target: String = "category", _ rules: [Rule], otherwise: String,
        name: String = "categorize"
    ) {
        self.column = column
        self.target = target
        self.rules = rules
        self.otherwise = otherwise
        self.name = name
    }

    public func apply(to input: Relation) throws -> Relation {
        let branches = rules.map { rule -> Formula.Branch in
            let condition: Formula =
                switch rule.test {
                case .keyword(let word): .call(.contains, [.column(column), .literal(.utf8(word), .utf8)])
                case .pattern(let pattern): .call(.matches(pattern), [.column(column)])
                }
            return .init(when: condition, then: .literal(.utf8(rule.category), .utf8))
        }
        let last = Formula.literal(.utf8(otherwise), .utf8)
        let formula = branches.isEmpty ? last : .choice(branches, otherwise: last)
        return .derive(step: name, [Projection(target, formula)], input)
    }
}

extension Transform where Self == Categorization {
    /// Gives each row the category of the first rule that its text meets.
    public static func categorize(
        _ column: String, into target: String = "category", _ rules: Categorization.Rule..., otherwise: String
    ) -> Categorization {
        Categorization(column, into: target, rules, otherwise: otherwise)
    }
}
