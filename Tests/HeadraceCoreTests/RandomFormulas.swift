import HeadraceColumnar
import HeadraceCore

/// Numbers that follow from a seed, so that a failure can be repeated.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = (state ^ (state &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word &>> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word &>> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
    mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &self)] }
}

/// Schemas, batches and formulas of every kind, most of which go together.
struct RandomFormulas {
    var numbers: SeededNumbers
    private(set) var fields: [Field] = []

    init(seed: UInt64) { numbers = SeededNumbers(seed: seed) }

    // MARK: - Types and values

    static let integers: [DataType] = [.int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64]
    static let decimals: [DataType] = [
        (1, 0), (4, 4), (10, 2), (18, 0), (18, 18), (19, 2), (38, 0), (38, 10), (38, 38),
    ]
    .map { .decimal(precision: $0.0, scale: $0.1) }
    static let temporals: [DataType] = [
        .date32, .time64, .timestamp(zone: nil), .instant, .timestamp(zone: "Europe/Berlin"),
    ]
    static let others: [DataType] = [
        .binary, .json, .list(Field("item", .int64)), .list(Field("item", .utf8, nullable: false)),
        .struct([Field("a", .int32), Field("b", .utf8)]), .struct([Field("a", .decimal(precision: 5, scale: 1))]),
        .list(Field("item", .struct([Field("x", .float64)]))), .struct([]),
    ]
    static let malformed: [DataType] = [
        .decimal(precision: 0, scale: 0), .decimal(precision: 39, scale: 2), .decimal(precision: 5, scale: 6),
        .decimal(precision: 5, scale: -1), .list(Field("item", .decimal(precision: 99, scale: 0))),
    ]

    mutating func type() -> DataType {
        switch Int.random(in: 0..<10, using: &numbers) {
        case 0: .bool
        case 1, 2: numbers.pick(Self.integers)
        case 3: numbers.pick([.float32, .float64])
        case 4, 5: numbers.pick(Self.decimals)
        case 6: .utf8
        case 7: numbers.pick(Self.temporals)
        default: numbers.pick(numbers.chance(50) ? Self.others : [.utf8, .bool, .int64])
        }
    }

    private static let texts = [
        "", " ", "abc", "  a \t b  ", "ß", "İi̇", "12", "-0.5", "1e400", "99999999999999999999999999999999999999",
        "true",
        "2024-02-29", "2023-02-30", "2024-02-29T12:00:00Z", "2024-02-29 12:00:00", "23:59:59.999999", "nan",
        "😀e\u{301}",
        "a\0b", "€449", "{\"a\":1}", "[", "\u{FEFF}x", "\u{A0}",
    ]

    /// A value of the type, often one at its ends.
    mutating func value(of type: DataType) -> Scalar {
        if numbers.chance(15) { return .null }
        switch type {
        case .bool: return .bool(numbers.chance(50))
        case .float32:
            return .double(
                Double(numbers.pick([0, -0.0, 1.5, -.infinity, .nan, .greatestFiniteMagnitude, 0.1] as [Float])))
        case .float64:
            return .double(
                numbers.pick([
                    0, -0.0, 0.1, -1.5, .infinity, -.infinity, .nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
                    1e38,
                    9_007_199_254_740_992, 1e300,
                ]))
        case .decimal(let precision, let scale):
            let limit = (0..<precision).reduce(Int128(1)) { power, _ in power &* 10 } - 1
            let coefficient = numbers.pick([0, 1, -1, limit, -limit, limit / 2, 5, 15])
            return .decimal(DecimalValue(coefficient: min(limit, coefficient), scale: scale))
        case .utf8, .json: return .utf8(numbers.pick(Self.texts))
        case .binary: return .binary(numbers.pick([[], [0], [255, 254], Array("text".utf8)]))
        case .date32: return .date(numbers.pick([0, 19_000, -1, .min, .max, -719_468]))
        case .time64: return .time(numbers.pick([0, 86_399_999_999, 1, .min, .max]))
        case .timestamp: return .timestamp(numbers.pick([0, -1, 1_700_000_000_000_000, .min, .max, 86_400_000_000]))
        case .list(let element):
            return .list((0..<Int.random(in: 0..<4, using: &numbers)).map { _ in value(of: element.type) })
        case .struct(let fields): return .struct(fields.map { value(of: $0.type) })
        default:
            guard let range = type.integerRange else { return .null }
            return .integer(
                numbers.pick([0, 1, 2, 7, range.lowest, range.highest, range.highest - 1, max(range.lowest, -1)]))
        }
    }

    /// A batch of a new schema: plain columns, dictionaries and windows of longer columns.
    mutating func batch() -> RecordBatch? {
        let fields = (0..<Int.random(in: 1..<8, using: &numbers)).map { Field("c\($0)", type()) }
        self.fields = fields
        let (skipped, count) = (Int.random(in: 0..<70, using: &numbers), numbers.pick([0, 1, 5, 64, 90]))
        var columns: [ColumnVector] = []
        for field in fields {
            let values = (0..<skipped + count + 3).map { _ in value(of: field.type) }
            guard var column = ColumnVector.of(field.type, values) else { return nil }
            if field.type.layout == .bytes, numbers.chance(40) { column = Kernels.dictionaryEncoded(column) ?? column }
            columns.append(column)
        }
        return RecordBatch(schema: Schema(fields), columns: columns, count: skipped + count + 3)
            .slice(from: skipped, count: count)
    }

    // MARK: - Formulas

    /// What a formula is wanted for; what comes may be something else.
    enum Wanted: CaseIterable { case condition, number, text, time, any }

    mutating func formula(_ wanted: Wanted = .any, depth: Int = 4) -> Formula {
        if numbers.chance(6) { return formula(numbers.pick(Wanted.allCases), depth: max(0, depth - 1)) }
        if depth == 0 || numbers.chance(15) { return leaf(wanted) }
        let below = depth - 1
        if numbers.chance(12) {
            let branches = (0..<numbers.pick([0, 1, 1, 2, 3])).map { _ in
                Formula.Branch(when: formula(.condition, depth: below), then: formula(wanted, depth: below))
            }
            return .choice(branches, otherwise: formula(wanted, depth: below))
        }
        if numbers.chance(10) {
            let type = numbers.chance(5) ? numbers.pick(Self.malformed) : target(wanted)
            return .cast(formula(numbers.pick(Wanted.allCases), depth: below), type)
        }
        let function = self.function(wanted)
        return .call(function, arguments(of: function, wanted, depth: below))
    }

    private mutating func leaf(_ wanted: Wanted) -> Formula {
        if numbers.chance(2) { return .column("missing") }
        let fitting = fields.filter { Self.suits($0.type, wanted) }
        if !fitting.isEmpty, numbers.chance(70) { return .column(numbers.pick(fitting).name) }
        let type = target(wanted)
        if numbers.chance(2) { return .literal(value(of: self.type()), type) }
        if numbers.chance(2) { return .literal(.null, numbers.pick(Self.malformed)) }
        return .literal(value(of: type), type)
    }

    private mutating func target(_ wanted: Wanted) -> DataType {
        switch wanted {
        case .condition: .bool
        case .number: numbers.pick(Self.integers + Self.decimals + [.float32, .float64])
        case .text: .utf8
        case .time: numbers.pick(Self.temporals)
        case .any: type()
        }
    }

    private static func suits(_ type: DataType, _ wanted: Wanted) -> Bool {
        switch wanted {
        case .condition: type == .bool
        case .number: type.isNumeric
        case .text: type == .utf8
        case .time: temporals.contains(type)
        case .any: true
        }
    }

    private mutating func function(_ wanted: Wanted) -> Function {
        let places = numbers.pick([0, 1, 2, 5, 37, 38, 39, -1, .min, .max])
        let start = numbers.pick([1, 0, 2, -3, 5, .min, .max])
        let patterns = ["a", "^[0-9]+$", "(", "[[:alpha:]]", "a{2,1}", "", "\\"]
        let conditions: [Function] = [
            .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .isDistinct, .and, .or, .not, .isNull,
            .isNotNull, .contains, .startsWith, .endsWith, .matches(numbers.pick(patterns)),
        ]
        let sums: [Function] = [.add, .subtract, .multiply, .divide, .remainder, .negate, .absolute]
        let modes: [RoundingMode] = [.halfEven, .down, .halfUp]
        let arithmetic = sums + [.round(scale: places, numbers.pick(modes)), .length, .year, .month, .day]
        let texts: [Function] = [
            .upper, .lower, .trim, .collapseWhitespace, .concatenate, .replace,
            .substring(start: start, count: numbers.pick([nil, 0, 1, 3, -1, .min, .max])),
        ]
        let either: [Function] = [.coalesce, .least, .greatest]
        switch wanted {
        case .condition: return numbers.pick(conditions)
        case .number: return numbers.pick(arithmetic + either)
        case .text: return numbers.pick(texts + either)
        case .time: return numbers.pick([.toDate, .add, .subtract] + either)
        case .any:
            let objects: [Function] = [.jsonObject(numbers.pick([[], ["a"], ["a", "b"], ["a", "a"]]))]
            return numbers.pick(conditions + arithmetic + texts + either + objects)
        }
    }

    private mutating func arguments(of function: Function, _ wanted: Wanted, depth: Int) -> [Formula] {
        if numbers.chance(3) { return (0..<numbers.pick([0, 1, 2, 3, 4])).map { _ in formula(wanted, depth: depth) } }
        let one = numbers.pick(Wanted.allCases)
        switch function {
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .isDistinct:
            let left = formula(one, depth: depth)
            return [left, numbers.chance(20) ? left : formula(one, depth: depth)]
        case .and, .or: return [formula(.condition, depth: depth), formula(.condition, depth: depth)]
        case .not: return [formula(.condition, depth: depth)]
        case .isNull, .isNotNull: return [formula(one, depth: depth)]
        case .add, .subtract, .multiply, .divide, .remainder:
            let first = wanted == .time ? Wanted.time : .number
            return [formula(first, depth: depth), formula(.number, depth: depth)]
        case .negate, .absolute, .round: return [formula(.number, depth: depth)]
        case .year, .month, .day, .toDate: return [formula(numbers.pick([.time, .text]), depth: depth)]
        case .coalesce, .least, .greatest, .concatenate:
            let kind = function == .concatenate ? .text : wanted
            return (0..<numbers.pick([1, 2, 3])).map { _ in formula(kind, depth: depth) }
        case .contains, .startsWith, .endsWith: return [formula(.text, depth: depth), formula(.text, depth: depth)]
        case .replace: return (0..<3).map { _ in formula(.text, depth: depth) }
        case .jsonObject(let names): return names.map { _ in formula(.any, depth: depth) }
        case .upper, .lower, .trim, .collapseWhitespace, .length, .substring, .matches:
            return [formula(.text, depth: depth)]
        }
    }
}

/// What became of a formula over a batch, and what is wrong with that; it should have a result or an error of ours.
enum FormulaOutcome: Equatable {
    case result(rowsFailed: Int)
    case refused
    case wrong(String)

    init(of formula: Formula, over batch: RecordBatch) {
        let compiled: CompiledFormula
        do { compiled = try CompiledFormula(formula, over: batch.schema) } catch is HeadraceError {
            self = .refused
            return
        } catch {
            self = .wrong("the plan threw \(error)")
            return
        }
        do {
            let result = try compiled.evaluate(batch)
            let rows = result.failures.map(\.row)
            if result.column.count != batch.count {
                self = .wrong("\(result.column.count) values for \(batch.count) rows")
            } else if result.column.type != compiled.type {
                self = .wrong("\(result.column.type), planned was \(compiled.type)")
            } else if rows != rows.sorted() || !rows.allSatisfy({ (0..<Int32(batch.count)).contains($0) }) {
                self = .wrong("failures of rows \(rows)")
            } else if !compiled.isNullable && result.column.nullCount > 0
                && batch.schema.fields.allSatisfy(\.isNullable)
            {
                self = .wrong("nulls where the plan said none")
            } else if let misfit = result.column.scalars.first(where: { !$0.fits(compiled.type) }) {
                self = .wrong("the value \(misfit) is no \(compiled.type)")
            } else {
                self = .result(rowsFailed: Set(rows).count)
            }
        } catch {
            // What can be known from types is known when the plan is made.
            self = .wrong("planned, then threw \(error)")
        }
    }
}
