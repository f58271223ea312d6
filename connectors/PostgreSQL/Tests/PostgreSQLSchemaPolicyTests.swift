import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

private let rows = Schema([
    Field("id", .int64, nullable: false), Field("note", .utf8), Field("price", .decimal(precision: 10, scale: 3)),
    Field("tags", .list(Field("item", .utf8))),
])

private func batch(_ id: Int64 = 3_000_000_000) throws -> RecordBatch {
    try .of(
        rows,
        [
            [
                .integer(Int128(id)), .utf8("n"), .decimal(DecimalValue(coefficient: 1_234_567, scale: 3)),
                .list([.utf8("x")]),
            ]
        ])
}

@Suite struct PostgreSQLSchemaPolicyTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    private func sink(_ policy: SchemaPolicy) throws -> PostgreSQLSink {
        PostgreSQLSink(try bench.configuration, table: "t", schemaPolicy: policy)
    }

    private func columns() throws -> [String] {
        try bench.psql(
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum"
        )
    }

    @Test(
        "Evolve adds columns and widens types in the rows' transaction, in every mode, and does so once",
        arguments: ["append", "replace", "upsert", "insert", "mirror"])
    func evolves(name: String) async throws {
        try bench.psql("CREATE TABLE t (id integer PRIMARY KEY, price numeric(6,2)); INSERT INTO t VALUES (1, 2.5)")
        let mode: SinkMode =
            switch name {
            case "append": .append
            case "replace": .replace
            case "upsert": .upsert(on: ["id"])
            case "insert": .insert(on: ["id"])
            default: .mirror(on: ["id"])
            }
        let before = try columns()
        await #expect(throws: HeadraceError.self) {
            try await sink(.evolve).load(
                [try batch()], schema: rows, mode: mode,
                in: .testing(faults: Faults(failingAt: "postgresql.beforeCommit")))
        }
        #expect(try columns() == before)
        for id in [3_000_000_000, 3_000_000_001] {
            try await sink(.evolve).load([try batch(Int64(id))], schema: rows, mode: mode)
            #expect(
                try columns() == ["id|bigint|t", "price|numeric(10,3)|f", "note|text|f", "tags|text[]|f"])
        }
        #expect(
            try bench.psql("SELECT id, price, note, tags FROM t WHERE id > 3000000000") == ["3000000001|1234.567|n|{x}"]
        )
    }

    @Test("A history's table takes new columns too")
    func evolvesHistory() async throws {
        let narrow = Schema([Field("id", .int64, nullable: false)])
        let mode = SinkMode.history(on: ["id"], HistoryColumns())
        try await sink(.evolve).load([try .of(narrow, [[.integer(1)]])], schema: narrow, mode: mode)
        let result = try await sink(.evolve).load([try batch(1)], schema: rows, mode: mode)
        // A new column is null in versions of before: both rows are dated alike here, so that the version is put right.
        #expect(result.counts == WriteCounts(updated: 1))
        #expect(try bench.psql("SELECT id, note, is_current FROM t") == ["1|n|t"])
    }

    @Test("The plan of an evolving sink shows the DDL; a frozen one says what it leaves out")
    func plans() async throws {
        try bench.psql("CREATE TABLE t (id integer PRIMARY KEY, price numeric(6,2))")
        let lines = try await sink(.evolve).plan(for: rows, mode: .append, in: .testing())
        #expect(
            lines.prefix(4) == [
                #"ALTER TABLE "public"."t" ALTER COLUMN "id" TYPE bigint"#,
                #"ALTER TABLE "public"."t" ADD COLUMN "note" text"#,
                #"ALTER TABLE "public"."t" ALTER COLUMN "price" TYPE numeric(10,3)"#,
                #"ALTER TABLE "public"."t" ADD COLUMN "tags" text[]"#,
            ])
        let frozen = try await sink(.freeze).plan(for: rows, mode: .append, in: .testing())
        #expect(
            frozen.prefix(2) == [
                "leave out column \"note\", which the table lacks", "leave out column \"tags\", which the table lacks",
            ])
        #expect(try columns().count == 2)
    }

    @Test("Freeze leaves columns out, once said in the log; what does not fit is a reject with the name of its field")
    func freezes() async throws {
        try bench.psql("CREATE TABLE t (price numeric(6,2), id integer PRIMARY KEY)")
        let log = LogLines()
        var context = RunContext.testing()
        context.log = log.log
        let good = try RecordBatch.of(
            rows, [[.integer(1), .utf8("n"), .decimal(DecimalValue(coefficient: 1500, scale: 3)), .null]])
        let result = try await sink(.freeze).load([good, try batch(), good], schema: rows, mode: .append, in: context)
        #expect(result.counts == WriteCounts(inserted: 1))
        #expect(result.rejects.map(\.code) == ["doesNotFit", "notUnique"] && result.rejects[0].field == "id")
        #expect(log.all == ["columns that the table lacks are left out table=public.t columns=note, tags"])
        #expect(try bench.psql("SELECT id, price FROM t") == ["1|1.50"])
    }

    @Test("Refuse fails before a row is written and says what differs and what to try")
    func refuses() async throws {
        try bench.psql("CREATE TABLE t (id integer PRIMARY KEY, price numeric(6,2))")
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await sink(.refuse).openWriter(for: rows, mode: .append, in: .testing())
        }
        #expect(error?.code == .schemaMismatch)
        #expect(error?.message == "table public.t has no column \"note\", \"tags\"")
        #expect(error?.hint?.contains("schemaPolicy=evolve") == true)
    }

    @Test(
        "A column whose name is the server's or ours is refused in the plan, whatever the mode",
        arguments: ["_headrace_row", "_Headrace_time", "ctid", "xmin", "tableoid"])
    func takenNames(name: String) async throws {
        let schema = Schema([Field("id", .int64), Field(name, .utf8)])
        for mode in [SinkMode.append, .upsert(on: ["id"]), .history(on: ["id"], HistoryColumns())] {
            let error = await #expect(throws: HeadraceError.self) {
                _ = try await sink(.evolve).plan(for: schema, mode: mode, in: .testing())
            }
            #expect(error?.code == .schemaMismatch && error?.message.contains("\"\(name)\"") == true)
        }
    }

    @Test(
        "A column that a view is made of is not widened: the error says what depends on it and what loads all the same")
    func dependences() async throws {
        try bench.psql("CREATE TABLE t (id integer); CREATE VIEW seen AS SELECT id FROM t")
        let schema = Schema([Field("id", .int64)])
        let batch = try RecordBatch.of(schema, [[.integer(5)], [.integer(3_000_000_000)]])
        let error = await #expect(throws: HeadraceError.self) {
            try await sink(.evolve).load([batch], schema: schema, mode: .append)
        }
        #expect(error?.code == .schemaMismatch && error?.hint?.contains("schemaPolicy=refuse") == true)
        #expect(error?.fields.contains { $0.value.contains("view seen") } == true, "\(String(describing: error))")
        let result = try await sink(.refuse).load([batch], schema: schema, mode: .append)
        #expect(result.counts == WriteCounts(inserted: 1) && result.rejects.count == 1)
    }

    @Test("A domain keeps its rules: it is not widened, and what does not fit is a reject")
    func domains() async throws {
        try bench.psql("CREATE DOMAIN small AS integer CHECK (VALUE > 0); CREATE TABLE t (id small)")
        let schema = Schema([Field("id", .int64)])
        let batch = try RecordBatch.of(schema, [[.integer(5)], [.integer(3_000_000_000)], [.integer(-1)]])
        let result = try await sink(.evolve).load([batch], schema: schema, mode: .append)
        #expect(result.counts == WriteCounts(inserted: 1) && result.rejects.count == 2)
        #expect(try columns() == ["id|small|f"])
    }

    // MARK: - Types that take text

    @Test(
        "Columns without a binary form take text that the server reads, in every mode, and what it cannot read is a reject"
    )
    func textColumns() async throws {
        try bench.psql(
            """
            CREATE TYPE pair AS (a integer, b text);
            CREATE TABLE t (id bigint PRIMARY KEY, span int4range, cash money, spot point, two pair, grid integer[][], bits bit(3))
            """)
        let schema = Schema(
            [Field("id", .int64, nullable: false)]
                + ["span", "cash", "spot", "two", "grid", "bits"].map { Field($0, .utf8) })
        let good: [Scalar] = [
            .utf8("[1,5)"), .utf8("-12.50"), .utf8("(1.5,2)"), .utf8(#"(7,"a b")"#), .utf8("{{1,2},{3,4}}"),
            .utf8("101"),
        ]
        let bad: [Scalar] = [.utf8("[5,1)"), .null, .null, .null, .null, .null]
        let nothing = [Scalar](repeating: .null, count: 6)
        let batch = try RecordBatch.of(
            schema, [[.integer(1)] + good, [.integer(2)] + bad, [.integer(3)] + nothing, [.integer(4)] + good])
        let sink = try sink(.refuse)
        let first = try await sink.load([batch], schema: schema, mode: .append)
        #expect(first.counts == WriteCounts(inserted: 3) && first.rejects.map(\.code) == ["doesNotFit"])
        #expect(first.rejects.first?.message.contains("range lower bound") == true)
        let second = try await sink.load([batch], schema: schema, mode: .upsert(on: ["id"]))
        #expect(second.counts == WriteCounts(unchanged: 3) && second.rejects.count == 1)
        #expect(
            try bench.psql("SELECT id, span, cash::numeric, spot, two, grid, bits FROM t ORDER BY 1") == [
                #"1|[1,5)|-12.50|(1.5,2)|(7,"a b")|{{1,2},{3,4}}|101"#, "3|␀|␀|␀|␀|␀|␀",
                #"4|[1,5)|-12.50|(1.5,2)|(7,"a b")|{{1,2},{3,4}}|101"#,
            ])
        // What is read from the table goes into a copy of it, and is the same there.
        let (records, misfits) = try await bench.read("t")
        #expect(misfits.isEmpty)
        try bench.psql("CREATE TABLE copied (LIKE t)")
        let copy = PostgreSQLSink(try bench.configuration, table: "copied")
        try await copy.load([records], schema: records.schema, mode: .replace)
        #expect(
            try bench.psql("SELECT count(*) FROM (SELECT t::text FROM t EXCEPT SELECT copied::text FROM copied) x") == [
                "0"
            ])
        // A history compares what the server makes of the text.
        try bench.psql(
            "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD valid_from date, ADD valid_to date, ADD is_current boolean")
        try bench.psql("UPDATE t SET valid_from = '2020-01-01', is_current = true")
        let third = try await sink.load([batch], schema: schema, mode: .history(on: ["id"], HistoryColumns()))
        #expect(third.counts == WriteCounts(unchanged: 3))
    }
}
