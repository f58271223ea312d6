import HeadraceColumnar
import HeadraceCore

/// Random schemas and values of every type.
enum RandomColumns {
    static func schema(_ random: inout Seeded) -> Schema {
        Schema((0..<Int.random(in: 1...8, using: &random)).map { Field("c\($0)", type(&random, depth: 2)) })
    }

    static func type(_ random: inout Seeded, depth: Int) -> DataType {
        let flat: [DataType] = [
            .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float32, .float64,
            .decimal(precision: 18, scale: 4), .decimal(precision: 38, scale: 12), .decimal(precision: 5, scale: 0),
            .utf8,
            .binary, .date32, .time64, .timestamp(zone: nil), .instant, .json,
        ]
        if depth > 0, Int.random(in: 0..<4, using: &random) == 0 {
            if Bool.random(using: &random) { return .list(Field("item", type(&random, depth: depth - 1))) }
            return .struct(
                (0..<Int.random(in: 1...3, using: &random)).map { Field("f\($0)", type(&random, depth: depth - 1)) })
        }
        return flat.randomElement(using: &random) ?? .bool
    }

    static func value(_ type: DataType, _ random: inout Seeded, nullable: Bool) -> Scalar {
        if nullable, Int.random(in: 0..<5, using: &random) == 0 { return .null }
        if let range = type.integerRange {
            return [range.lowest, range.highest, 0, Int128(Int8.random(in: 0...100, using: &random))]
                .randomElement(using: &random).map(Scalar.integer) ?? .null
        }
        switch type {
        case .bool: return .bool(.random(using: &random))
        case .float64:
            return [
                0.1, -0.0, Double.leastNonzeroMagnitude, .nan, .infinity, -.infinity, 1e300,
                Double.random(in: -1e6...1e6, using: &random),
            ]
            .randomElement(using: &random).map(Scalar.double) ?? .null
        case .float32:
            return [0.5, Float.nan, .infinity, Float.random(in: -1e3...1e3, using: &random)]
                .randomElement(using: &random).map { Scalar.double(Double($0)) } ?? .null
        case .decimal(let precision, let scale):
            let digits = (0..<Int.random(in: 1...precision, using: &random)).map { _ in
                "\(Int.random(in: 0...9, using: &random))"
            }.joined()
            let coefficient = (Int128(digits) ?? 0) * (Bool.random(using: &random) ? 1 : -1)
            return .decimal(DecimalValue(coefficient: coefficient, scale: scale))
        case .binary:
            return .binary(
                (0..<Int.random(in: 0...6, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
        case .date32: return .date(Int32.random(in: -900_000...2_000_000, using: &random))
        case .time64: return .time(Int64.random(in: 0..<86_400_000_000, using: &random))
        case .timestamp:
            return .timestamp(Int64.random(in: -60_000_000_000_000_000...200_000_000_000_000_000, using: &random))
        case .json: return .utf8(nonNull(&random).compactText)
        case .list(let element):
            return .list(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in value(element.type, &random, nullable: true) })
        case .struct(let fields): return .struct(fields.map { value($0.type, &random, nullable: true) })
        default: return .utf8(RandomJSON.text(&random))
        }
    }

    private static func nonNull(_ random: inout Seeded) -> JSONValue {
        let value = RandomJSON.anything(&random, depth: 2)
        return value.isNull ? .bool(true) : value
    }

    /// The value with NaN made comparable.
    static func comparable(_ scalar: Scalar) -> Scalar {
        switch scalar {
        case .double(let value) where value.isNaN: .utf8("NaN")
        case .list(let values): .list(values.map(comparable))
        case .struct(let values): .struct(values.map(comparable))
        default: scalar
        }
    }
}
