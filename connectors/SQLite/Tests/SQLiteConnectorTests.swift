import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

@Suite struct SQLiteConnectorTests {
    let bench: Workbench
    let connector = SQLiteConnector()

    init() throws { bench = try Workbench() }

    private func location(_ query: String) throws -> Location {
        try Location("sqlite:\(bench.path)\(query)", fileExists: { _ in false })
    }

    @Test("A location leads to a table, a view as a query, or a query")
    func sources() throws {
        try bench.sqlite("CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t")
        #expect(try connector.source(at: location("?table=t")) is SQLiteTableSource)
        let view = try #require(try connector.source(at: location("?table=v")) as? SQLiteQuerySource)
        #expect(view.query == #"SELECT * FROM "v""#)
        let query = try #require(try connector.source(at: location("?query=SELECT%201%20AS%20a")) as? SQLiteQuerySource)
        #expect(query.query == "SELECT 1 AS a")
        #expect(try connector.source(at: location("?table=none")) is SQLiteTableSource)
    }

    @Test("A location leads to a sink on a table or on the whole database")
    func sinks() throws {
        let table = try #require(try connector.sink(at: location("?table=t&key=a&busyTimeout=1.5")) as? SQLiteSink)
        #expect(table.table == "t" && table.path == bench.path && table.busyTimeout == .seconds(1.5))
        #expect(table.name == "sqlite:\(bench.path)?table=t")
        #expect((try connector.sink(at: location("")) as? SQLiteSink)?.table == nil)
        let slashes = try Location("sqlite:///tmp/w.db?table=t", fileExists: { _ in false })
        #expect((try connector.sink(at: slashes) as? SQLiteSink)?.path == "/tmp/w.db")
    }

    @Test(
        "Locations that mean nothing are refused with the way out",
        arguments: [
            "sqlite:w.db", "sqlite:w.db?table=t&query=q", "sqlite:w.db?tabel=t", "sqlite:?table=t",
            "sqlite://host/w.db?table=t",
        ])
    func badSources(text: String) throws {
        let location = try Location(text, fileExists: { _ in false })
        let error = #expect(throws: HeadraceError.self) { _ = try connector.source(at: location) }
        #expect(error?.code == .badOption || error?.code == .badLocation)
    }

    @Test(
        "A sink takes no query and no time-out that is none",
        arguments: ["?query=q", "?table=t&busyTimeout=x", "?table=t&busyTimeout=-1"])
    func badSinks(query: String) throws {
        let error = #expect(throws: HeadraceError.self) { _ = try connector.sink(at: try location(query)) }
        #expect(error?.code == .badOption)
    }

    @Test("A check says what is there, and what is wrong")
    func checks() async throws {
        let missing = await #expect(throws: HeadraceError.self) {
            _ = try await connector.check(location("?table=t"), in: .testing())
        }
        #expect(missing?.code == .notFound && bench.files == [])
        try bench.sqlite("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2); CREATE VIEW v AS SELECT a FROM t")
        #expect(try await connector.check(location("?table=T"), in: .testing()) == "table t holds 1 rows of 2 columns")
        #expect(try await connector.check(location("?table=v"), in: .testing()) == "view v holds 1 rows of 1 columns")
        #expect(try await connector.check(location(""), in: .testing()) == "\(bench.path) holds t, v")
        #expect(
            try await connector.check(location("?query=SELECT b, a FROM t"), in: .testing())
                == "the query gives 2 columns: b, a")
        let table = await #expect(throws: HeadraceError.self) {
            _ = try await connector.check(location("?table=x"), in: .testing())
        }
        #expect(table?.fields.first?.value == "t, v")
    }
}
