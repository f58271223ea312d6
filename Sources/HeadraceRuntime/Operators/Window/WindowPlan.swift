import HeadraceColumnar
import HeadraceCore

/// The functions of a window step, checked against the input.
struct WindowPlan: Sendable {
    let partition: [Int]
    let orders: [(column: Int, order: SortOrder)]
    let functions: [any WindowFunction]
    let output: Schema

    /// - Throws: `schemaMismatch` when a column is missing or of a type that its function cannot use, or an offset or frame
    ///   is negative.
    init(_ specification: WindowSpecification, input: Schema) throws {
        let check = SchemaCheck(step: specification.step, schema: input)
        partition = try check.positions(of: specification.partition, for: "a partition column")
        orders = try check.orders(of: specification.order)
        functions = try specification.columns.map { try Self.function($0.name, $0.function, check) }
        output = try check.output(input.fields + functions.map(\.result))
    }

    private static func function(
        _ name: String, _ function: WindowSpecification.Function, _ check: SchemaCheck
    ) throws -> any WindowFunction {
        func argument(_ column: String) throws -> (column: Int, field: Field) {
            let index = try check.position(of: column, for: "the argument of \(name)")
            return (index, check.schema.fields[index])
        }
        func number(_ value: Int, _ what: String) throws -> Int {
            if value >= 0 { return value }
            throw HeadraceError(
                .schemaMismatch, "step \(check.step) gives \"\(name)\" \(what) of \(value) rows", hint: "use 0 or more")
        }
        func frame(_ preceding: Int?) throws -> WindowFrame {
            WindowFrame(preceding: try preceding.map { try number($0, "a frame") })
        }
        func pick(_ column: String, _ place: PickFunction.Place, nullable: Bool) throws -> PickFunction {
            let (index, field) = try argument(column)
            let result = Field(
                name, field.type, nullable: nullable || field.isNullable, metadata: field.metadata)
            return PickFunction(result: result, column: index, place: place)
        }
        func sum(_ column: String, scale: Int?, _ preceding: Int?) throws -> any WindowFunction {
            let (index, field) = try argument(column)
            guard field.type.isNumeric else {
                throw check.refusal(
                    of: index, for: scale == nil ? "a sum" : "a mean",
                    wanted: "an integer, decimal or floating-point type")
            }
            if let scale, !(0...38).contains(scale) {
                throw HeadraceError(
                    .schemaMismatch,
                    "step \(check.step) rounds the mean \"\(name)\" to \(scale) digits after the point",
                    hint: "use 0 to 38 digits")
            }
            let frame = try frame(preceding)
            if field.type.isFloat {
                return WindowFloatSumFunction(
                    name, column: index, argument: field, isMean: scale != nil, frame: frame)
            }
            return WindowSumFunction(name, column: index, argument: field, meanScale: scale, frame: frame)
        }
        func extreme(_ column: String, isMinimum: Bool, _ preceding: Int?) throws -> any WindowFunction {
            let (index, field) = try argument(column)
            return WindowExtremeFunction(
                result: Field(name, field.type, nullable: field.isNullable, metadata: field.metadata), column: index,
                isMinimum: isMinimum, frame: try frame(preceding))
        }
        switch function {
        case .rowNumber: return RankFunction(name, .rowNumber)
        case .rank: return RankFunction(name, .rank)
        case .denseRank: return RankFunction(name, .denseRank)
        case .lag(let column, let offset):
            return try pick(column, .away(-number(offset, "an offset")), nullable: true)
        case .lead(let column, let offset):
            return try pick(column, .away(number(offset, "an offset")), nullable: true)
        case .firstValue(let column): return try pick(column, .first, nullable: false)
        case .lastValue(let column): return try pick(column, .last, nullable: false)
        case .sum(let column, let preceding): return try sum(column, scale: nil, preceding)
        case .mean(let column, let scale, let preceding): return try sum(column, scale: scale, preceding)
        case .minimum(let column, let preceding): return try extreme(column, isMinimum: true, preceding)
        case .maximum(let column, let preceding): return try extreme(column, isMinimum: false, preceding)
        case .count(let preceding): return WindowCountFunction(name, frame: try frame(preceding))
        }
    }
}
