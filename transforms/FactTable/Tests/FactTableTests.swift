import HeadraceColumnar
import HeadraceCore
import HeadraceFactTable
import HeadraceRuntime
import HeadraceTesting
import Testing

@Suite struct FactTableTests {
    private let products = TableDefinition(
        "products",
        Schema([
            Field("id", .utf8), Field("name", .utf8), Field("color", .utf8), Field("since", .date32),
            Field("until", .date32),
            Field("current", .bool),
        ]), primaryKey: ["id"])
    private let sales = TableDefinition(
        "sales",
        Schema([
            Field("product_id", .utf8), Field("day", .date32), Field("shop", .utf8), Field("amount", .int64),
            Field("is_current", .bool),
        ]))
    private let schema = Schema([
        Field("name", .utf8), Field("color", .utf8), Field("day", .date32), Field("shop", .utf8),
        Field("amount", .int64),
    ])

    private func load(_ rows: [[Scalar]], _ facts: FactTable, into warehouse: MemoryWarehouse) async throws -> [Reject]
    {
        for table in facts.tables { await warehouse.ensure(table) }
        let records = try #require(RecordBatch(schema: schema, rows: rows))
        let loader = try facts.makeLoader(for: schema, in: .looking())
        let batch = Batch(
            records, provenance: .derived("test"), stream: StreamID("test"), sequence: 0, recordsRead: rows.count)
        let rejects = try await loader.load(batch, into: warehouse)
        let counts = try await loader.finish(in: warehouse)
        #expect(counts.written == rows.count - rejects.count)
        return rejects
    }

    private func row(_ name: String?, _ color: String, _ day: Int32, _ shop: String, _ amount: Int) -> [Scalar] {
        [name.map { .utf8($0) } ?? .null, .utf8(color), .date(day), .utf8(shop), .integer(Int128(amount))]
    }

    private func facts(
        _ change: Dimension.Change, missing: Dimension.Missing = .inserted(), validity: Bool = false
    ) -> FactTable {
        let keyColumns: SurrogateKey = validity ? .md5(of: "name", "color") : .md5(of: "name")
        return FactTable(
            sales,
            dimensions: [
                Dimension(
                    products, key: "id", newKey: keyColumns, factColumn: "product_id", naturalKey: [("name", "name")],
                    attributes: [.init("color", on: change)], missing: missing,
                    validity: validity
                        ? .init(from: "since", until: "until", current: "current", effective: "day") : nil)
            ], grain: ["product_id", "day", "shop"], replacing: ["day", "shop"],
            current: .init(flag: "is_current", latest: "day", of: ["product_id", "shop"]))
    }

    @Test("Members are made once, keys are the MD5 of the natural key, and facts point to them")
    func inserts() async throws {
        let warehouse = MemoryWarehouse()
        _ = try await load(
            [row("lamp", "red", 1, "a", 5), row("lamp", "red", 1, "b", 6), row("desk", "oak", 1, "a", 7)],
            facts(.fixed), into: warehouse)
        let members = await warehouse.rows(of: "products")
        #expect(members.map { $0["name"] } == [.utf8("lamp"), .utf8("desk")])
        #expect(members.first?["id"] == .utf8("263addb7611158a2c3db7c164a20cc2f"), "as md5sum says of lamp")
        let loaded = await warehouse.rows(of: "sales")
        #expect(
            loaded.count == 3 && Set(loaded.compactMap { $0["product_id"] }) == Set(members.compactMap { $0["id"] }))
    }

    @Test("The latest fact of a kind is current, in whatever order days are loaded; a repeated day replaces its facts")
    func current() async throws {
        let warehouse = MemoryWarehouse()
        for day in [3, 1, 2, 3] as [Int32] {
            _ = try await load([row("lamp", "red", day, "a", Int(day))], facts(.fixed), into: warehouse)
        }
        let loaded = await warehouse.rows(of: "sales")
        #expect(loaded.count == 3)
        #expect(loaded.filter { $0["is_current"] == .bool(true) }.map { $0["day"] } == [.date(3)])
        _ = try await load([row("desk", "oak", 3, "a", 9)], facts(.fixed), into: warehouse)
        let after = await warehouse.rows(of: "sales")
        #expect(
            after.filter { $0["is_current"] == .bool(true) }.compactMap { $0["day"] }.sorted { "\($0)" < "\($1)" } == [
                .date(2), .date(3),
            ])
    }

    @Test("Attributes are kept, overwritten or versioned as declared")
    func changes() async throws {
        for (change, colors) in [(Dimension.Change.fixed, ["red"]), (.overwrite, ["blue"])] {
            let warehouse = MemoryWarehouse()
            _ = try await load([row("lamp", "red", 1, "a", 1)], facts(change), into: warehouse)
            _ = try await load([row("lamp", "blue", 2, "a", 2)], facts(change), into: warehouse)
            #expect(await warehouse.rows(of: "products").map { $0["color"]?.description } == colors)
        }
        let warehouse = MemoryWarehouse()
        for (day, color) in [(1, "red"), (2, "blue"), (3, "red")] as [(Int32, String)] {
            _ = try await load([row("lamp", color, day, "a", 1)], facts(.version, validity: true), into: warehouse)
            if color == "blue" {
                let versions = await warehouse.rows(of: "products")
                #expect(versions.map { $0["until"] ?? .null } == [.date(2), .null])
                #expect(versions.map { $0["current"] } == [.bool(false), .bool(true)])
                break
            }
        }
    }

    @Test("Rows without a member are refused or point to the unknown member, as declared")
    func missing() async throws {
        let warehouse = MemoryWarehouse()
        let refused = try await load([row(nil, "red", 1, "a", 1)], facts(.fixed, missing: .rejected), into: warehouse)
        #expect(refused.map(\.code) == ["noMember"])
        let unknown = facts(.fixed, missing: .unknown(key: .utf8("unknown"), attributes: [("name", .utf8("Unknown"))]))
        _ = try await load([row(nil, "red", 1, "a", 1), row("lamp", "red", 1, "b", 1)], unknown, into: warehouse)
        #expect(await warehouse.rows(of: "sales").allSatisfy { $0["product_id"] == .utf8("unknown") })
        #expect(await warehouse.rows(of: "products").count == 1)
    }

    @Test("A schema that lacks a column of grain or dimension is refused before any row")
    func checks() {
        let narrow = Schema([Field("name", .utf8)])
        #expect(throws: HeadraceError.self) { try facts(.fixed).check(narrow) }
    }
}
