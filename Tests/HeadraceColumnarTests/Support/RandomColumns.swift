import HeadraceColumnar

/// A random generator that gives the same numbers for the same seed everywhere.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int(next() % 100) < percent }
}

/// How a random column is laid out.
enum Shape: CaseIterable, Sendable {
    case plain, sliced, encoded, encodedSlice, foreign

    var isEncoded: Bool { self == .encoded || self == .encodedSlice }
}

/// Columns of random values of any type and layout, from few distinct values so that ties and matches are common.
enum RandomColumns {
    static let fixedTypes: [DataType] = [
        .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float32, .float64,
        .decimal(precision: 9, scale: 2), .decimal(precision: 18, scale: 0), .decimal(precision: 30, scale: 6), .date32,
        .time64, .timestamp(zone: nil), .instant,
    ]
    static let byteTypes: [DataType] = [.utf8, .binary, .json]
    static let nestedTypes: [DataType] = [
        .list(Field("item", .int32)), .list(Field("item", .utf8)), .struct([Field("a", .int64), Field("b", .utf8)]),
        .struct([Field("x", .list(Field("item", .decimal(precision: 9, scale: 2)))), Field("y", .bool)]),
    ]
    static let allTypes = fixedTypes + byteTypes + nestedTypes

    static func column(
        _ type: DataType, count: Int, nullPercent: Int = 20, shape: Shape = .plain, _ random: inout SeededRandom
    ) -> ColumnVector {
        let margin = shape == .sliced || shape == .encodedSlice ? 13 : 0
        let values = (0..<count + 2 * margin).map { _ in
            random.chance(nullPercent) ? Scalar.null : scalar(type, &random)
        }
        guard var column = ColumnVector.of(type, values) else { fatalError("a random value does not fit \(type)") }
        if shape.isEncoded && type.layout == .bytes {
            guard let encoded = Kernels.dictionaryEncoded(column, limit: .max) else { fatalError("no dictionary") }
            column = encoded
        }
        if shape == .foreign { column = exactCopy(column) }
        return margin > 0 ? column.slice(from: margin, count: count) : column
    }

    /// The same column in memory without a readable byte before or behind it.
    static func exactCopy(_ column: ColumnVector) -> ColumnVector {
        func copy(_ buffer: Buffer?) -> Buffer? {
            guard let buffer else { return nil }
            let memory = UnsafeMutableRawPointer.allocate(byteCount: max(buffer.byteCount, 1), alignment: 16)
            memory.copyMemory(from: buffer.base, byteCount: buffer.byteCount)
            nonisolated(unsafe) let owned = memory
            return Buffer(foreign: memory, byteCount: buffer.byteCount) { owned.deallocate() }
        }
        return ColumnVector(
            type: column.type, count: column.count, offset: column.offset, nullCount: column.nullCount,
            validity: copy(column.validity), values: copy(column.values), offsets: copy(column.offsets),
            children: column.children.map(exactCopy), dictionary: column.dictionary.map(exactCopy))
    }

    static func scalar(_ type: DataType, _ random: inout SeededRandom) -> Scalar {
        if let range = type.integerRange {
            let edge = random.next() % 20
            if edge == 0 { return .integer(range.lowest) }
            if edge == 1 { return .integer(range.highest) }
            return .integer(Int128(random.next() % 12) - (range.lowest < 0 ? 6 : 0))
        }
        switch type {
        case .bool: return .bool(random.chance(50))
        case .float32, .float64:
            let special: [Double] = [.nan, .infinity, -.infinity, 0, -0.0, 0.5, -1.25, 3, 1e10, -1.5e9, 0x1p60]
            return .double(special[Int(random.next() % UInt64(special.count))])
        case .decimal(let precision, let scale):
            let limit = (0..<precision).reduce(Int128(1)) { value, _ in value * 10 } - 1
            let coefficient: Int128 =
                switch random.next() % 20 {
                case 0: limit
                case 1: -limit
                case 2: Int128(truncatingIfNeeded: random.next()) % limit
                default: Int128(random.next() % 9) - 4
                }
            return .decimal(DecimalValue(coefficient: coefficient, scale: scale))
        case .utf8, .json: return .utf8(text(&random))
        case .binary: return .binary(Array(text(&random).utf8))
        case .date32: return .date(Int32(random.next() % 20) - 10)
        case .time64: return .time(Int64(random.next() % 86_400_000_000))
        case .timestamp: return .timestamp(Int64(random.next() % 10) * 1_000_000 - 5_000_000)
        case .list(let element):
            return .list(
                (0..<Int(random.next() % 4)).map { _ in random.chance(15) ? .null : scalar(element.type, &random) })
        case .struct(let fields):
            return .struct(fields.map { random.chance(15) ? .null : scalar($0.type, &random) })
        default: fatalError("no random value of \(type)")
        }
    }

    static func text(_ random: inout SeededRandom) -> String {
        let words = [
            "", "a", "b", "ab", "abc", "Zürich", "prefix-1", "prefix-2", "prefix-12345678", "日本", "z\u{1F600}",
        ]
        let word = words[Int(random.next() % UInt64(words.count))]
        return random.chance(10) ? String(repeating: word, count: 9) : word
    }
}

/// The reference order and equality of values: null is greatest, NaN greatest of numbers.
enum Reference {
    static func equal(_ left: Scalar, _ right: Scalar) -> Bool { compare(left, right) == 0 }

    static func equal(_ left: [Scalar], _ right: [Scalar]) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { equal($0, $1) }
    }

    static func compare(_ left: Scalar, _ right: Scalar) -> Int {
        switch (left, right) {
        case (.null, .null): return 0
        case (.null, _): return 1
        case (_, .null): return -1
        case (.bool(let one), .bool(let other)): return (one ? 1 : 0) - (other ? 1 : 0)
        case (.double(let one), .double(let other)):
            if one.isNaN || other.isNaN { return (one.isNaN ? 1 : 0) - (other.isNaN ? 1 : 0) }
            return order(one, other)
        case (.utf8(let one), .utf8(let other)): return lexical(Array(one.utf8), Array(other.utf8)) { order($0, $1) }
        case (.binary(let one), .binary(let other)): return lexical(one, other) { order($0, $1) }
        case (.date(let one), .date(let other)): return order(one, other)
        case (.time(let one), .time(let other)): return order(one, other)
        case (.timestamp(let one), .timestamp(let other)): return order(one, other)
        case (.list(let one), .list(let other)): return lexical(one, other, compare)
        case (.struct(let one), .struct(let other)): return lexical(one, other, compare)
        case (.double(let one), _):
            return one.isNaN ? 1 : Exact(one).map { order($0, Exact(right)) } ?? (one < 0 ? -1 : 1)
        case (_, .double): return -compare(right, left)
        default: return order(Exact(left), Exact(right))
        }
    }

    private static func order<T: Comparable>(_ one: T, _ other: T) -> Int { one < other ? -1 : one == other ? 0 : 1 }

    private static func lexical<T>(_ one: [T], _ other: [T], _ compare: (T, T) -> Int) -> Int {
        for (first, second) in zip(one, other) {
            let result = compare(first, second)
            if result != 0 { return result }
        }
        return one.count - other.count
    }
}

/// A number as a fraction of decimal digits: sign, and digits around the point as text, which orders as the number does.
struct Exact: Comparable {
    private let negative: Bool
    private let whole: String
    private let fraction: String

    init(_ scalar: Scalar) {
        switch scalar {
        case .integer(let value): self.init(coefficient: value, scale: 0)
        case .decimal(let value): self.init(coefficient: value.coefficient, scale: value.scale)
        default: fatalError("\(scalar) is no number")
        }
    }

    /// The exact decimal expansion of a finite double of moderate size.
    init?(_ value: Double) {
        guard value.isFinite else { return nil }
        var rest = value.magnitude
        let integer = rest.rounded(.down)
        rest -= integer
        var digits = ""
        while rest != 0 {
            rest *= 10
            // Multiplying by ten is exact while the fraction has few bits, as those of the tests have.
            let digit = rest.rounded(.down)
            digits += String(Int(digit))
            rest -= digit
        }
        self.init(negative: value < 0, whole: String(UInt128(integer)), fraction: digits)
    }

    private init(coefficient: Int128, scale: Int) {
        var digits = String(coefficient.magnitude)
        while digits.count <= scale { digits = "0" + digits }
        self.init(
            negative: coefficient < 0, whole: String(digits.dropLast(scale)), fraction: String(digits.suffix(scale)))
    }

    private init(negative: Bool, whole: String, fraction: String) {
        let whole = String(whole.drop { $0 == "0" })
        var fraction = fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        self.whole = whole
        self.fraction = fraction
        self.negative = negative && !(whole.isEmpty && fraction.isEmpty)
    }

    static func < (left: Exact, right: Exact) -> Bool {
        if left.negative != right.negative { return left.negative }
        let less = magnitudeLess(left, right)
        return left.negative ? left != right && !less : less
    }

    private static func magnitudeLess(_ left: Exact, _ right: Exact) -> Bool {
        if left.whole.count != right.whole.count { return left.whole.count < right.whole.count }
        return left.whole != right.whole ? left.whole < right.whole : left.fraction < right.fraction
    }
}
