import HeadraceColumnar

extension FormulaEvaluation {
    /// The result of a function over text.
    mutating func text(_ function: Function, _ arguments: [Formula]) throws -> ColumnVector {
        throw HeadraceError(.unsupported, "\(function) has no kernel yet")
    }
}
