/// Collects what the texts of a column look like and names the narrowest type that holds them all.
///
/// The order of the texts does not matter. Formats without types of their own infer their schema by it.
public struct TypeGuess: Sendable, Hashable {
    /// What one text looks like.
    @usableFromInline struct Kinds: OptionSet, Sendable, Hashable {
        @usableFromInline let rawValue: UInt8

        @inlinable init(rawValue: UInt8) { self.rawValue = rawValue }

        static let bool = Kinds(rawValue: 1)
        static let integer = Kinds(rawValue: 2)
        static let decimal = Kinds(rawValue: 4)
        /// A number with an exponent, or NaN or an infinity.
        static let float = Kinds(rawValue: 8)
        static let date = Kinds(rawValue: 16)
        static let timestamp = Kinds(rawValue: 32)
        static let instant = Kinds(rawValue: 64)
        /// Computed, so that `isText` costs other modules no call.
        @inlinable static var text: Kinds { Kinds(rawValue: 128) }
    }

    @usableFromInline private(set) var kinds: Kinds = []
    private var seen = SeenNumbers()

    /// A column of which nothing was seen yet.
    public init() {}

    /// Whether nothing further can change the type.
    @inlinable @inline(__always) public var isText: Bool { kinds.contains(.text) }

    /// Whether no text was seen, so that any type would do.
    public var isEmpty: Bool { kinds.isEmpty }

    /// Takes note of the text of a cell: `count` bytes, at least one, blanks left out. Null cells are not shown.
    public mutating func see(_ base: UnsafeRawPointer, _ count: Int) {
        let first = base.load(as: UInt8.self)
        if first &- 0x30 <= 9 || first == 0x2D || first == 0x2E {
            seeNumber(base, count)
        } else if isBoolean(base, count) {
            add(.bool)
        } else if isNonFinite(base, count) {
            add(.float)
        } else {
            add(.text)
        }
    }

    /// What the column is as far as seen; text when nothing was seen.
    public var type: DataType {
        switch kinds {
        case .bool: return .bool
        case .integer where !seen.isBeyondInt64: return .int64
        case .integer, .decimal, [.integer, .decimal]:
            let digits = seen.wholeDigits + seen.scale
            return digits > 38 ? .utf8 : .decimal(precision: digits <= 18 ? 18 : 38, scale: seen.scale)
        case .date: return .date32
        case .timestamp, [.date, .timestamp]: return .timestamp(zone: nil)
        case .instant: return .instant
        default:
            let numbers: Kinds = [.integer, .decimal, .float]
            return kinds.contains(.float) && kinds.isSubset(of: numbers) ? .float64 : .utf8
        }
    }

    /// The numbers that were seen; nil where they are not exact, or something else was seen too.
    package var numbers: SeenNumbers? { !kinds.isEmpty && kinds.isSubset(of: [.integer, .decimal]) ? seen : nil }

    /// Adds a kind; kinds that no type holds together make text at once, so that the rest need not be looked at.
    private mutating func add(_ kind: Kinds) {
        kinds.insert(kind)
        let isNumeric = kinds.isSubset(of: [.integer, .decimal, .float])
        let isDated = kinds.isSubset(of: [.date, .timestamp])
        if !isNumeric && !isDated && kinds != .bool && kinds != .instant { kinds.insert(.text) }
    }

    private mutating func seeNumber(_ base: UnsafeRawPointer, _ count: Int) {
        var place = base.load(as: UInt8.self) == 0x2D ? 1 : 0
        let start = place
        while place < count, byte(base, place) &- 0x30 <= 9 { place &+= 1 }
        let whole = place &- start
        // 007 is a code or a number of a street; as a number it could not be written back.
        if whole > 1, byte(base, start) == 0x30 { return add(.text) }
        if place == count {
            guard whole > 0 else { return add(.text) }
            seen.seeWhole(base, count: count, digits: whole)
            return add(.integer)
        }
        if byte(base, place) == 0x2E {
            place &+= 1
            let fraction = place
            while place < count, byte(base, place) &- 0x30 <= 9 { place &+= 1 }
            let digits = place &- fraction
            if place == count {
                guard digits > 0 else { return add(.text) }
                seen.seeFraction(digits: whole, scale: digits)
                return add(.decimal)
            }
        }
        if byte(base, place) | 0x20 == 0x65, DoubleText.parse(base, count: count).isValid { return add(.float) }
        seeDate(base, count)
    }

    private mutating func seeDate(_ base: UnsafeRawPointer, _ count: Int) {
        if count == 10, DateText.parse(base, count: count).isValid { return add(.date) }
        guard count >= 16 else { return add(.text) }
        let parsed = TimestampText.parse(base, count: count)
        add(!parsed.isValid ? .text : parsed.hasZone ? .instant : .timestamp)
    }

    @inline(__always) private func byte(_ base: UnsafeRawPointer, _ place: Int) -> UInt8 {
        base.load(fromByteOffset: place, as: UInt8.self)
    }

    /// `true` and `false`, all lower, all upper or with a capital.
    private func isBoolean(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
        guard count == 4 || count == 5 else { return false }
        return Self.booleans.contains { $0.elementsEqual(UnsafeRawBufferPointer(start: base, count: count)) }
    }

    private static let booleans = ["true", "false", "True", "False", "TRUE", "FALSE"].map { Array($0.utf8) }
    private static let nonFinite = ["NaN", "nan", "Infinity", "inf", "Inf"].map { Array($0.utf8) }

    private func isNonFinite(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
        guard count <= 8 else { return false }
        return Self.nonFinite.contains { $0.elementsEqual(UnsafeRawBufferPointer(start: base, count: count)) }
    }
}
