import HeadraceColumnar
import Testing

@Suite struct DictionaryTests {
    @Test func `an interner gives equal texts equal ids in the order of their first appearance`() {
        var random = SeededRandom(81)
        var interner = Interner(.utf8, capacity: 1)
        var known: [String: Int32] = [:]
        var texts: [String] = []
        for _ in 0..<20_000 {
            let text = "\(random.next() % 6000)-" + String(repeating: "x", count: Int(random.next() % 3) * 20)
            let id = Array(text.utf8).withUnsafeBytes { interner.intern($0) }
            if known[text] == nil {
                known[text] = Int32(texts.count)
                texts.append(text)
            }
            #expect(id == known[text])
        }
        #expect(interner.count == texts.count)
        #expect(interner.byteCount == texts.reduce(0) { $0 + $1.utf8.count })
        #expect(interner.byteSize >= interner.byteCount)
        for (id, text) in texts.enumerated() where id % 97 == 0 {
            #expect(Array(text.utf8).withUnsafeBytes { interner.id(of: $0) } == Int32(id))
        }
        #expect(Array("never seen".utf8).withUnsafeBytes { interner.id(of: $0) } == nil)
        #expect(interner.finish().scalars == texts.map { .utf8($0) })
    }

    @Test func `an interner's dictionary is one object until another text comes`() {
        var interner = Interner()
        func intern(_ text: String, _ interner: inout Interner) -> Int32 {
            Array(text.utf8).withUnsafeBytes { interner.intern($0) }
        }
        #expect(intern("", &interner) == 0)
        #expect(intern("a", &interner) == 1)
        let first = interner.dictionary()
        #expect(intern("a", &interner) == 1)
        #expect(interner.dictionary() === first)
        #expect(intern("b", &interner) == 2)
        #expect(first.scalars == [.utf8(""), .utf8("a")])
        #expect(interner.dictionary().scalars == [.utf8(""), .utf8("a"), .utf8("b")])
    }

    @Test(arguments: RandomColumns.byteTypes, [Shape.plain, .sliced, .foreign])
    func `encoding and decoding keep the values`(_ type: DataType, _ shape: Shape) throws {
        var random = SeededRandom(82)
        for count in [0, 1, 300] {
            let column = RandomColumns.column(type, count: count, shape: shape, &random)
            let encoded = try #require(Kernels.dictionaryEncoded(column, limit: .max))
            #expect(encoded.scalars == column.scalars)
            #expect(encoded.nullCount == column.nullCount)
            let entries = try #require(encoded.dictionary)
            #expect(Set(entries.scalars).count == entries.count)
            #expect(entries.count == Set(column.scalars.filter { !$0.isNull }).count)
            let decoded = Kernels.decoded(encoded.slice(from: count / 3, count: count / 2))
            #expect(decoded.dictionary == nil)
            #expect(decoded.scalars == Array(column.scalars[count / 3..<count / 3 + count / 2]))
            #expect(Kernels.dictionaryEncoded(encoded) === encoded)
            #expect(Kernels.decoded(column) === column)
        }
    }

    @Test func `encoding gives up where a dictionary saves nothing`() throws {
        let many = try #require(ColumnVector.of(.utf8, (0..<100).map { .utf8("\($0 % 26)") }))
        let few = try #require(ColumnVector.of(.utf8, (0..<100).map { .utf8("\($0 % 25)") }))
        #expect(Kernels.dictionaryEncoded(many) == nil)
        #expect(Kernels.dictionaryEncoded(few)?.dictionary?.count == 25)
        #expect(Kernels.dictionaryEncoded(few, limit: 24) == nil)
    }
}
