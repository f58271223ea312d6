/// The words that stand for true and false in a text column, beyond `true` and `false` themselves.
///
/// Words are compared byte by byte; ignoring case concerns the ASCII letters only.
public struct BooleanWords: Sendable, Hashable {
    /// `true` and `false` in lower case, nothing else.
    public static let standard = BooleanWords(true: ["true"], false: ["false"])

    private let words: [Word]
    private let ignoresCase: Bool

    private struct Word: Sendable, Hashable {
        var bytes: [UInt8]
        var value: Bool
    }

    /// Names the words of each value; `true` and `false` are included only if named.
    /// - Parameter ignoringCase: whether `YES` matches `yes`.
    public init(true trueWords: [String], false falseWords: [String], ignoringCase: Bool = false) {
        func word(_ text: String, _ value: Bool) -> Word {
            Word(bytes: text.utf8.map { ignoringCase ? Self.lowered($0) : $0 }, value: value)
        }
        words = trueWords.map { word($0, true) } + falseWords.map { word($0, false) }
        ignoresCase = ignoringCase
    }

    /// Looks the text up among the words: `.empty` or `.malformed` if it is none of them.
    ///
    /// An empty word, if named, matches the empty text. A word named for both values counts as true.
    public func parse(_ base: UnsafeRawPointer, count: Int) -> Parsed<Bool> {
        for word in words where word.bytes.count == count {
            let matches = word.bytes.withUnsafeBufferPointer { bytes in
                var index = 0
                while index < count {
                    let byte = base.load(fromByteOffset: index, as: UInt8.self)
                    guard (ignoresCase ? Self.lowered(byte) : byte) == bytes[index] else { return false }
                    index &+= 1
                }
                return true
            }
            if matches { return Parsed(word.value) }
        }
        return Parsed(false, count == 0 ? .empty : .malformed)
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }
}

/// Booleans as the words `true` and `false`, both ways, on raw bytes.
public enum BooleanText {
    /// The bytes that `format(_:into:)` may touch.
    public static let capacity = 8

    /// Accepts exactly `true` and `false` in lower case; for other words use `BooleanWords`.
    /// - Returns: the value, or `.empty` or `.malformed`.
    @inlinable
    public static func parse(_ base: UnsafeRawPointer, count: Int) -> Parsed<Bool> {
        guard count == 4 || count == 5 else { return Parsed(false, count == 0 ? .empty : .malformed) }
        let word = EightBytes.load(base, count: count)
        if count == 4, word == 0x65_7572_74 { return Parsed(true) }
        if word == 0x65_736C_6166 { return Parsed(false) }
        return Parsed(false, .malformed)
    }

    /// Writes `true` or `false`.
    /// - Parameter destination: room for `capacity` bytes, all of which may be overwritten.
    /// - Returns: the number of bytes that are text, 4 or 5.
    @inlinable
    public static func format(_ value: Bool, into destination: UnsafeMutableRawPointer) -> Int {
        EightBytes.store(value ? 0x65_7572_74 : 0x65_736C_6166, to: destination)
        return value ? 4 : 5
    }
}
