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

    @Test(arguments: ["out.csv", "out.csv.gz", "-?format=ndjson", "out.json", "sqlite:w.db?table=t", "file:a%3Fb.csv"])
    func `the documented locations have a sink`(text: String) throws {
        _ = try resolver().ends(from: "in.csv", to: text)
    }

    @Test func `options that only say how data is reached are no part of what a copy is known by`() throws {
        let databases = ["postgresql://h/d?table=t", "mysql://h/d?table=t"]
        let tuned = ["&streams=4", "&cursor=at&lag=5%20minutes", "&connectTimeout=9&sslmode=require", "&idleTimeout=1"]
        for database in databases {
            for options in tuned {
                let ends = try resolver().ends(from: database + options, to: database + "&schemaPolicy=evolve")
                let known = options.contains("cursor") ? database + "&cursor=at" : database
                #expect(resolver().identity(of: ends.from) == (try Location(known) { _ in false }))
                #expect(resolver().identity(of: ends.to) == (try Location(database) { _ in false }))
            }
        }
        for text in [
            "mysql://h/d?table=t&zeroDates=null", "postgresql://h/d?table=t&options=-csearch_path%3Dx",
            "a.csv?header=false",
        ] {
            let location = try Location(text) { _ in false }
            #expect(resolver().identity(of: location) == location)
        }
    }

    @Test func `flags become part of the locations that a copy is known by`() throws {
        let overlays = [
            OptionOverlay(end: .from, name: "infer", value: "off"), OptionOverlay(end: .to, name: "null", value: "NA"),
        ]
        let resolver = LocationResolver(connectors: HeadraceTool.standardConnectors, overlays: overlays)
        let ends = try resolver.ends(from: "a.csv?header=false", to: "b.csv")
        #expect(ends.from.options == [.init("header", "false"), .init("infer", "off")])
        #expect(ends.to.options == [.init("null", "NA")])
    }

    @Test func `a lone location takes flags without prefix and refuses what it does not know`() throws {
        _ = try resolver(OptionOverlay(end: .either, name: "delimiter", value: ",")).source("a.csv")
        let unknown = error { _ = try resolver(OptionOverlay(end: .either, name: "table", value: "t")).source("a.csv") }
        #expect(try #require(unknown).message.hasSuffix("has an unknown option \"table\""))
    }

    @Test func `a format without prefix goes to the end whose name does not say it`() throws {
        _ = try resolver(OptionOverlay(end: .either, name: "format", value: "csv")).ends(from: "-", to: "b.ndjson")
        _ = try resolver(OptionOverlay(end: .either, name: "format", value: "csv")).ends(from: "b.ndjson", to: "-")
        #expect(
            error {
                _ = try resolver(OptionOverlay(end: .either, name: "format", value: "csv")).ends(from: "-", to: "-")
            } != nil)
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
