import HeadraceColumnar
import HeadraceCore

/// Columns computed from columns, checked against a schema.
struct ProjectProgram: Sendable {
    let projections: [(name: String, formula: CompiledFormula)]
    let schema: Schema

    init(_ projections: [Projection], over input: Schema) throws {
        self.projections = try projections.map { ($0.name, try CompiledFormula($0.formula, over: input)) }
        let fields = self.projections.map { projection -> Field in
            var metadata: [String: String] = [:]
            if case .column(let name) = projection.formula.formula { metadata = input[name]?.metadata ?? [:] }
            return Field(
                projection.name, projection.formula.type, nullable: projection.formula.isNullable, metadata: metadata)
        }
        guard let schema = Schema(unique: fields) else {
            throw HeadraceError(
                .schemaMismatch, "a projection names a column twice",
                fields: [("columns", fields.map(\.name).joined(separator: ", "))])
        }
        self.schema = schema
    }
}

/// Computes the columns of a projection; rows for which one cannot be computed are refused.
final class ProjectStage: Stage {
    private let program: ProjectProgram
    init(_ program: ProjectProgram) { self.program = program }

    func process(_ batch: Batch) throws -> StageResult {
        var columns: [ColumnVector] = []
        var failures: [RowFailure] = []
        var rejects: [Reject] = []
        for projection in program.projections {
            let result = try projection.formula.evaluate(batch.records)
            columns.append(result.column)
            let seen = Set(failures.map(\.row))
            let new = result.failures.filter { !seen.contains($0.row) }
            rejects += batch.rejects(of: new, rule: "compute \(projection.name)", field: projection.name)
            failures += new
        }
        var output = batch.with(RecordBatch(schema: program.schema, columns: columns, count: batch.count)).removing(
            failures)
        output.rejects += rejects
        return StageResult(output)
    }
}
