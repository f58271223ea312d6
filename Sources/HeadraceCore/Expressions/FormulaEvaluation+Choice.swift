import HeadraceColumnar

extension FormulaEvaluation {
    /// A column and the rows for which it could not be computed, not yet counted as failures of the whole.
    private struct Arm {
        var column: ColumnVector
        var failures: [RowFailure]
    }

    /// The result of the first arm whose condition is true, as the type that all results have in common.
    ///
    /// A row fails only where it gets to: by the conditions up to that of its arm, and by its arm's result.
    mutating func choice(_ branches: [Formula.Branch], _ otherwise: Formula) throws -> ColumnVector {
        guard !branches.isEmpty else { return try column(otherwise) }
        var conditions: [Arm] = []
        for branch in branches {
            let condition = try isolated(branch.condition)
            guard condition.column.type == .bool else {
                throw HeadraceError(
                    .schemaMismatch, "a choice needs conditions, not a \(condition.column.type)",
                    trail: ["expression \(branch.condition)"])
            }
            conditions.append(condition)
        }
        let formulas = branches.map(\.result) + [otherwise]
        let results = try alternatives(try formulas.map { try isolated($0) }, of: formulas)
        let views = conditions.map(\.column.unsafeView)
        /// The arms that a row gets to: its own and, by their conditions, all before it.
        func arm(of row: Int32) -> Int {
            views.firstIndex { $0.isValid(Int(row)) && $0.bool(Int(row)) } ?? views.count
        }
        for (index, condition) in conditions.enumerated() {
            failures += condition.failures.filter { arm(of: $0.row) >= index }
        }
        for (index, result) in results.enumerated() {
            failures += result.failures.filter { arm(of: $0.row) == index }
        }
        return withExtendedLifetime(conditions) {
            Kernels.ifElse(
                zip(conditions, results).map { ($0.column, $1.column) }, otherwise: results[branches.count].column)
        }
    }

    /// The first argument that is not null, as the type of the first; an argument fails only the rows that get to it.
    mutating func coalesce(_ arguments: [Formula]) throws -> ColumnVector {
        var arms: [Arm] = []
        for argument in arguments {
            var arm = try isolated(argument)
            if let type = arms.first?.column.type { try cast(&arm, to: type) }
            failures += arm.failures.filter { failure in
                arms.allSatisfy { !$0.column.isValid(Int(failure.row)) }
            }
            arms.append(arm)
        }
        return Kernels.coalesce(arms.map(\.column))
    }

    /// The results as columns of one type.
    private func alternatives(_ results: [Arm], of formulas: [Formula]) throws -> [Arm] {
        var type = results[0].column.type
        for (result, formula) in zip(results, formulas) {
            guard let common = Kernels.commonType(type, result.column.type) else {
                throw HeadraceError(
                    .schemaMismatch, "a choice between \(type) and \(result.column.type) has no one type",
                    trail: ["expression \(formula)"], hint: "cast one side to the other's type")
            }
            type = common
        }
        // As in all decimal arithmetic; it matters only where 38 digits do not hold both sides.
        let rounding: RoundingMode? = if case .decimal = type { .halfEven } else { nil }
        return try results.map { result in
            var result = result
            try cast(&result, to: type, rounding: rounding)
            return result
        }
    }

    private func cast(_ arm: inout Arm, to type: DataType, rounding: RoundingMode? = nil) throws {
        guard arm.column.type != type else { return }
        let result = try Kernels.cast(arm.column, to: type, rounding: rounding)
        arm.column = result.column
        arm.failures += result.failures
    }

    private func isolated(_ formula: Formula) throws -> Arm {
        var inner = FormulaEvaluation(batch: batch)
        let column = try inner.column(formula)
        return Arm(column: column, failures: inner.failures)
    }
}
