import HeadraceColumnar
import HeadraceCore

/// What the items of a table have in common as rows: a column an attribute, of the narrowest type that holds every value
/// seen.
struct ItemColumns: Sendable {
    private struct Kind: Sendable {
        var types: Set<String> = []
        var integerDigits = 1
        var scale = 0
        var fitsInt64 = true
        var count = 0
    }

    private var kinds: [String: Kind] = [:]
    private var items = 0

    mutating func see(_ item: Item) {
        items += 1
        for (name, value) in item {
            var kind = kinds[name] ?? Kind()
            if case .null = value {
                kinds[name] = kind
                continue
            }
            kind.count += 1
            kind.types.insert(ItemRules.type(of: value))
            if case .number(let text) = value, let number = try? AttributeNumber(text) {
                kind.integerDigits = max(kind.integerDigits, number.exponent + 1)
                kind.scale = max(kind.scale, number.scale)
                kind.fitsInt64 = kind.fitsInt64 && Int64(text) != nil
            }
            kinds[name] = kind
        }
    }

    /// The key's columns first, then the others in byte order of their names. Only key columns are never null.
    func schema(_ key: KeySchema) -> Schema {
        let others = ItemJSON.ordered(kinds.keys.filter { !key.names.contains($0) })
        let keys = zip(key.names, [key.partitionType, key.sortType]).map { name, type in
            Field(name, Self.type(kinds[name] ?? Kind(types: [type.rawValue])), nullable: false)
        }
        return Schema(keys + others.map { Field($0, Self.type(kinds[$0] ?? Kind())) })
    }

    private static func type(_ kind: Kind) -> DataType {
        guard kind.types.count == 1, let only = kind.types.first else { return kind.types.isEmpty ? .utf8 : .json }
        switch only {
        case "S": return .utf8
        case "B": return .binary
        case "BOOL": return .bool
        case "N":
            if kind.fitsInt64 { return .int64 }
            let digits = kind.integerDigits + kind.scale
            // Numbers that 38 digits cannot hold side by side stay exact as text.
            guard digits <= 38 else { return .utf8 }
            return .decimal(precision: digits <= 18 ? 18 : 38, scale: kind.scale)
        default: return .json
        }
    }

    /// The value of an attribute in a column's type, nil when it does not fit.
    static func scalar(_ value: AttributeValue?, _ type: DataType) -> Scalar? {
        let scalar: Scalar?
        switch (value, type) {
        case (nil, _), (.null, _): return .null
        case (.some(let value), .json): return .utf8(ItemJSON.plain(value).compactText)
        case (.string(let text), .utf8), (.number(let text), .utf8): scalar = .utf8(text)
        case (.binary(let bytes), .binary): scalar = .binary(bytes)
        case (.bool(let value), .bool): scalar = .bool(value)
        case (.number(let text), .decimal), (.string(let text), .decimal):
            scalar = DecimalValue(text).map(Scalar.decimal)
        case (.number(let text), .float64), (.number(let text), .float32): scalar = Double(text).map(Scalar.double)
        case (.number(let text), _) where type.isInteger: scalar = Int128(text).map(Scalar.integer)
        case (.string(let text), .date32): scalar = parsed(DateText.parse(Array(text.utf8).span)) { .date($0) }
        case (.string(let text), .time64): scalar = parsed(TimeText.parse(Array(text.utf8).span)) { .time($0) }
        case (.string(let text), .timestamp):
            let found = TimestampText.parse(Array(text.utf8).span)
            scalar = found.isValid ? .timestamp(found.microseconds) : nil
        default: return nil
        }
        return scalar.flatMap { $0.fits(type) ? $0 : nil }
    }

    private static func parsed<T>(_ parsed: Parsed<T>, _ make: (T) -> Scalar) -> Scalar? {
        parsed.problem == .none ? make(parsed.value) : nil
    }
}
