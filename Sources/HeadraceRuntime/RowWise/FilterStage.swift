import HeadraceColumnar
import HeadraceCore

/// A condition checked against a schema.
struct FilterProgram: Sendable {
    let condition: CompiledFormula

    init(_ condition: Formula, over schema: Schema) throws {
        self.condition = try CompiledFormula(condition, over: schema)
        guard self.condition.type == .bool else {
            throw HeadraceError(.schemaMismatch, "a filter needs a condition, not a \(self.condition.type)")
        }
    }
}

/// Keeps the rows for which a condition is true; false and null are filtered, rows it cannot be computed for refused.
final class FilterStage: Stage {
    private let program: FilterProgram
    init(_ program: FilterProgram) { self.program = program }

    func process(_ batch: Batch) throws -> StageResult {
        let result = try program.condition.evaluate(batch.records)
        let mask = Kernels.decoded(result.column)
        let rejects = batch.rejects(of: result.failures, rule: "filter")
        let kept = RowSelection(where: mask)
        if rejects.isEmpty {
            if kept.count == batch.count { return StageResult(batch) }
            return StageResult(kept.withIndices { batch.taking($0) }, filtered: mask.countNotTrue { _ in true })
        }
        // A row that failed is refused, whatever the condition makes of the null in its place.
        let failed = Set(result.failures.map(\.row))
        let good = kept.indices.filter { !failed.contains($0) }
        var output = good.withUnsafeBufferPointer { batch.taking($0) }
        output.rejects += rejects
        return StageResult(output, filtered: mask.countNotTrue { !failed.contains($0) })
    }
}

extension ColumnVector {
    /// How many of the values that `counts` admits are false or null, counted from the bits of this boolean column.
    fileprivate func countNotTrue(_ counts: (Int32) -> Bool) -> Int {
        let view = unsafeView
        return withExtendedLifetime(self) {
            (0..<count).reduce(0) { total, row in
                (view.isValid(row) && view.bool(row)) || !counts(Int32(row)) ? total : total + 1
            }
        }
    }
}

extension Batch {
    /// Rejects for rows that a formula has no value for; the first failure of a row counts.
    func rejects(of failures: [RowFailure], rule: String, field: String? = nil) -> [Reject] {
        var last: Int32 = -1
        return failures.compactMap { failure in
            guard failure.row != last else { return nil }
            last = failure.row
            return reject(row: Int(failure.row), rule: rule, code: failure.code, field: field, message: failure.message)
        }
    }

    /// The batch without the rows of `rejects`, which must name rows of this batch in `failures`.
    func removing(_ failures: [RowFailure]) -> Batch {
        guard !failures.isEmpty else { return self }
        let gone = Set(failures.map(\.row))
        let kept = (0..<Int32(count)).filter { !gone.contains($0) }
        return kept.withUnsafeBufferPointer { taking($0) }
    }
}
