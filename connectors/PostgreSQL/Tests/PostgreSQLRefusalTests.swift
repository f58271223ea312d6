import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

private let schema = Schema([
    Field("id", .int64), Field("name", .utf8), Field("country", .utf8),
    Field("price", .decimal(precision: 12, scale: 4)),
])

private func row(_ id: Int, _ name: String = "n", _ country: String = "SE", _ price: String = "1.5") -> [Scalar] {
    [.integer(Int128(id)), .utf8(name), .utf8(country), DecimalValue(price).map(Scalar.decimal) ?? .null]
}

@Suite struct PostgreSQLRefusalTests {
    let bench: Bench
    var sink: PostgreSQLSink { get throws { PostgreSQLSink(try bench.configuration, table: "people") } }

    init() throws {
        bench = try Bench()
        try bench.psql(
            """
            CREATE TABLE country (code text PRIMARY KEY); INSERT INTO country VALUES ('SE');
            CREATE DOMAIN amount AS numeric(6,2) CHECK (VALUE <> 13);
            CREATE TABLE people (id bigint PRIMARY KEY, name varchar(5) NOT NULL CONSTRAINT no_bad CHECK (name <> 'bad'),
                country text REFERENCES country, price amount);
            CREATE UNIQUE INDEX ON people (abs(id));
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN IF NEW.name = 'raise' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION refuse()
            """)
    }

    private func load(_ rows: [[Scalar]], pieces: Int = 1, into sink: PostgreSQLSink) async throws -> (
        counts: WriteCounts, rejects: [Reject]
    ) {
        let size = (rows.count + pieces - 1) / pieces
        let batches = try stride(from: 0, to: rows.count, by: size).map {
            try RecordBatch.of(schema, Array(rows[$0..<min($0 + size, rows.count)]))
        }
        return try await sink.load(batches, schema: schema, mode: .append)
    }

    @Test("What the catalog forbids is refused on the client, with the column")
    func onTheClient() async throws {
        let rows = [
            row(1), [.null, .utf8("n"), .null, .null], row(2, "longer"), row(3, "n", "SE", "10000"),
            row(4, "n", "SE", "1.005"),
            row(5),
        ]
        let result = try await load(rows, into: try sink)
        #expect(result.counts == WriteCounts(inserted: 2))
        #expect(result.rejects.map(\.field) == ["id", "name", "price", "price"])
        #expect(result.rejects.map(\.code) == ["nullInRequiredColumn", "tooLong", "doesNotFit", "doesNotFit"])
        #expect(result.rejects.map(\.place.row) == [2, 3, 4, 5])
    }

    @Test("A row that the server refuses becomes a reject with its words, whatever refuses it, and the others arrive")
    func wordByWord() async throws {
        let sink = try sink
        let cases: [([Scalar], String, String)] = [
            (row(11, "bad"), "check", "new row for relation \"people\" violates check constraint \"no_bad\""),
            (row(0), "notUnique", "duplicate key value violates unique constraint \"people_pkey\""),
            (row(-1), "notUnique", "duplicate key value violates unique constraint \"people_abs_idx\""),
            (row(12, "n", "XX"), "foreignKey", "violates foreign key constraint \"people_country_fkey\""),
            (row(13, "n", "SE", "13"), "check", "violates check constraint \"amount_check\""),
            (row(14, "raise"), "trigger", "not this one"),
        ]
        _ = try await load((0..<10).map { row($0) }, into: sink)
        for (bad, code, words) in cases {
            try bench.psql("DELETE FROM people WHERE id >= 100")
            let result = try await load((100..<110).map { row($0) } + [bad] + (110..<120).map { row($0) }, into: sink)
            #expect(result.counts == WriteCounts(inserted: 20))
            #expect(result.rejects.map(\.code) == [code])
            #expect(result.rejects.first?.message.contains(words) == true)
            #expect(result.rejects.first?.place.row == 11)
            #expect(try bench.psql("SELECT count(*), sum(id) FROM people") == ["30|\(45 + 2190)"])
        }
    }

    @Test("Many refusals of every kind leave exactly the rows that writing them one by one leaves", arguments: [1, 7])
    func many(pieces: Int) async throws {
        let random = RunRandom(seed: 11)
        var rows: [[Scalar]] = []
        for index in 0..<2000 {
            switch random.below(20) {
            case 0: rows.append(row(index, "bad"))
            case 1: rows.append(row(index, "n", "XX"))
            case 2: rows.append(row(Int(random.below(2000))))
            case 3: rows.append(row(-Int(random.below(2000))))
            case 4: rows.append(row(index, "n", "SE", "13"))
            case 5: rows.append(row(index, "raise"))
            case 6: rows.append(row(index, "too long"))
            default: rows.append(row(index))
            }
        }
        let result = try await load(rows, pieces: pieces, into: try sink)
        #expect(result.counts.inserted + result.rejects.count == rows.count)
        #expect(try bench.psql("SELECT count(*) FROM people") == ["\(result.counts.inserted)"])
        // No row was refused without cause: what is left out collides with a row that is there, or is bad by itself.
        let kept = Set(try bench.psql("SELECT abs(id) FROM people").compactMap { Int($0) })
        #expect(kept.count == result.counts.inserted)
        for reject in result.rejects where reject.code == "notUnique" {
            let index = reject.place.row - 1
            guard pieces == 1, case .integer(let id) = rows[index][0] else { continue }
            #expect(kept.contains(abs(Int(id))))
        }
        let codes = Set(result.rejects.map(\.code))
        #expect(codes == ["check", "foreignKey", "notUnique", "trigger", "tooLong"])
    }

    @Test(
        "Where checks alone refuse rows, and where a key does too, every bad row is named and every good one arrives",
        arguments: [false, true])
    func checksAlone(withKeys: Bool) async throws {
        try bench.psql(
            """
            CREATE TABLE plain (id bigint \(withKeys ? "UNIQUE" : ""), name text CONSTRAINT no_bad CHECK (name <> 'bad'), country text,
                price numeric, CONSTRAINT some_price CHECK (price > 0 AND (country IS NULL OR length(country) = 2)))
            """)
        let random = RunRandom(seed: 4)
        var (rows, wanted, good, ids) = ([[Scalar]](), [String](), 0, Set<Int>())
        for index in 0..<3000 {
            let isRepeated = withKeys && index > 0 && random.below(100) == 0
            let id = isRepeated ? Int(random.below(UInt64(index))) : index
            let name = ["bad", "n", "n", "n"][random.below(60) == 0 ? 0 : 1 + Int(random.below(3))]
            let price: Scalar = random.below(50) == 0 ? .decimal(DecimalValue(-1)) : .decimal(DecimalValue(7))
            rows.append([
                .integer(Int128(id)), random.below(30) == 0 ? .null : .utf8(name),
                random.below(9) == 0 ? .null : .utf8("SE"), random.below(40) == 0 ? .null : price,
            ])
            let broken =
                rows[index][1] == .utf8("bad")
                ? "no_bad" : rows[index][3] == .decimal(DecimalValue(-1)) ? "some_price" : nil
            if broken == nil, ids.insert(id).inserted {
                good += 1
            } else {
                wanted.append("row \(index % 250 + 1) of its batch: \(broken ?? "plain_id_key")")
            }
        }
        let result = try await load(rows, pieces: 12, into: PostgreSQLSink(try bench.configuration, table: "plain"))
        #expect(result.counts == WriteCounts(inserted: good))
        #expect(try bench.psql("SELECT count(*), count(DISTINCT id) FROM plain") == ["\(good)|\(good)"])
        let found = result.rejects.map { reject in
            let rule = ["no_bad", "some_price", "plain_id_key"].first { reject.message.contains("\"\($0)\"") }
            return "row \(reject.place.row) of its batch: \(rule ?? reject.message)"
        }
        #expect(found.sorted() == wanted.sorted())
    }

    @Test(
        "Where a column's length or collation decides whether a check holds, no row is in both places or in neither",
        arguments: [
            ("text COLLATE ci", "name IN ('n', 'void2') AND name <> 'VOID2'", ["bad", "N", "void2"], [0, 2]),
            ("char(3)", "name ~ '^[A-Z ]{3}$' OR name = 'n'", ["abc", "AB", "ABC"], [0]),
        ])
    func checksOfColumns(type: String, check: String, odd: [String], bad: [Int]) async throws {
        try bench.psql(
            """
            CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            CREATE TABLE plain (id bigint, name \(type) CONSTRAINT no_bad CHECK (\(check)))
            """)
        let rows = (0..<3000).map { row($0, odd.indices.contains($0 % 50) ? odd[$0 % 50] : "n") }
        let pairs = rows.map { Array($0[..<2]) }
        let some = Schema(Array(schema.fields[..<2]))
        let batches = try stride(from: 0, to: 3000, by: 250).map {
            try RecordBatch.of(some, Array(pairs[$0..<$0 + 250]))
        }
        let sink = PostgreSQLSink(try bench.configuration, table: "plain")
        let result = try await sink.load(batches, schema: some, mode: .append)
        let good = (0..<3000).filter { !bad.contains($0 % 50) }
        #expect(try bench.psql("SELECT id FROM plain ORDER BY id") == good.map(String.init))
        #expect(result.counts == WriteCounts(inserted: good.count))
        #expect(result.rejects.map { ($0.place.row - 1) % 50 } == (0..<60).flatMap { _ in bad })
    }

    @Test("Elements of arrays that are too long become rejects, however many there are")
    func longElements() async throws {
        try bench.psql("CREATE TABLE tagged (id bigint, tags varchar(3)[])")
        let tagged = Schema([Field("id", .int64), Field("tags", .list(Field("item", .utf8)))])
        let rows = (0..<40).map {
            [Scalar.integer(Int128($0)), .list([.utf8("abc"), .utf8($0 % 4 == 0 ? "abcd" : "ab")])]
        }
        let sink = PostgreSQLSink(try bench.configuration, table: "tagged")
        let result = try await sink.load([try .of(tagged, rows)], schema: tagged, mode: .append)
        #expect(result.counts == WriteCounts(inserted: 30))
        #expect(result.rejects.map { $0.place.row - 1 } == (0..<10).map { $0 * 4 })
    }

    @Test("Times with more digits than their column are refused, not rounded, and a mirror keeps what it has written")
    func fineTimes() async throws {
        try bench.psql("CREATE TABLE timed (at timestamp(1) PRIMARY KEY, day time(0))")
        let timed = Schema([Field("at", .timestamp(zone: nil)), Field("day", .time64)])
        let values: [(Int64, Int64)] = [(700_000, 1_000_000), (710_000, 0), (900_000, 1), (1_000_000, 2_000_000)]
        let rows = values.map { [Scalar.timestamp($0.0), .time($0.1)] }
        let sink = PostgreSQLSink(try bench.configuration, table: "timed")
        for _ in 0..<2 {
            let result = try await sink.load([try .of(timed, rows)], schema: timed, mode: .upsert(on: ["at"]))
            #expect(result.rejects.map(\.field) == ["at", "day"])
            #expect(result.rejects.map(\.code) == ["doesNotFit", "doesNotFit"])
        }
        #expect(try bench.psql("SELECT at::text || ' ' || day FROM timed ORDER BY 1").count == 2)
        let good = [rows[0], rows[3]]
        let mirrored = try await sink.load([try .of(timed, good)], schema: timed, mode: .mirror(on: ["at"]))
        #expect(mirrored.counts == WriteCounts(unchanged: 2))
    }

    @Test("Constraints that would wait for the commit refuse their rows at once")
    func deferred() async throws {
        try bench.psql(
            "ALTER TABLE people ALTER CONSTRAINT people_country_fkey DEFERRABLE INITIALLY DEFERRED")
        let result = try await load([row(1), row(2, "n", "XX"), row(3)], into: try sink)
        #expect(result.rejects.map(\.code) == ["foreignKey"])
        #expect(try bench.psql("SELECT id FROM people ORDER BY 1") == ["1", "3"])
    }

    @Test("A check whose expression fails over a stage, and one that fails on a row, still tell good rows from bad")
    func awkwardChecks() async throws {
        try bench.psql(
            """
            ALTER TABLE people ADD CHECK (10 / (id - 5) <> 7), ADD CHECK (pg_typeof(price) = 'amount'::regtype);
            CREATE FUNCTION plain(amount) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
            CREATE FUNCTION plain(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
            CREATE FUNCTION plain(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
            ALTER TABLE people ADD CHECK (plain(price))
            """)
        let rows = (0..<40).map { row($0, $0 % 10 == 3 ? "bad" : "n") }
        let result = try await load(rows, pieces: 2, into: try sink)
        // Four are bad, one divides by zero.
        #expect(result.counts == WriteCounts(inserted: 35))
        #expect(Set(result.rejects.map(\.code)) == ["check", "doesNotFit"])
        #expect(try bench.psql("SELECT count(*) FROM people WHERE id = 5 OR name = 'bad'") == ["0"])
    }

    @Test("Rows that row security forbids become rejects")
    func rowSecurity() async throws {
        let role = "r_\(bench.database)"
        try bench.psql(
            """
            CREATE ROLE \(role) LOGIN; GRANT ALL ON people, country TO \(role); GRANT CREATE ON SCHEMA public TO \(role);
            ALTER TABLE people ENABLE ROW LEVEL SECURITY;
            CREATE POLICY even ON people USING (true) WITH CHECK (id % 2 = 0)
            """)
        var configuration = try bench.configuration
        try configuration.set("options", to: "-c role=\(role)")
        let result = try await load((0..<8).map { row($0) }, into: PostgreSQLSink(configuration, table: "people"))
        try bench.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
        #expect(result.rejects.map(\.code) == Array(repeating: "policy", count: 4))
        #expect(try bench.psql("SELECT id FROM people ORDER BY 1") == ["0", "2", "4", "6"])
    }
}
