extension Kernels {
    /// The type that holds the values of both types, for the alternatives of a choice; nil where there is none.
    ///
    /// Integers give the narrowest integer type that holds both (`decimal(20,0)` for `uint64` with a signed type), exact
    /// numbers the decimal of `DecimalRules.common`, a float with another number `float64`, text and JSON text.
    /// Timestamps that both have a zone take the first one's, as they hold instants all the same. Lists and structs go
    /// by what is in them; members of structs must have the same names.
    package static func commonType(_ left: DataType, _ right: DataType) -> DataType? {
        if left == right { return left }
        if left.isNumeric && right.isNumeric {
            if let one = left.integerRange, let other = right.integerRange {
                let lowest = min(one.lowest, other.lowest)
                let highest = max(one.highest, other.highest)
                let integers: [DataType] = [.uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64]
                let wide = integers.first { type in
                    type.integerRange.map { $0.lowest <= lowest && highest <= $0.highest } ?? false
                }
                return wide ?? .decimal(precision: 20, scale: 0)
            }
            guard let one = DecimalShape(exact: left), let other = DecimalShape(exact: right) else { return .float64 }
            let shape = DecimalRules.common(one, other)
            return .decimal(precision: shape.precision, scale: shape.scale)
        }
        switch (left, right) {
        case (.utf8, .json), (.json, .utf8): return .utf8
        case (.timestamp(_?), .timestamp(_?)): return left
        case (.list(let one), .list(let other)):
            return commonType(one.type, other.type).map { .list(Self.field(one, other, $0)) }
        case (.struct(let one), .struct(let other)):
            guard one.map(\.name) == other.map(\.name) else { return nil }
            var fields: [Field] = []
            for (one, other) in zip(one, other) {
                guard let type = commonType(one.type, other.type) else { return nil }
                fields.append(field(one, other, type))
            }
            return .struct(fields)
        default: return nil
        }
    }

    private static func field(_ one: Field, _ other: Field, _ type: DataType) -> Field {
        Field(one.name, type, nullable: one.isNullable || other.isNullable, metadata: one.metadata)
    }
}

extension DataType {
    /// Whether columns of the type can exist: decimals of 1 to 38 digits, no more of them after the point than there are.
    package var isWellFormed: Bool {
        switch self {
        case .decimal(let precision, let scale): (1...38).contains(precision) && (0...precision).contains(scale)
        case .list(let element): element.type.isWellFormed
        case .struct(let fields): fields.allSatisfy { $0.type.isWellFormed }
        default: true
        }
    }
}
