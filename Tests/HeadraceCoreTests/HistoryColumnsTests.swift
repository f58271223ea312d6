import HeadraceColumnar
import HeadraceCore
import Testing

@Suite struct HistoryColumnsTests {
    private let rows = Schema([Field("id", .int64), Field("name", .utf8), Field("changed", .date32)])

    @Test("The column that dates a row goes by the name of a version's begin and takes no null")
    func renames() throws {
        let renamed = try HistoryColumns(effective: "changed").renaming(rows, keys: ["id"])
        #expect(renamed.fields.map(\.description) == ["id: int64", "name: utf8", "valid_from: date32 not null"])
        #expect(try HistoryColumns().renaming(rows, keys: ["id"]) == rows)
        #expect(
            try HistoryColumns(from: "changed", effective: "changed").renaming(rows, keys: ["id"]).names == rows.names)
    }

    @Test(
        "Rows that cannot be dated, or bring what the history keeps, are refused",
        arguments: [
            HistoryColumns(effective: "when"), HistoryColumns(effective: "name"), HistoryColumns(effective: "id"),
            HistoryColumns(from: "changed"), HistoryColumns(until: "name"), HistoryColumns(until: "valid_from"),
            HistoryColumns(until: "changed", effective: "changed"),
        ])
    func refuses(columns: HistoryColumns) {
        #expect(throws: HeadraceError.self) { try columns.renaming(rows, keys: ["id"]) }
    }
}
