import HeadraceColumnar
import HeadraceCore

/// The functions of an aggregation, checked against the input, and the columns in which groups are kept.
///
/// A kept row is a state of one group: its keys, the least source index and ordinal of its rows, the states of all aggregates,
/// and the hash of its keys. Rows come in as groups of one.
struct AggregatePlan: Sendable {
    /// An aggregate over the different values of a column.
    struct Distinct: Sendable {
        /// The column of the input.
        let column: Int
        /// Which of the functions counts them.
        let function: Int
    }

    let step: String
    /// Positions of the key columns in the input.
    let keys: [Int]
    let functions: [any AggregateFunction]
    /// The input column of each function, nil for a count of rows.
    let arguments: [Int?]
    let distincts: [Distinct]
    /// The fields that come out.
    let output: Schema
    /// The fields of kept groups.
    let schema: Schema

    /// The column of the least source index and ordinal.
    var row: Int { keys.count }
    var hash: Int { schema.count - 1 }

    /// - Throws: `schemaMismatch` when a column is missing or of a type that its aggregate cannot use.
    init(_ specification: AggregateSpecification, input: Schema) throws {
        step = specification.step
        let check = SchemaCheck(step: step, schema: input)
        keys = try check.positions(of: specification.keys, for: "a key")
        var functions: [any AggregateFunction] = []
        var arguments: [Int?] = []
        var distincts: [Distinct] = []
        for aggregate in specification.aggregates {
            let column = try aggregate.column.map {
                try check.position(of: $0, for: "the argument of \(aggregate.name)")
            }
            if aggregate.function == .countDistinct, let column {
                distincts.append(Distinct(column: column, function: functions.count))
            }
            functions.append(
                try Self.function(aggregate, column, check, isGrouped: !specification.keys.isEmpty))
            arguments.append(column)
        }
        self.functions = functions
        self.arguments = arguments
        self.distincts = distincts
        output = try check.output(keys.map { input.fields[$0] } + functions.map(\.result))
        var fields = keys.enumerated().map { Field("key \($0)", input.fields[$1].type) }
        fields.append(Field("row", .int64, nullable: false))
        for (index, function) in functions.enumerated() {
            fields += function.stateTypes.enumerated().map { Field("state \(index).\($0)", $1) }
        }
        schema = Schema(fields + [CarriedRows.hashField])
    }

    private static func function(
        _ aggregate: AggregateSpecification.Aggregate, _ column: Int?, _ check: SchemaCheck, isGrouped: Bool
    ) throws -> any AggregateFunction {
        let name = aggregate.name
        if aggregate.function == .count { return CountFunction(name) }
        guard let column else {
            throw HeadraceError(
                .schemaMismatch, "step \(check.step) has an aggregate \"\(name)\" without a column",
                hint: "only a count of rows needs none")
        }
        let field = check.schema.fields[column]
        // A group has at least one row, so that only nulls in the column make null of most aggregates.
        let nullable = field.isNullable || !isGrouped
        func same() -> Field { Field(name, field.type, nullable: nullable, metadata: field.metadata) }
        switch aggregate.function {
        case .count: return CountFunction(name)
        case .countDistinct: return CountFunction(name, startsAtZero: true)
        case .sum:
            guard field.type.isNumeric else {
                throw check.refusal(of: column, for: "a sum", wanted: "an integer, decimal or floating-point type")
            }
            if field.type.isFloat { return FloatSumFunction(name, isMean: false, nullable: nullable) }
            return SumFunction(name, argument: field.type, nullable: nullable)
        case .mean(let scale):
            guard field.type.isNumeric else {
                throw check.refusal(of: column, for: "a mean", wanted: "an integer, decimal or floating-point type")
            }
            guard (0...38).contains(scale) else {
                throw HeadraceError(
                    .schemaMismatch,
                    "step \(check.step) rounds the mean \"\(name)\" to \(scale) digits after the point",
                    hint: "use 0 to 38 digits")
            }
            if field.type.isFloat { return FloatSumFunction(name, isMean: true, nullable: nullable) }
            return MeanFunction(name, argument: field.type, scale: scale, nullable: nullable)
        case .minimum: return ExtremeFunction(result: same(), isMinimum: true)
        case .maximum: return ExtremeFunction(result: same(), isMinimum: false)
        case .first: return EdgeFunction(result: same(), isFirst: true)
        case .last: return EdgeFunction(result: same(), isFirst: false)
        case .any, .all:
            guard field.type == .bool else {
                throw check.refusal(of: column, for: "any or all", wanted: "bool")
            }
            return TruthFunction(
                result: Field(name, .bool, nullable: nullable), decisive: aggregate.function == .any)
        }
    }

    // MARK: - Groups

    /// Each row of `batch` as a group of its own.
    func groups(_ batch: Batch, files: FileTable) -> RecordBatch {
        let columns = batch.records.columns
        let ordinals = batch.provenance.columns(count: batch.count, files: files)[0]
        var states: [ColumnVector] = []
        for (function, argument) in zip(functions, arguments) {
            states += function.initial(AggregateRows(column: argument.map { columns[$0] }, ordinals: ordinals))
        }
        return RecordBatch(
            schema: schema,
            columns: keys.map { columns[$0] } + [ordinals] + states
                + [CarriedRows.hashColumn(keys.map { columns[$0] }, count: batch.count)],
            count: batch.count)
    }

    /// The group of no rows that an aggregation without keys over an empty input gives.
    func emptyGroup() -> RecordBatch {
        RecordBatch(
            schema: schema,
            columns: [GroupValues<Int64>(1, repeating: 0).column(.int64, count: 1)] + functions.flatMap { $0.empty(1) }
                + [CarriedRows.hashColumn([], count: 1)],
            count: 1)
    }

    /// Groups of equal keys as one, in the order of their first appearance.
    func merge(_ block: RecordBatch) throws -> RecordBatch {
        let keyColumns = Array(block.columns.prefix(keys.count))
        let groups = KeyGroups(
            hashes: block.words(hash), rows: block.count, equality: RowEquality(keyColumns, keyColumns))
        if groups.count == block.count { return block }
        // Equal keys need not be the same bits (0 and -0): the first row's are kept.
        let ordinals = block.integers(row)
        let first = GroupValues<Int32>(groups.count, repeating: -1)
        GroupChoice.choose(block.columns[row].unsafeView, groups, first.values) { ordinals[$0] < ordinals[$1] }
        let rows = UnsafeBufferPointer(start: first.values, count: groups.count)
        var columns = (keyColumns + [block.columns[row]]).map { Kernels.take($0, indices: rows) }
        var next = row + 1
        for function in functions {
            let width = function.stateTypes.count
            columns += function.merge(Array(block.columns[next..<next + width]), groups)
            next += width
        }
        columns.append(Kernels.take(block.columns[hash], indices: rows))
        _ = consume first
        return RecordBatch(schema: schema, columns: columns, count: groups.count)
    }

    /// The results of finished groups, and which of them do not fit their types.
    func finish(_ block: RecordBatch) -> (rows: RecordBatch, failures: [AggregateFailure]) {
        var failures: [AggregateFailure] = []
        var columns = Array(block.columns.prefix(keys.count))
        var next = row + 1
        for function in functions {
            let width = function.stateTypes.count
            columns.append(function.finish(Array(block.columns[next..<next + width]), failures: &failures))
            next += width
        }
        return (RecordBatch(schema: output, columns: columns, count: block.count), failures)
    }
}
