import HeadraceColumnar
import Testing

@testable import HeadraceCommand

struct TableTextTests {
    @Test func `columns are aligned, numbers to the right, and lines end without spaces`() throws {
        let records = try #require(
            RecordBatch(
                schema: Schema([Field("name", .utf8), Field("n", .int64), Field("note", .utf8)]),
                rows: [[.utf8("a"), .integer(5), .null], [.utf8("long"), .integer(-12), .utf8("x")]]))
        #expect(
            TableText.render(records) == """
                name    n  note
                ----  ---  ----
                a       5  null
                long  -12  x

                """)
    }

    @Test func `wide and many-lined cells are cut to one short line`() {
        let text = TableText.render(
            header: ["c"], rows: [["first\nsecond\u{1b}[2J"], [String(repeating: "é", count: 99)]])
        #expect(text.split(separator: "\n").count == 4)
        #expect(!text.contains("\u{1b}"))
        #expect(text.hasSuffix(String(repeating: "é", count: TableText.widest - 1) + "…\n"))
    }
}
