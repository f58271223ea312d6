import HeadraceColumnar
import HeadraceCore

/// Reads records whose members stand just as in a record before: the same names in the same order, no white space, and
/// no value with others inside. They are found by the places of quotes, without a token.
///
/// A record is looked at as a whole before its first value is taken, and left to the tokenizer wherever it is different.
/// Used by one thread at a time.
///
/// - Invariant: the text outlives this object and has 64 readable bytes behind its end, as pooled buffers have.
final class PredictedRows {
    /// What the value of a member is written as.
    enum Kind: UInt8 {
        case string, number, truth, null
    }

    /// A member of the pattern.
    private struct Member {
        /// The column that takes the value, -1 for none.
        var column: Int
        /// Where `"name":` begins among the words, how many words it has, and what of the last word counts.
        var words: Int
        var wordCount: Int
        var lastMask: UInt64
        /// Bytes of `"name":`.
        var length: Int
        /// Bit `kind` is set where the column takes such a value.
        var kinds: UInt8
    }

    /// Where a value lies in the text.
    private struct Value {
        var start: UInt32
        var count: UInt32
        var kind: Kind
    }

    private let base: UnsafeRawPointer
    private let index: JSONQuoteIndex
    private let decoders: UnsafeMutablePointer<Unmanaged<ColumnDecoder>>
    private let columns: [ColumnDecoder]
    private var members: UnsafeMutablePointer<Member>
    private var values: UnsafeMutablePointer<Value>
    private var words: UnsafeMutablePointer<UInt64>
    private var memberCount = 0
    /// Columns for which the pattern has no member.
    private var missing: [Int] = []
    private var unknown = 0
    /// How often a pattern may still be learned: records that all differ are not worth it.
    private var lessons = 8
    // The next of each that has not been passed.
    private var nextQuote = 0
    private var nextOdd = 0
    private var nextWide = 0

    init(_ text: UnsafeRawBufferPointer, columns: [ColumnDecoder], isByLine: Bool) {
        let empty: StaticString = ""
        base = text.baseAddress ?? UnsafeRawPointer(empty.utf8Start)
        index = JSONQuoteIndex(text, lineFeedsAreOdd: !isByLine)
        self.columns = columns
        decoders = .allocate(capacity: max(columns.count, 1))
        for (index, column) in columns.enumerated() {
            (decoders + index).initialize(to: Unmanaged.passUnretained(column))
        }
        members = .allocate(capacity: 1)
        values = .allocate(capacity: 1)
        words = .allocate(capacity: 1)
    }

    deinit {
        decoders.deallocate()
        members.deallocate()
        values.deallocate()
        words.deallocate()
    }

    // MARK: - Learning

    /// Takes the order of members from a record that was read by tokens, if there may be others like it.
    func learn(_ record: UnsafeRawBufferPointer, _ object: ObjectDecoder, _ options: JSONReadingOptions) {
        guard lessons > 0 else { return }
        lessons -= 1
        guard let found = try? Self.members(of: record, object, options) else {
            memberCount = 0
            return
        }
        members.deallocate()
        values.deallocate()
        words.deallocate()
        members = .allocate(capacity: max(found.count, 1))
        values = .allocate(capacity: max(found.count, 1))
        words = .allocate(capacity: found.reduce(1) { $0 + ($1.name.count + 10) / 8 })
        var used = 0
        for (number, member) in found.enumerated() {
            let written = [0x22] + member.name + [0x22, 0x3A]
            let wordCount = (written.count + 7) / 8
            for word in 0..<wordCount {
                var value: UInt64 = 0
                for (place, byte) in written[(word * 8)...].prefix(8).enumerated() {
                    value |= UInt64(byte) << UInt64(place * 8)
                }
                (words + used + word).initialize(to: value)
            }
            (members + number).initialize(
                to: Member(
                    column: member.column, words: used, wordCount: wordCount,
                    lastMask: .max >> UInt64(wordCount * 64 - written.count * 8), length: written.count,
                    kinds: member.column < 0 ? 0b1111 : columns[member.column].plainKinds))
            used += wordCount
        }
        memberCount = found.count
        let taken = Set(found.map(\.column))
        missing = columns.indices.filter { !taken.contains($0) }
        unknown = found.count { $0.column < 0 }
    }

    /// The names of a record's members and their columns; nil when one cannot be told by its bytes alone.
    private static func members(
        of record: UnsafeRawBufferPointer, _ object: ObjectDecoder, _ options: JSONReadingOptions
    ) throws(JSONError) -> [(name: [UInt8], column: Int)]? {
        var tokenizer = JSONTokenizer(record, options: options)
        guard case .objectStart = try tokenizer.next() else { return nil }
        var found: [(name: [UInt8], column: Int)] = []
        var names: Set<[UInt8]> = []
        while case .key = try tokenizer.next() {
            let name = Array(tokenizer.tokenBytes)
            guard !tokenizer.hasEscapes, names.insert(name).inserted, let column = object.column(of: name) else {
                return nil
            }
            found.append((name, column))
            switch try tokenizer.next() {
            case .objectStart, .arrayStart: return nil
            default: break
            }
        }
        return found.isEmpty ? nil : found
    }

    // MARK: - Reading

    /// Appends the values of the record that lies in `start..<end` of the text, which must come after those before.
    ///
    /// - Returns: false when the record is not of the pattern; nothing was appended then.
    func read(from start: Int, to end: Int, _ context: inout DecodingContext) -> Bool {
        guard memberCount > 0, match(start, end) else { return false }
        context.failure = nil
        for number in 0..<memberCount {
            let column = members[number].column
            if column < 0 { continue }
            let value = values[number]
            let text = UnsafeRawBufferPointer(start: base + Int(value.start), count: Int(value.count))
            // `columns` keeps the decoder alive.
            decoders[column]._withUnsafeGuaranteedRef { decoder in
                if value.kind == .null {
                    decoder.appendMissing(&context)
                } else {
                    decoder.append(plain: text, value.kind, &context)
                }
            }
        }
        context.ignoredMembers &+= unknown
        if !missing.isEmpty { for column in missing { columns[column].appendMissing(&context) } }
        return true
    }

    /// Whether a record has the members of the pattern, and values that their columns may take; notes where these lie.
    private func match(_ start: Int, _ end: Int) -> Bool {
        let quotes = index.quotes
        var quote = nextQuote
        while Int(quotes[quote]) < start { quote &+= 1 }
        nextQuote = quote
        if !isPlain(start, end) { return false }
        let base = base
        let members = members
        let last = memberCount &- 1
        guard byte(start) == 0x7B else { return false }
        var place = start &+ 1
        var number = 0
        while true {
            let member = members + number
            guard Int(quotes[quote]) == place else { return false }
            var word = 0
            while word < member.pointee.wordCount &- 1 {
                guard load(base, place &+ word &* 8) == words[member.pointee.words &+ word] else { return false }
                word &+= 1
            }
            let rest = load(base, place &+ word &* 8) ^ words[member.pointee.words &+ word]
            guard rest & member.pointee.lastMask == 0 else { return false }
            let value = place &+ member.pointee.length
            quote &+= 2
            let kind: Kind
            let first: Int
            if byte(value) == 0x22 {
                kind = .string
                first = value &+ 1
                place = Int(quotes[quote &+ 1])
                // The sentinel and the quotes of later records lie beyond.
                guard place < end else { return false }
                values[number] = Value(
                    start: UInt32(truncatingIfNeeded: first), count: UInt32(truncatingIfNeeded: place &- first),
                    kind: .string)
                place &+= 1
                quote &+= 2
            } else {
                first = value
                place = number == last ? end &- 1 : Int(quotes[quote]) &- 1
                guard place > first, place < end, let found = Self.bare(base + first, place &- first) else {
                    return false
                }
                kind = found
                values[number] = Value(
                    start: UInt32(truncatingIfNeeded: first), count: UInt32(truncatingIfNeeded: place &- first),
                    kind: found)
            }
            guard member.pointee.kinds &>> kind.rawValue & 1 != 0 else { return false }
            if number == last { break }
            guard byte(place) == 0x2C else { return false }
            place &+= 1
            number &+= 1
        }
        guard place == end &- 1, byte(place) == 0x7D else { return false }
        nextQuote = quote
        return true
    }

    /// Whether a record holds no backslash, no control character and nothing but well-formed UTF-8.
    @inline(__always)
    private func isPlain(_ start: Int, _ end: Int) -> Bool {
        let odd = index.odd
        var place = nextOdd
        while Int(odd[place]) < start { place &+= 1 }
        nextOdd = place
        if Int(odd[place]) < end { return false }
        let wide = index.wide
        place = nextWide
        while Int(wide[place]) &+ 64 <= start { place &+= 1 }
        nextWide = place
        return Int(wide[place]) >= end
            || JSONText.isWellFormed(UnsafeRawBufferPointer(start: base + start, count: end &- start))
    }

    @inline(__always)
    private func byte(_ place: Int) -> UInt8 { base.load(fromByteOffset: place, as: UInt8.self) }

    @inline(__always)
    private func load(_ base: UnsafeRawPointer, _ place: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    }

    /// What a value outside quotes is: a number without an exponent, a truth value or null; nil if it is something else.
    @inline(__always)
    private static func bare(_ base: UnsafeRawPointer, _ count: Int) -> Kind? {
        func byte(_ place: Int) -> UInt8 { base.load(fromByteOffset: place, as: UInt8.self) }
        var place = byte(0) == 0x2D ? 1 : 0
        let first = byte(place) &- 0x30
        guard place < count, first < 10 else { return word(base, count) }
        place &+= 1
        if first > 0 { while place < count, byte(place) &- 0x30 < 10 { place &+= 1 } }
        if place == count { return .number }
        guard byte(place) == 0x2E, place &+ 1 < count else { return nil }
        place &+= 1
        while place < count, byte(place) &- 0x30 < 10 { place &+= 1 }
        return place == count ? .number : nil
    }

    @inline(never)
    private static func word(_ base: UnsafeRawPointer, _ count: Int) -> Kind? {
        let text = UnsafeRawBufferPointer(start: base, count: count)
        if text.elementsEqual("null".utf8) { return .null }
        return text.elementsEqual("true".utf8) || text.elementsEqual("false".utf8) ? .truth : nil
    }
}
