import ArgumentParser
import HeadraceCore
import Testing

@testable import HeadraceCommand

struct DailyPricesPlacesTests {
    private let recorded: JSONValue = [
        "warehouse": "sqlite:/old/w.db", "kv": "kv:/old/p.kv", "landing": "/old/landing", "rates": .null,
    ]

    @Test func `what is given wins over what a run recorded, and what it did not record stays open`() throws {
        var places = try DailyPricesPlaces.parse(["--kv", "kv:/new/p.kv"])
        places.fill(from: recorded)
        #expect(places.warehouse == "sqlite:/old/w.db")
        #expect(places.kv == "kv:/new/p.kv")
        #expect(places.landing == "/old/landing")
        #expect(places.rates == nil)
    }

    @Test(arguments: [["--warehouse", "oracle://x"], ["--kv", "redis:x"], ["--landing", "ftp://x"]])
    func `a place that nothing serves is refused before anything runs`(arguments: [String]) throws {
        let places = try DailyPricesPlaces.parse(arguments)
        let day = try #require(DailyPricesOptions.day("2026-01-05"))
        #expect(throws: HeadraceError.self) {
            _ = try places.configuration(on: day, market: "http://127.0.0.1:9", state: "/tmp")
        }
    }
}
