import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

private let people = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])

private func rows(_ names: [String]) throws -> RecordBatch {
    try .of(people, names.enumerated().map { [.integer(Int128($0)), .utf8($1)] })
}

@Suite struct PostgreSQLSwapTests {
    let bench: Bench
    var sink: PostgreSQLSink {
        get throws { PostgreSQLSink(try bench.configuration, table: "people", replacesBySwap: true) }
    }

    init() throws { bench = try Bench() }

    /// What the catalog says of the table, its number aside.
    private func description() throws -> [String] {
        try bench.psql(
            """
            SELECT 'column', attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attacl::text,
                pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
                WHERE attrelid = 'people'::regclass AND attnum > 0
            UNION ALL SELECT 'index', indexdef, '', false, '', '', '' FROM pg_indexes WHERE tablename = 'people'
            UNION ALL SELECT 'rule', conname, pg_get_constraintdef(oid), false, '', '', '' FROM pg_constraint
                WHERE conrelid = 'people'::regclass
            UNION ALL SELECT 'table', relname, relacl::text, false, '', pg_get_userbyid(relowner), relpersistence::text
                FROM pg_class WHERE oid = 'people'::regclass ORDER BY 1, 2
            """)
    }

    @Test(
        "A swap gives a new table the old one's columns, rules, indexes, owner and rights, and leaves no other behind")
    func swaps() async throws {
        try bench.psql(
            """
            CREATE TABLE place (id integer PRIMARY KEY); INSERT INTO place VALUES (1);
            CREATE UNLOGGED TABLE people (id bigint CONSTRAINT "the key" PRIMARY KEY, name varchar(9) CHECK (name <> 'bad'),
                place integer DEFAULT 1 CONSTRAINT "where" REFERENCES place, number serial UNIQUE, n2 int GENERATED ALWAYS AS IDENTITY);
            CREATE INDEX by_name ON people (lower(name)) WHERE id > 3;
            INSERT INTO people (id, name) VALUES (99, 'old')
            """)
        let role = "swap_\(bench.database)"
        try bench.psql(
            "CREATE ROLE \(role); GRANT SELECT, INSERT ON people TO \(role); GRANT UPDATE (name) ON people TO \(role)")
        let (before, identity) = (try description(), try bench.psql("SELECT 'people'::regclass::oid"))
        await #expect(throws: HeadraceError.self) {
            try await sink.load(
                [try rows(["a"])], schema: people, mode: .replace,
                in: .testing(faults: Faults(failingAt: "postgresql.beforeCommit")))
        }
        #expect(try bench.psql("SELECT id FROM people") == ["99"])
        #expect(try bench.psql("SELECT 'people'::regclass::oid") == identity)
        let result = try await sink.load(
            [try rows(["a", "bad", "c", "much too long"])], schema: people, mode: .replace)
        #expect(result.counts == WriteCounts(inserted: 2) && result.rejects.count == 2)
        #expect(try bench.psql("SELECT id, name, place, number > 1 FROM people ORDER BY id") == ["0|a|1|t", "2|c|1|t"])
        #expect(try description() == before)
        #expect(try bench.psql("SELECT 'people'::regclass::oid") != identity)
        #expect(
            try bench.psql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '\\_headrace%'") == [
                "_headrace_state"
            ])
        try await sink.load([try rows(["x"])], schema: people, mode: .replace)
        #expect(try bench.psql("SELECT id, name FROM people") == ["0|x"])
        #expect(try description() == before)
        try bench.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }

    @Test("Readers of the old table do not wait for the rows of the new one")
    func readers() async throws {
        try bench.psql("CREATE TABLE people (id bigint, name text); INSERT INTO people VALUES (99, 'old')")
        let writer = try await sink.openWriter(for: people, mode: .replace, in: .testing())
        _ = try await writer.write(try writer.encode(.testing(try rows(["a"]))))
        #expect(try bench.psql("SET lock_timeout = '2s'; SELECT id FROM people").last == "99")
        _ = try await writer.settle()
        try await writer.commit(.testing())
        #expect(try bench.psql("SELECT id FROM people") == ["0"])
    }

    @Test(
        "What a swap would break is named before any row moves",
        arguments: [
            ("CREATE VIEW seen AS SELECT * FROM people", "view seen"),
            ("CREATE TABLE other (id bigint REFERENCES people)", "references of table other"),
            (
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER watch BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION f()",
                "trigger watch"
            ),
            ("CREATE POLICY mine ON people", "policy mine"),
            ("CREATE TABLE child () INHERITS (people)", "inheritance of child from people"),
        ])
    func refused(sql: String, words: String) async throws {
        try bench.psql("CREATE TABLE people (id bigint PRIMARY KEY, name text); \(sql)")
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await sink.openWriter(for: people, mode: .replace, in: .testing())
        }
        #expect(
            error?.code == .unsupported && error?.fields.first?.value.contains(words) == true,
            "\(String(describing: error))")
    }

    @Test("The plan shows the swap")
    func plans() async throws {
        try bench.psql("CREATE TABLE people (id bigint, name text)")
        let lines = try await sink.plan(for: people, mode: .replace, in: .testing())
        #expect(
            lines.dropLast() == [
                #"CREATE TABLE "public"."_headrace_new_people" (LIKE "public"."people" INCLUDING ALL)"#,
                #"COPY "public"."_headrace_new_people" ("id", "name") FROM STDIN (FORMAT binary)"#,
                #"DROP TABLE "public"."people""#, #"ALTER TABLE "public"."_headrace_new_people" RENAME TO "people""#,
            ])
    }
}
