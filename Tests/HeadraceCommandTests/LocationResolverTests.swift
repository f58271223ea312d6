import HeadraceCore
import Testing

@testable import HeadraceCommand

struct LocationResolverTests {
    private func resolver(_ overlays: OptionOverlay...) -> LocationResolver {
        LocationResolver(connectors: HeadraceTool.standardConnectors, overlays: overlays)
    }

    private func error(_ work: () throws -> Void) -> HeadraceError? {
        do {
            try work()
            return nil
        } catch {
            return error as? HeadraceError
        }
    }

    @Test(arguments: [
        "prices.csv", "prices.tsv.gz", "dir/*.csv", "-?format=csv", "rows.ndjson.zst", "rows.json?rows=/data",
        "feed.xml?rows=/catalog/item", "page.html?rows=//tr", "sqlite:w.db?table=t", "sqlite:w.db?query=SELECT 1",
        "kv:store.db?table=Prices&key=Id", "https://host/rows.json#rows=/data", "http://host/q?x=1#format=csv",
    ])
    func `the documented locations have a source`(text: String) throws {
        _ = try resolver().source(text)
    }

    @Test(arguments: ["out.csv", "out.csv.gz", "-?format=ndjson", "out.json", "sqlite:w.db?table=t"])
    func `the documented locations have a sink`(text: String) throws {
        _ = try resolver().sink(text)
    }

    @Test(arguments: [
        ("prices.dat", "the format of prices.dat is not clear from its name"),
        ("ftp://host/x.csv", "no connector serves ftp:"),
        ("prices.csv?delimeter=;", "prices.csv?delimeter=; has an unknown option \"delimeter\""),
        ("prices.csv?format=cvs", "there is no format \"cvs\""),
        ("", "a location is empty"),
    ])
    func `what cannot be resolved is said`(text: String, message: String) throws {
        let error = try #require(error { _ = try resolver().source(text) })
        #expect(error.message == message)
    }

    @Test func `a flag without prefix goes to the end that knows it and is refused where both or neither do`() throws {
        let rows = OptionOverlay(end: .either, name: "rows", value: "/data")
        _ = try resolver(rows).ends(from: "rows.json", to: "sqlite:w.db?table=t")
        let delimiter = OptionOverlay(end: .either, name: "delimiter", value: ";")
        let both = try #require(error { _ = try resolver(delimiter).ends(from: "a.csv", to: "b.csv") })
        #expect(both.hint == "write --from-delimiter or --to-delimiter")
        let neither = try #require(error { _ = try resolver(delimiter).ends(from: "a.json", to: "b.ndjson") })
        #expect(neither.message == "neither end knows the option --delimiter")
    }

    @Test func `a format flag overrides the extension`() throws {
        _ = try resolver(OptionOverlay(end: .from, name: "format", value: "csv")).source("prices.dat")
    }
}
