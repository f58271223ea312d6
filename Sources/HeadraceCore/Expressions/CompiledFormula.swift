public import HeadraceColumnar

/// A formula checked against a schema and ready to run over batches of it, by kernels.
public struct CompiledFormula: Sendable {
    /// The formula as it was written, for SQL, lineage and messages.
    public let formula: Formula
    /// The type of the result.
    public let type: DataType
    /// Whether the result can be null.
    public let isNullable: Bool
    private let schema: Schema

    /// Checks columns and types.
    /// - Throws: `schemaMismatch` for a column that is not there and for operands that do not go together.
    public init(_ formula: Formula, over schema: Schema) throws {
        for name in formula.columns.sorted() where schema.index(of: name) == nil {
            throw HeadraceError(
                .schemaMismatch, "there is no column \"\(name)\"",
                fields: [("columns", schema.names.joined(separator: ", "))],
                trail: ["expression \(formula)"])
        }
        self.formula = formula
        self.schema = schema
        // Kernels refuse types whatever the values, so a batch without rows tells the type of the result.
        var evaluation = FormulaEvaluation(batch: RecordBatch(empty: schema))
        do { type = try evaluation.column(formula).type } catch let error as KernelError {
            throw HeadraceError(
                .schemaMismatch, error.message, trail: ["expression \(formula)"],
                hint: "cast one side to the other's type")
        }
        if case .column(let name) = formula { isNullable = schema[name]?.isNullable ?? true } else { isNullable = true }
    }

    /// The result for every row; null where a row failed.
    public func evaluate(_ batch: RecordBatch) throws -> FormulaResult {
        var evaluation = FormulaEvaluation(batch: batch)
        let column = try evaluation.column(formula)
        return FormulaResult(column: column, failures: evaluation.failures.sorted { $0.row < $1.row })
    }
}

/// The values of a formula over a batch and the rows for which it has none.
public struct FormulaResult: Sendable {
    /// One value of the formula's type for each row of the batch; null for the rows in `failures`.
    public let column: ColumnVector
    /// In row order; a row may fail in several places, the first counts.
    public let failures: [RowFailure]
}

extension RowFailure {
    /// A stable code for rejects.
    public var code: String {
        switch reason {
        case .text: "notConvertible"
        case .outOfRange: "outOfRange"
        case .inexact: "inexact"
        case .divisionByZero: "divisionByZero"
        case .zone: "zoneMismatch"
        }
    }

    /// One sentence for rejects.
    public var message: String {
        switch reason {
        case .text(let problem): "the text does not read as a value of the wanted type: \(problem)"
        case .outOfRange: "the result is beyond the range of its type"
        case .inexact: "the wanted type would lose digits of the value"
        case .divisionByZero: "a division by zero"
        case .zone: "the text has a zone where the type has none, or none where it has one"
        }
    }
}

/// One evaluation over one batch.
struct FormulaEvaluation {
    let batch: RecordBatch
    var failures: [RowFailure] = []

    init(batch: RecordBatch) { self.batch = batch }

    /// A column or a constant: kernels take both.
    mutating func operand(_ formula: Formula) throws -> Operand {
        if case .literal(let value, let type) = formula {
            try check(value, type)
            return .value(value, type)
        }
        return .column(try column(formula))
    }

    mutating func column(_ formula: Formula) throws -> ColumnVector {
        switch formula {
        case .column(let name):
            guard let column = batch[name] else {
                throw HeadraceError(.schemaMismatch, "there is no column \"\(name)\"")
            }
            return column
        case .literal(let value, let type): return try constant(value, type)
        case .cast(let inner, let type):
            try check(.null, type)
            return take(try Kernels.cast(try column(inner), to: type))
        case .choice(let branches, let otherwise): return try choice(branches, otherwise)
        case .call(let function, let arguments): return try call(function, arguments)
        }
    }

    /// The column of a kernel that can fail for single rows; its failures are kept.
    mutating func take(_ result: KernelResult) -> ColumnVector {
        failures += result.failures
        return result.column
    }

    /// A constant is checked whether there are rows or not, so that a plan refuses a wrong one.
    private func check(_ value: Scalar, _ type: DataType) throws {
        guard type.isWellFormed else {
            throw HeadraceError(
                .schemaMismatch, "there is no type \(type)",
                hint: "a decimal has 1 to 38 digits, no more of them after the point than there are")
        }
        guard value.fits(type) else {
            throw HeadraceError(.schemaMismatch, "the constant \(value) is no \(type)")
        }
    }

    private func constant(_ value: Scalar, _ type: DataType) throws -> ColumnVector {
        try check(value, type)
        guard let column = ColumnVector.of(type, Array(repeating: value, count: batch.count)) else {
            throw HeadraceError(.schemaMismatch, "the constant \(value) is no \(type)")
        }
        return column
    }
}
