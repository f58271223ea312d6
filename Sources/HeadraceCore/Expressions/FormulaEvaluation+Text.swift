import HeadraceColumnar

extension FormulaEvaluation {
    /// The result of a function over text; runs over the dictionary where there is one.
    mutating func text(_ function: Function, _ arguments: [Formula]) throws -> ColumnVector {
        switch function {
        case .upper: return try Kernels.upper(try column(arguments[0]))
        case .lower: return try Kernels.lower(try column(arguments[0]))
        case .trim: return try Kernels.trim(try column(arguments[0]))
        case .collapseWhitespace: return try Kernels.trim(try Kernels.collapseWhitespace(try column(arguments[0])))
        case .length: return try Kernels.length(try column(arguments[0]))
        case .substring(let start, let count):
            return try Kernels.substring(try column(arguments[0]), from: start, count: count)
        case .contains: return try match(.contains, arguments)
        case .startsWith: return try match(.startsWith, arguments)
        case .endsWith: return try match(.endsWith, arguments)
        case .matches(let pattern): return try RegularExpression(pattern).matches(try column(arguments[0]))
        case .replace:
            return try Kernels.replace(
                try column(arguments[0]), try operand(arguments[1]), with: try operand(arguments[2]))
        case .concatenate:
            let parts = try arguments.map { try operand($0) }
            let hasColumn = parts.contains { if case .column = $0 { true } else { false } }
            return try Kernels.concatenate(hasColumn ? parts : try arguments.map { .column(try column($0)) })
        default: preconditionFailure("\(function) is no function over text")
        }
    }

    private mutating func match(_ kind: Kernels.TextMatch, _ arguments: [Formula]) throws -> ColumnVector {
        try Kernels.match(try column(arguments[0]), kind, try operand(arguments[1]))
    }
}
