import HeadraceColumnar
import HeadraceCore
import HeadraceLTSV
import HeadraceTesting
import Testing

@Suite struct LTSVSinkTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func load(_ schema: Schema, _ rows: [[Scalar]]) async throws -> [Reject] {
        try await LTSVSink(at: folder("t.ltsv")).load([try .of(schema, rows)], schema: schema, mode: .replace).rejects
    }

    @Test("What was written is read back, null apart from the empty text, values like SQL and numbers exact")
    func roundTrip() async throws {
        let schema = Schema([
            Field("id", .int64), Field("price", .decimal(precision: 38, scale: 2)),
            Field("at", .timestamp(zone: "UTC")),
            Field("text", .utf8),
        ])
        let big = try #require(DecimalValue("123456789012345678901234567890123456.78"))
        let rows: [[Scalar]] = [
            [.integer(-9), .decimal(big), .timestamp(1_767_571_200_000_001), .utf8("'; DROP TABLE t; -- 😀: x")],
            [.null, .null, .null, .utf8("")], [.null, .null, .null, .null],
        ]
        #expect(try await load(schema, rows).isEmpty)
        #expect(try await LTSVSource(at: folder("t.ltsv"), schema: schema).readAll().batches.rows == rows)
    }

    @Test(
        "A value that would break its line is refused, and the other rows are written",
        arguments: ["\t", "\n", "\r", "\0"])
    func refusesValues(mark: String) async throws {
        let schema = Schema([Field("a", .utf8), Field("b", .utf8)])
        let rejects = try await load(schema, [[.utf8("1"), .utf8("x\(mark)y")], [.utf8("2"), .utf8("z")]])
        #expect(rejects.map(\.field) == ["b"])
        #expect(rejects.map(\.place.row) == [1])
        #expect(try await LTSVSource(at: folder("t.ltsv")).readAll().batches.rows == [[.utf8("2"), .utf8("z")]])
    }

    @Test(
        "Columns that LTSV cannot hold are refused before a row moves, and the file stays",
        arguments: [
            Field("", .utf8), Field("a b", .utf8), Field("a:b", .utf8), Field("ü", .utf8), Field("a", .binary),
            Field("a", .list(Field("item", .int64))),
        ])
    func refusesColumns(field: Field) async throws {
        try folder.write("a:1\n", to: "t.ltsv")
        let error = await #expect(throws: HeadraceError.self) { try await load(Schema([field]), []) }
        #expect(error?.code == .schemaMismatch)
        #expect(try await LTSVSource(at: folder("t.ltsv")).readAll().batches.rows == [[.utf8("1")]])
    }

    @Test("Any mode but replace is refused")
    func refusesModes() async throws {
        let sink = LTSVSink(at: folder("t.ltsv"))
        let error = await #expect(throws: HeadraceError.self) {
            try await sink.load([], schema: NamedRows.schema, mode: .append)
        }
        #expect(error?.code == .unsupported)
    }
}
