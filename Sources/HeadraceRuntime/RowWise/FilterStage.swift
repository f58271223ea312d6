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
        let rejects = batch.rejects(of: result.failures, rule: "filter")
        // A failed row is null in the mask, so it is not kept; it counts as rejected and not as filtered.
        let kept = RowSelection(where: result.column)
        let failed = rejects.count
        if kept.count == batch.count { return StageResult(batch) }
        var output = kept.withIndices { batch.taking($0) }
        output.rejects += rejects
        return StageResult(output, filtered: result.column.count - result.column.trueCount - failed)
    }
}

extension ColumnVector {
    /// How many values of a boolean column are true, counted from its bits.
    var trueCount: Int {
        let plain = Kernels.decoded(self)
        let view = plain.unsafeView
        return withExtendedLifetime(plain) {
            guard hasNulls else {
                return Bitmap.countSet(view.valueBits.base, offset: view.valueBits.offset, count: count)
            }
            return (0..<count).reduce(0) { $0 + (view.isValid($1) && view.bool($1) ? 1 : 0) }
        }
    }

    private var hasNulls: Bool { nullCount > 0 }
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
