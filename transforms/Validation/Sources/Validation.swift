import HeadraceColumnar
public import HeadraceCore
import Synchronization

/// Checks rows against rules: compiled once per schema, run over whole columns.
///
/// A row that breaks several rules is one reject, under the first of them in the order given. Rules that need other rows
/// or a table (`unique`, `foreignKey`) become operators of the engine behind the checks.
public struct Validation: Transform {
    public let name: String
    /// The rules; those that look at one row alone are checked before `unique` and `foreignKey`, whatever their order.
    public let rules: [ValidationRule]
    /// The column that gets the names of flags, by commas; null where a row has none.
    public let flagColumn: String
    /// How often each rule was broken, over all workers of all runs of this value.
    public let counts: ValidationCounts

    /// Checks of rows against `rules`.
    /// - Parameters:
    ///   - flagColumn: added, as `utf8`, only when a rule flags instead of refusing; flags are appended where it is
    ///     there.
    ///   - counts: shared between several validations to count their rules together.
    public init(
        _ rules: [ValidationRule], flagColumn: String = "validation_flag", name: String = "validate",
        counts: ValidationCounts = ValidationCounts()
    ) {
        self.rules = rules
        self.flagColumn = flagColumn
        self.name = name
        self.counts = counts
    }

    public func apply(to input: Relation) throws -> Relation {
        var relation = input
        let conditions = rules.filter { if case .condition = $0.test { true } else { false } }
        if !conditions.isEmpty {
            relation = .stage(
                Conditions(name: name, rules: conditions, flagColumn: flagColumn, counts: counts), relation)
        }
        for rule in rules {
            switch rule.test {
            case .condition: break
            case .unique(let columns):
                try refusing(rule)
                relation = .distinct(
                    DistinctSpecification(
                        step: "\(name) \(rule.name)", keys: columns, others: .rejected(rule: rule.name)),
                    relation)
            case .foreignKey(let lookup, let table, let columns, let references):
                try refusing(rule)
                relation = .lookup(
                    LookupSpecification(
                        step: "\(name) \(rule.name)", lookup: lookup, table: table, keys: columns,
                        tableKeys: references,
                        returning: [], missing: .rejected(rule: rule.name)), relation)
            }
        }
        return relation
    }

    private func refusing(_ rule: ValidationRule) throws {
        guard rule.severity == .reject else {
            throw HeadraceError(
                .unsupported, "the rule \"\(rule.name)\" can refuse rows but not flag them", trail: ["step \(name)"])
        }
    }
}

/// Counts broken rules.
public final class ValidationCounts: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    /// All counts at zero.
    public init() {}

    /// How often each rule was broken, by rule name.
    public var byRule: [String: Int] { counts.withLock { $0 } }

    func add(_ rule: String, _ rows: Int) {
        guard rows > 0 else { return }
        counts.withLock { $0[rule, default: 0] += rows }
    }
}

extension Transform where Self == Validation {
    /// Checks rows against rules; those that break one are rejects.
    public static func validate(_ rules: ValidationRule...) -> Validation { Validation(rules) }
}

/// The rules that look at one row alone.
struct Conditions: RowTransform {
    let name: String
    let rules: [ValidationRule]
    let flagColumn: String
    let counts: ValidationCounts

    private var hasFlags: Bool { rules.contains { $0.severity != .reject } }

    func schema(from input: Schema) throws -> Schema {
        _ = try compiled(input)
        guard hasFlags, input[flagColumn] == nil else {
            if hasFlags, input[flagColumn]?.type != .utf8 {
                throw HeadraceError(
                    .schemaMismatch, "column \"\(flagColumn)\" is there and no text, so it cannot take flags")
            }
            return input
        }
        return Schema(input.fields + [Field(flagColumn, .utf8)])
    }

    private func compiled(_ input: Schema) throws -> [CompiledFormula] {
        try rules.map { rule in
            guard case .condition(let formula) = rule.test else { preconditionFailure("only conditions are compiled") }
            let compiled = try CompiledFormula(formula, over: input)
            guard compiled.type == .bool else {
                throw HeadraceError(
                    .schemaMismatch, "the rule \"\(rule.name)\" yields \(compiled.type), not true or false")
            }
            return compiled
        }
    }

    func makeStage(for input: Schema, in context: RunContext) throws -> ConditionsStage {
        ConditionsStage(self, try compiled(input), try schema(from: input), hasFlags: hasFlags)
    }
}

/// Runs the conditions over batches.
final class ConditionsStage: Stage {
    private let conditions: Conditions
    private let compiled: [CompiledFormula]
    private let schema: Schema
    private let hasFlags: Bool

    init(_ conditions: Conditions, _ compiled: [CompiledFormula], _ schema: Schema, hasFlags: Bool) {
        self.conditions = conditions
        self.compiled = compiled
        self.schema = schema
        self.hasFlags = hasFlags
    }

    func process(_ batch: Batch) throws -> StageResult {
        var refusedBy: [Int32: Reject] = [:]
        var flags: [Int: String] = [:]
        for (rule, formula) in zip(conditions.rules, compiled) {
            let broken = try Self.broken(formula, batch)
            conditions.counts.add(rule.name, broken.count)
            for (row, failure) in broken {
                switch rule.severity {
                case .reject:
                    guard refusedBy[row] == nil else { continue }
                    refusedBy[row] = batch.reject(
                        row: Int(row), rule: rule.name, code: failure?.code ?? rule.code, field: rule.column,
                        message: failure.map { "\(rule.message): \($0.message)" } ?? rule.message)
                case .flag(let flag): flags[Int(row)] = flags[Int(row)].map { "\($0),\(flag)" } ?? flag
                }
            }
        }
        var output = hasFlags ? flagged(batch, flags) : batch
        guard !refusedBy.isEmpty else { return StageResult(output) }
        let kept = (0..<Int32(batch.count)).filter { refusedBy[$0] == nil }
        output = kept.withUnsafeBufferPointer { output.taking($0) }
        output.rejects += refusedBy.sorted { $0.key < $1.key }.map(\.value)
        return StageResult(output)
    }

    /// The rows for which a condition is false or cannot be computed.
    private static func broken(_ formula: CompiledFormula, _ batch: Batch) throws -> [(Int32, RowFailure?)] {
        let result = try formula.evaluate(batch.records)
        let mask = Kernels.decoded(result.column)
        let view = mask.unsafeView
        return withExtendedLifetime(mask) {
            if result.failures.isEmpty && mask.nullCount == 0
                && Bitmap.countSet(view.valueBits.base, offset: view.valueBits.offset, count: mask.count) == mask.count
            {
                return []
            }
            let failures = Dictionary(result.failures.map { ($0.row, $0) }) { first, _ in first }
            return (0..<Int32(batch.count)).compactMap { row in
                if let failure = failures[row] { return (row, failure) }
                return view.isValid(Int(row)) && !view.bool(Int(row)) ? (row, nil) : nil
            }
        }
    }

    private func flagged(_ batch: Batch, _ flags: [Int: String]) -> Batch {
        let builder = BytesBuilder(.utf8, capacity: batch.count, bytesPerValue: 4)
        let before = batch.records[conditions.flagColumn]
        for row in 0..<batch.count {
            let old = before?.scalar(at: row)
            switch (old, flags[row]) {
            case (.utf8(let text), let new?): builder.append("\(text),\(new)")
            case (.utf8(let text), nil): builder.append(text)
            case (_, let new?): builder.append(new)
            default: builder.appendNull()
            }
        }
        var columns = batch.records.columns
        if let index = batch.records.schema.index(of: conditions.flagColumn) {
            columns[index] = builder.finish()
        } else {
            columns.append(builder.finish())
        }
        return batch.with(RecordBatch(schema: schema, columns: columns, count: batch.count))
    }
}
