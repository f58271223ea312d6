import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

@Suite struct MySQLConnectorTests {
    private let connector = MySQLConnector()

    private func location(_ text: String) throws -> Location { try Location(text) { _ in false } }

    @Test("Locations lead to tables, queries and sinks, with their options")
    func locations() throws {
        let table = try connector.source(
            at: location("mysql://u:pw@h/d?table=t&zeroDates=null&times=text&sslmode=require"))
        let source = try #require(table as? MySQLTableSource)
        #expect(source.table == "t" && source.zeroDatesAreNull && source.timesAreText)
        #expect(source.configuration.tls == .require)
        #expect(!source.name.contains("pw"))
        #expect(try connector.source(at: location("mariadb://h/d?query=SELECT%201")) is MySQLQuerySource)
        #expect((try connector.sink(at: location("mysql://h/d?table=t")) as? MySQLSink)?.table == "t")
        #expect((try connector.sink(at: location("mysql://h/d")) as? MySQLSink)?.table == nil)
    }

    @Test(
        "What a location leaves open or says wrongly is an error before anything is opened",
        arguments: [
            "mysql://h/d", "mysql://h/d?table=t&query=SELECT%201", "mysql://h/?table=t", "mysql://h/d?table=t&tabel=x",
            "mysql://h/d?table=t&zeroDates=maybe", "mysql://h/d?table=t&connectTimeout=soon", "mysql:t",
            "mysql://h/d?table=t&sslmode=on",
        ])
    func mistakes(text: String) throws {
        let wrong = try location(text)
        #expect(throws: HeadraceError.self) { _ = try connector.source(at: wrong) }
    }

    @Test("A check says what is there")
    func checks() async throws {
        let bench = try Bench()
        try bench.mariadb("CREATE TABLE t (a INT, b INT); INSERT INTO t VALUES (1, 2), (3, 4)")
        func check(_ option: String) async throws -> String {
            try await connector.check(location(bench.url + option), in: .testing())
        }
        #expect(try await check("&table=t") == "table t holds 2 rows of 2 columns")
        #expect(try await check("").hasSuffix("holds t"))
        #expect(try await check("&query=SELECT%20a%20FROM%20t") == "the query gives 1 columns: a")
        let error = await #expect(throws: HeadraceError.self) { _ = try await check("&table=nope") }
        #expect(error?.fields.first?.value == "t")
    }
}
