import HeadraceCSV
import HeadraceColumnar
import HeadraceCore
import HeadraceSQLite
import HeadraceTesting
import Testing

@testable import HeadraceCommand

@Suite struct FittingTests {
    let folder: TemporaryFolder
    private var path: String { folder.path + "/w.db" }

    init() throws { folder = try TemporaryFolder() }

    private func table(_ fields: [Field], policy: SchemaPolicy) async throws -> SQLiteSink {
        let schema = Schema(fields)
        let sink = SQLiteSink(path: path, table: "t", schemaPolicy: policy)
        try await sink.load([try .of(schema, [])], schema: schema, mode: .replace)
        return sink
    }

    private func csv(_ text: String) -> some Source {
        FormatSource(MemoryBytes("rows.csv", Array(text.utf8)), CSVFormat(), codecs: [])
    }

    /// The types of the rows as a load gets them.
    private func types(_ source: any Source, _ sink: SQLiteSink, _ mode: SinkMode = .append) async throws -> [DataType]
    {
        switch try await CopyRequest.fitted(source, to: sink, mode, in: .testing()) {
        case .scan(_, let source): return try await source.schema(in: .testing()).fields.map(\.type)
        case .project(_, let columns, .scan(_, let source)):
            let schema = try await source.schema(in: .testing())
            return columns.compactMap { column in
                if case .cast(_, let type) = column.formula { type } else { schema[column.name]?.type }
            }
        default: return []
        }
    }

    private let narrow = [
        Field("a", .int16), Field("b", .decimal(precision: 10, scale: 2)), Field("c", .int32),
    ]

    @Test(
        "Text widens a column where its numbers need it, and not for the type that it is taken for",
        arguments: [
            ("1,1.10,5", [DataType.int16, .decimal(precision: 10, scale: 2), .int32]),
            ("70000,1.10,5", [.int32, .decimal(precision: 10, scale: 2), .int32]),
            ("1,1.105,3000000000", [.int16, .decimal(precision: 11, scale: 3), .int64]),
        ])
    func text(row: String, expected: [DataType]) async throws {
        let source = csv("a,b,c\n\(row)\n")
        #expect(try await types(source, try await table(narrow, policy: .evolve)) == expected)
        #expect(try await types(source, try await table(narrow, policy: .refuse)) == narrow.map(\.type))
    }

    @Test("A column of SQLite, whose integers have no width, widens another where its numbers need it")
    func sqlite() async throws {
        let sink = try await table([Field("a", .int16), Field("b", .int16)], policy: .evolve)
        let whole = Schema([Field("a", .int64), Field("b", .int64)])
        let rows = SQLiteSink(path: path, table: "rows")
        try await rows.load(
            [try .of(whole, [[.integer(7), .integer(-40_000)], [.null, .integer(3)]])], schema: whole, mode: .replace)
        let table = SQLiteTableSource(path: path, table: "rows")
        #expect(try await types(table, sink) == [.int16, .int32])
        let query = SQLiteQuerySource(path: path, query: "SELECT a, b FROM rows WHERE b > 0")
        #expect(try await types(query, sink) == [.int16, .int16])
    }

    @Test("What dates a history becomes its column's type, a day in text the midnight of an instant")
    func effective() async throws {
        let sink = try await table(
            [
                Field("id", .int64), Field("valid_from", .instant), Field("valid_to", .instant),
                Field("is_current", .bool),
            ], policy: .refuse)
        let mode = SinkMode.history(on: ["id"], HistoryColumns(effective: "since"))
        #expect(try await types(csv("id,since\n1,2026-01-05\n"), sink, mode) == [.int64, .instant])
        #expect(try await types(csv("id,since\n1,2026-01-05T10:00:00Z\n"), sink, mode) == [.int64, .instant])
    }
}
