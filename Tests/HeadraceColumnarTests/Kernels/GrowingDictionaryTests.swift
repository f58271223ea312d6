import Synchronization
import Testing

@testable import HeadraceColumnar

@Suite struct GrowingDictionaryTests {
    static func intern(_ text: String, _ dictionary: GrowingDictionary) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            let empty: StaticString = ""
            let base = bytes.baseAddress.map { UnsafeRawPointer($0) } ?? UnsafeRawPointer(empty.utf8Start)
            return dictionary.intern(base, count: bytes.count)
        }
    }

    /// A column of `texts`, nil for null, over a snapshot taken just now.
    static func column(_ texts: [String?], _ dictionary: GrowingDictionary) -> ColumnVector {
        let out = MutableBuffer(capacity: max(texts.count, 1) * 4)
        let keys = out.values(as: Int32.self)
        for (row, text) in texts.enumerated() { keys[row] = text.map { intern($0, dictionary) } ?? 0 }
        let bits = Bitmap.build(texts.count) { texts[$0] != nil }
        return ColumnVector(
            type: .utf8, count: texts.count, validity: bits, values: out.finish(byteCount: texts.count * 4),
            dictionary: dictionary.snapshot())
    }

    static func plain(_ texts: [String?]) throws -> ColumnVector {
        try #require(ColumnVector.of(.utf8, texts.map { $0.map { .utf8($0) } ?? .null }))
    }

    static func texts(_ count: Int, kinds: Int, _ random: inout SeededRandom) -> [String?] {
        (0..<count).map { _ in
            random.chance(10)
                ? nil
                : [" ", "", "  Größe ", "x"][Int(random.next() % 4)] + "text  \(random.next() % UInt64(kinds)) "
        }
    }

    @Test("texts are numbered in the order in which they are first met, and snapshots stay as they are")
    func numbers() {
        let dictionary = GrowingDictionary(.utf8)
        #expect(["a", "", "b", "a", ""].map { Self.intern($0, dictionary) } == [0, 1, 2, 0, 1])
        let early = dictionary.snapshot()
        #expect(dictionary.snapshot() === early)
        #expect(Self.intern("c", dictionary) == 3)
        #expect(early.scalars == [.utf8("a"), .utf8(""), .utf8("b")])
        let late = dictionary.snapshot()
        #expect(late.scalars == [.utf8("a"), .utf8(""), .utf8("b"), .utf8("c")])
        #expect(ColumnVector.common([early, late, early]) === late)
        #expect(ColumnVector.common([early, GrowingDictionary(.utf8).snapshot()]) == nil)
    }

    @Test("there is a bound to texts and to bytes, and what is known stays known beyond it")
    func bound() {
        let dictionary = GrowingDictionary(.utf8)
        let long = String(repeating: "x", count: GrowingDictionary.mostBytes)
        #expect(Self.intern("a", dictionary) == 0)
        #expect(Self.intern(long, dictionary) == -1)
        for number in 1..<GrowingDictionary.mostEntries { _ = Self.intern("\(number)", dictionary) }
        #expect(dictionary.count == GrowingDictionary.mostEntries)
        #expect(Self.intern("one more", dictionary) == -1)
        #expect(Self.intern("77", dictionary) == 77)
        #expect(dictionary.snapshot().scalar(at: 77) == .utf8("77"))
    }

    @Test("a dictionary goes when the last column over it goes")
    func lifetime() {
        weak var kept: GrowingDictionary?
        var column: ColumnVector?
        do {
            let dictionary = GrowingDictionary(.utf8)
            kept = dictionary
            column = Self.column(["a", "b"], dictionary)
        }
        #expect(kept != nil)
        #expect(column?.scalars == [.utf8("a"), .utf8("b")])
        column = nil
        #expect(kept == nil)
    }

    @Test("many threads give one text one number")
    func threads() async {
        let dictionary = GrowingDictionary(.utf8)
        let numbers = await withTaskGroup(of: [String: Int32].self) { group in
            for seed in 0..<8 {
                group.addTask {
                    var random = SeededRandom(UInt64(seed))
                    var numbers: [String: Int32] = [:]
                    for _ in 0..<20_000 {
                        let text = "text \(random.next() % 5000)"
                        let number = Self.intern(text, dictionary)
                        #expect(numbers.updateValue(number, forKey: text) ?? number == number)
                    }
                    return numbers
                }
            }
            var all: [[String: Int32]] = []
            for await one in group { all.append(one) }
            return all
        }
        let snapshot = dictionary.snapshot()
        #expect(snapshot.count == 5000)
        for numbers in numbers {
            for (text, number) in numbers { #expect(snapshot.scalar(at: Int(number)) == .utf8(text)) }
        }
    }

    @Test("kernels give over a growing dictionary what they give over plain texts", arguments: 0..<10)
    func kernels(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let dictionary = GrowingDictionary(.utf8)
        let parts = (0..<4).map { _ in Self.texts(Int.random(in: 1...150, using: &random), kinds: 60, &random) }
        let encoded = parts.map { Self.column($0, dictionary) }
        let plain = try parts.map(Self.plain)
        for (one, other) in zip(encoded, plain) {
            #expect(one.scalars == other.scalars)
            #expect(Kernels.hash([one]) == Kernels.hash([other]))
            #expect(Kernels.hash([one], seed: 7) == Kernels.hash([other], seed: 7))
            for _ in 0..<2 {
                #expect(try Kernels.upper(one).scalars == Kernels.upper(other).scalars)
                #expect(try Kernels.lower(one).scalars == Kernels.lower(other).scalars)
                #expect(try Kernels.trim(one).scalars == Kernels.trim(other).scalars)
                #expect(try Kernels.trim(one, .leading).scalars == Kernels.trim(other, .leading).scalars)
                let collapsed = try Kernels.upper(Kernels.collapseWhitespace(one))
                #expect(collapsed.dictionary != nil)
                #expect(try collapsed.scalars == Kernels.upper(Kernels.collapseWhitespace(other)).scalars)
            }
        }
        let whole = Kernels.concat(encoded)
        #expect(whole.dictionary === encoded.last?.dictionary)
        #expect(whole.scalars == plain.flatMap(\.scalars))
        #expect(Kernels.concat([encoded[0], plain[1]]).scalars == plain[0].scalars + plain[1].scalars)
        let equality = RowEquality([encoded[0]], [encoded[3]])
        let reference = RowEquality([plain[0]], [plain[3]])
        for one in 0..<encoded[0].count {
            for other in 0..<encoded[3].count { #expect(equality(one, other) == reference(one, other)) }
        }
    }

    @Test("rows are appended and packed with their dictionary", arguments: 0..<10)
    func rows(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let dictionary = GrowingDictionary(.utf8)
        let schema = Schema([Field("text", .utf8), Field("number", .int64)])
        let arena = PackedArena()
        var wanted: [Scalar] = []
        var packed: [PackedRows] = []
        for _ in 0..<3 {
            let appender = try #require(RowAppender(schema))
            for _ in 0..<4 {
                let texts = Self.texts(Int.random(in: 1...90, using: &random), kinds: 40, &random)
                let numbers = try #require(ColumnVector.of(.int64, texts.indices.map { .integer(Int128($0)) }))
                let columns = [Self.column(texts, dictionary), numbers]
                let picked = (0..<texts.count * 2).map { _ in Int32(random.next() % UInt64(texts.count)) }
                picked.withUnsafeBufferPointer { appender.append(columns.map(RowAppender.SourceColumn.init), $0) }
                wanted += picked.map { texts[Int($0)].map { .utf8($0) } ?? .null }
                withExtendedLifetime(columns) {}
            }
            let rows = appender.finish()
            #expect(rows.columns[0].dictionary != nil)
            packed.append(try #require(PackedRows(rows, in: arena)))
        }
        let unpacked = PackedRows.unpack(packed)
        #expect(unpacked.columns[0].dictionary?.count == dictionary.count)
        #expect(unpacked.columns[0].scalars == wanted)
    }
}
