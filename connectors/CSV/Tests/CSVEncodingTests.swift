import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceCSV

@Suite struct CSVEncodingTests {
    /// Fields of few kinds: plain, quoted, with quotes and line ends inside, empty, null words, and broken UTF-8.
    private func randomText(_ random: inout Seeded, isWellFormed: Bool) -> [UInt8] {
        let odd: [[UInt8]] = [
            [], Array("\"\"".utf8), Array("\"a \"\"b\"\", c\"".utf8), Array("\"two\nlines\"".utf8), Array("NULL".utf8),
            Array("\"NULL\"".utf8), Array("Größe".utf8), Array(" ".utf8), Array("\"x\"y".utf8), [0xC3], [0x41, 0xFF],
            Array(repeating: 0x78, count: 90),
        ]
        var text: [UInt8] = Array("a,b,c\n".utf8)
        for _ in 0..<Int.random(in: 0...200, using: &random) {
            for column in 0..<3 {
                if column > 0 { text.append(0x2C) }
                if Int.random(in: 0..<6, using: &random) == 0 {
                    text += (isWellFormed ? odd.prefix(8) : odd[...]).randomElement(using: &random) ?? []
                } else {
                    text += Array("value \(Int.random(in: 0..<[5, 40, 100_000][column], using: &random))".utf8)
                }
            }
            if !isWellFormed, Int.random(in: 0..<40, using: &random) == 0 { text += Array(",more".utf8) }
            text.append(0x0A)
        }
        return text
    }

    private func read(
        _ text: [UInt8], _ options: CSVOptions, _ schema: Schema, chunk: Int, encodes: Bool
    ) async throws -> (batches: [Batch], rows: [[Scalar]], rejects: [String]) {
        let context = RunContext.testing()
        let batches = try await csv([("a.csv", text)], options, schema: schema, chunk: chunk)
            .readAll(schema, in: encodes ? context.encodingTexts : context).batches
        let rows = batches.flatMap { batch in (0..<batch.count).map { batch.records.row(at: $0) } }
        return (batches, rows, batches.flatMap(\.rejects).map { "\($0)" })
    }

    @Test(arguments: 0..<60, [false, true])
    func `encoded columns hold the same rows, and the same rows are refused`(
        seed: UInt64, isWellFormed: Bool
    ) async throws {
        var random = Seeded(seed)
        let text = randomText(&random, isWellFormed: isWellFormed)
        let schema = Schema([
            Field("a", .utf8, nullable: seed % 3 != 0), Field("b", .utf8), Field("c", .utf8),
        ])
        var options = CSVOptions(delimiter: 0x2C, header: .present)
        if seed % 2 == 0 { options.nulls = ["NULL"] }
        for chunk in [200, 1 << 18] {
            let plain = try await read(text, options, schema, chunk: chunk, encodes: false)
            let encoded = try await read(text, options, schema, chunk: chunk, encodes: true)
            #expect(encoded.rows == plain.rows)
            #expect(encoded.rejects == plain.rejects)
            #expect(plain.batches.allSatisfy { $0.records.columns.allSatisfy { $0.dictionary == nil } })
        }
    }

    @Test func `columns that repeat are encoded over one dictionary, others no longer than needed to see it`()
        async throws
    {
        var text = "few,many\n"
        for row in 0..<30_000 { text += "kind \(row % 7),number \(row)\n" }
        let schema = texts("few", "many")
        let files = [("a.csv", Array(text.utf8)), ("b.csv", Array(text.utf8))]
        let options = CSVOptions(delimiter: 0x2C, header: .present)
        let batches = try await csv(files, options, schema: schema, chunk: 32 << 10)
            .readAll(schema, in: RunContext.testing().encodingTexts).batches
        #expect(batches.count > 8)
        let dictionaries = batches.map { $0.records.columns[0].dictionary }
        #expect(dictionaries.allSatisfy { $0?.count == 7 && $0 === dictionaries[0] })
        #expect(batches.suffix(4).allSatisfy { $0.records.columns[1].dictionary == nil })
    }

    private func lines(_ count: Int) -> [String] { (0..<count).map { "number \($0 / 2) of a text" } }

    @Test func `a dictionary that takes too much of the memory leaves the column plain, with nothing lost`()
        async throws
    {
        var context = RunContext.testing()
        context.memory = MemoryBudget(limit: 4 << 20)
        let text = (["text"] + lines(20_000)).joined(separator: "\n")
        let batches = try await csv(text, schema: texts("text"), chunk: 16 << 10)
            .readAll(texts("text"), in: context.encodingTexts).batches
        #expect(batches.first?.records.columns[0].dictionary != nil)
        #expect(batches.last?.records.columns[0].dictionary == nil)
        let found = batches.flatMap { batch in (0..<batch.count).map { batch.records.row(at: $0)[0].description } }
        #expect(found == lines(20_000))
    }

    @Test func `a dictionary without room for a text leaves the batch plain, with nothing lost`() async throws {
        let context = RunContext.testing().encodingTexts
        let dictionary = try #require(context.dictionaries?.encoding(of: "text").current)
        let long = [UInt8](repeating: 0x78, count: GrowingDictionary.mostBytes - 100)
        let number = long.withUnsafeBytes { $0.baseAddress.map { dictionary.intern($0, count: long.count) } }
        #expect(number == 0)
        let text = (["text"] + lines(100)).joined(separator: "\n")
        let batches = try await csv(text, schema: texts("text")).readAll(texts("text"), in: context).batches
        #expect(batches.allSatisfy { $0.records.columns[0].dictionary == nil })
        let found = batches.flatMap { batch in (0..<batch.count).map { batch.records.row(at: $0)[0].description } }
        #expect(found == lines(100))
    }
}
