import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import HeadraceText
import Testing

@Suite struct TextTests {
    private func run(_ transform: some Transform, _ texts: [String?]) async throws -> [[Scalar]] {
        let schema = Schema([Field("name", .utf8)])
        let rows = texts.map { text -> [Scalar] in [text.map { .utf8($0) } ?? .null] }
        let sink = MemorySink("out")
        let source = MemorySource("in", try #require(RecordBatch(schema: schema, rows: rows)))
        _ = try await JobRunner(ledger: MemoryLedger())
            .run(Job("text", try Pipeline("p", from: source).through(transform).loading(into: sink, mode: .append)))
        return sink.rows
    }

    @Test("White space collapses and is trimmed, case changes beyond ASCII, null stays null")
    func normalizes() async throws {
        let rows = try await run(
            TextNormalization("name", into: "normal", [.collapseWhitespace, .uppercase]),
            ["  iPhone \t 15\n Pro ", "straße", "é", "", nil])
        #expect(rows.map { $0[1] } == [.utf8("IPHONE 15 PRO"), .utf8("STRASSE"), .utf8("É"), .utf8(""), .null])
    }

    @Test("Replacing and emptying work in the order given, in place by default")
    func replaces() async throws {
        let rows = try await run(
            TextNormalization("name", [.replace("-", with: ""), .trim, .emptyIsNull]), ["a-b", " - ", nil])
        #expect(rows.map { $0[0] } == [.utf8("ab"), .null, .null])
    }

    @Test("The first rule that a text meets gives its category")
    func categorizes() async throws {
        let rows = try await run(
            Categorization(
                "name", [.keyword("IPHONE", "Phones"), .pattern("^MAC ?BOOK", "Laptops"), .keyword("BOOK", "Books")],
                otherwise: "Other"), ["IPHONE BOOK", "MAC BOOK", "MACBOOK", "NOTEBOOK", "LAMP", nil])
        #expect(rows.map { $0[1].description } == ["Phones", "Laptops", "Laptops", "Books", "Other", "Other"])
    }

    @Test("A pattern that does not compile is refused with the reason before any row moves")
    func badPattern() async throws {
        let error = await #expect(throws: HeadraceError.self) {
            try await run(Categorization("name", [.pattern("([a", "x")], otherwise: "Other"), ["a"])
        }
        #expect(error?.code == .badOption)
    }
}
