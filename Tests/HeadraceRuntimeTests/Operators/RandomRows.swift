import HeadraceColumnar
import HeadraceCore

/// Makes rows for property tests: few different values a column, nulls, ties, all types.
struct RandomRows {
    var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed) }

    /// Every type that can be a key.
    static let types: [DataType] = [
        .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float32, .float64,
        .decimal(precision: 12, scale: 2), .decimal(precision: 30, scale: 4), .utf8, .json, .binary, .date32, .time64,
        .timestamp(zone: nil), .instant, .list(Field("element", .int32)),
        .struct([Field("a", .utf8), Field("b", .int64)]),
    ]

    /// A value of `type` out of about `kinds` different ones, null now and then.
    mutating func value(_ type: DataType, kinds: Int, nulls: Bool = true) -> Scalar {
        if nulls && Int.random(in: 0..<8, using: &random) == 0 { return .null }
        let number = Int.random(in: 0..<max(kinds, 1), using: &random)
        switch type {
        case .bool: return .bool(number % 2 == 0)
        case .int8, .int16, .int32, .int64: return .integer(Int128(number % 100 - 50))
        case .uint8, .uint16, .uint32, .uint64: return .integer(Int128(number % 200))
        case .float32, .float64:
            return .double([0, -0.0, .nan, .infinity, -.infinity][safe: number] ?? Double(number) / 4 - 3)
        case .decimal(_, let scale):
            return .decimal(DecimalValue(coefficient: Int128(number * 37 - 300), scale: scale))
        case .utf8:
            return .utf8(number % 5 == 0 ? "" : "text number \(number) \(String(repeating: "ö", count: number % 20))")
        case .json: return .utf8("{\"n\":\(number)}")
        case .binary: return .binary((0..<number % 5).map { UInt8(truncatingIfNeeded: $0 + number) })
        case .date32: return .date(Int32(number * 31))
        case .time64: return .time(Int64(number) * 1_000_000)
        case .timestamp: return .timestamp(Int64(number) * 86_400_000_000 - 5)
        case .list(let element):
            return .list((0..<number % 4).map { _ in value(element.type, kinds: 3, nulls: nulls) })
        case .struct(let fields): return .struct(fields.map { value($0.type, kinds: 3, nulls: nulls) })
        }
    }

    /// `count` rows of `schema` from two sources; `repeats` gives some rows the ordinal of the row before.
    mutating func rows(
        _ schema: Schema, count: Int, kinds: [Int], nulls: Bool = true, repeats: Bool = false
    ) -> [TestRow] {
        var rows: [TestRow] = []
        for index in 0..<count {
            let source = index < count / 2 ? 1 : 0
            var ordinal = index + 1
            if repeats, let last = rows.last, last.source == source, Int.random(in: 0..<4, using: &random) == 0 {
                ordinal = last.ordinal
            }
            let values = zip(schema.fields, kinds).map { field, kinds in
                value(field.type, kinds: kinds, nulls: nulls && field.isNullable)
            }
            rows.append(TestRow(source: source, ordinal: ordinal, values: values))
        }
        return rows
    }

    /// Batches of the rows in a random order of arrival.
    mutating func batches(_ schema: Schema, _ rows: [TestRow], most: Int = 300) throws -> [Batch] {
        try OperatorHarness.batches(schema, rows, most: most, encoding: true, random: &random)
            .shuffled(using: &random)
    }
}

extension Array {
    subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
