import Glibc
import HeadraceColumnar
import HeadraceCore
import HeadraceDigests
import HeadraceFiles
import HeadraceLanding
import HeadraceTesting
import Testing

private let fifth = CivilDate(daysSinceEpoch: 20_458)

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Lands sources given as their pages; a source whose page is "FAIL" fails there.
@discardableResult
private func scrape(
    _ zone: LandingZone, _ sources: [String: [String]], on date: CivilDate = fifth,
    _ context: RunContext = .scraping()
) async throws -> LandingManifest {
    let scrape = try await zone.scrape(on: date, in: context)
    for (name, pages) in sources.sorted(by: { $0.key < $1.key }) {
        let feed = try await scrape.source(name, fileExtension: "csv")
        for page in pages {
            if page == "FAIL" {
                await feed.fail(HeadraceError(.inputOutput, "the feed broke"))
            } else {
                try await feed.land(bytes(page), contentType: "text/csv", url: "http://u:pw@h/x?api_key=s&page=1")
            }
        }
        try await feed.finish()
    }
    return try await scrape.finish()
}

/// What the day reads as, by source; nil when nothing can be read because nothing was landed.
private func day(_ zone: LandingZone, _ date: CivilDate = fifth) async throws -> [String: [String]]? {
    do {
        let day = try await zone.read(date, in: .scraping())
        var texts: [String: [String]] = [:]
        for source in day.sources {
            let bytes = day.byteSource(for: source)
            texts[source] = try await BlockingWork.run { try bytes.texts(.scraping()) }
        }
        return texts
    } catch let error as HeadraceError where error.code == .notFound {
        return nil
    }
}

@Suite struct LandingZoneTests {
    @Test("Pages land under the names of the layout, with a manifest whose checksums hold")
    func layout() async throws {
        let objects = MemoryObjects()
        let zone = LandingZone(store: MemoryObjectStore(objects))
        let manifest = try await scrape(zone, ["ebay": ["a,b\n", "c,d\n"], "shop": ["one"]])
        #expect(
            objects.keys == [
                "raw/2026-01-05/ebay_020000-001.csv", "raw/2026-01-05/ebay_020000-002.csv",
                "raw/2026-01-05/manifest.json", "raw/2026-01-05/metadata.json", "raw/2026-01-05/shop_020000.csv",
            ])
        #expect(objects.text("raw/2026-01-05/ebay_020000-002.csv") == "c,d\n")
        let file = try #require(manifest.files.first)
        #expect(file.bytes == 4 && file.page == 1 && file.source == "ebay")
        #expect(file.sha256 == Hexadecimal.encode(try SHA256.hash(bytes("a,b\n"))))
        let json = try JSONValue.parse(objects.text("raw/2026-01-05/manifest.json"))
        #expect(json["date"] == "2026-01-05" && json["run"] == "run-1")
        #expect(
            json["files"]?[2]
                == [
                    "name": "shop_020000.csv", "bytes": 3,
                    "sha256": .string(Hexadecimal.encode(try SHA256.hash(bytes("one")))), "source": "shop", "page": 1,
                    "contentType": "text/csv", "url": "http://u:<redacted>@h/x?api_key=<redacted>&page=1",
                    "landedAt": "2026-01-05T02:00:00Z",
                ])
        #expect(try await day(zone) == ["ebay": ["a,b\n", "c,d\n"], "shop": ["one"]])
        #expect(try await zone.manifest(on: fifth) == manifest)
    }

    @Test("metadata.json tells what became of each source, failures with their cause")
    func metadata() async throws {
        let objects = MemoryObjects()
        let zone = LandingZone(store: MemoryObjectStore(objects))
        let clock = VirtualClock(at: scrapeTime)
        let context = RunContext.testing(clock: clock)
        let scrape = try await zone.scrape(on: fifth, in: context)
        let good = try await scrape.source("good", fileExtension: "json")
        let bad = try await scrape.source("bad", fileExtension: "json")
        _ = try await scrape.source("forgotten", fileExtension: "json")
        try await good.land(bytes("{}"), requests: 3)
        clock.advance(by: .seconds(90))
        try await good.finish()
        try await bad.land(bytes("{}"))
        try await bad.land(bytes("{}"))
        await bad.fail(HeadraceError(.inputOutput, "the feed broke", hint: "mend it"))
        try await scrape.finish()
        let statistics = try await zone.statistics(on: fifth)
        #expect(statistics.map(\.source) == ["bad", "forgotten", "good"])
        #expect(statistics[0].error?.contains("the feed broke") == true && statistics[0].files == 0)
        #expect(statistics[1].error == "the source was not finished")
        #expect(
            statistics[2]
                == LandingStatistics(
                    source: "good", startedAt: scrapeTime, finishedAt: scrapeTime + 90_000_000, files: 1, bytes: 2,
                    requests: 3))
        let json = try JSONValue.parse(objects.text("raw/2026-01-05/metadata.json"))
        #expect(json["sources"]?[2]?["status"] == "complete" && json["sources"]?[2]?["milliseconds"] == 90_000)
        #expect(objects.keys.filter { $0.contains("bad_") }.isEmpty)
        #expect(try await day(zone) == ["good": ["{}"]])
    }

    @Test(
        "A source that is scraped again replaces its files and leaves the others; one that fails again changes nothing")
    func again() async throws {
        let objects = MemoryObjects()
        let zone = LandingZone(store: MemoryObjectStore(objects))
        try await scrape(zone, ["a": ["a1", "a2"], "b": ["b1"]])
        objects["raw/2026-01-05/notes.txt"] = bytes("mine")
        // The same second on the clock: the names must not collide.
        try await scrape(zone, ["a": ["new"], "b": ["partly", "more", "FAIL"], "c": ["c1"]])
        #expect(try await day(zone) == ["a": ["new"], "b": ["b1"], "c": ["c1"]])
        #expect(
            objects.keys == [
                "raw/2026-01-05/a_020001.csv", "raw/2026-01-05/b_020000.csv", "raw/2026-01-05/c_020000.csv",
                "raw/2026-01-05/manifest.json", "raw/2026-01-05/metadata.json", "raw/2026-01-05/notes.txt",
            ])
        let failed = try await zone.statistics(on: fifth).first { $0.source == "b" }
        #expect(failed?.error != nil)
    }

    @Test("A source may come to have no pages")
    func empty() async throws {
        let zone = LandingZone(store: MemoryObjectStore(MemoryObjects()))
        try await scrape(zone, ["a": ["a1"], "b": ["b1"]])
        try await scrape(zone, ["a": []])
        #expect(try await day(zone) == ["b": ["b1"]])
    }

    @Test("Killed at any moment, a day reads as before or as after, and the next scrape puts it right")
    func killed() async throws {
        let first = ["a": ["a1", "a2"], "b": ["b1"]]
        let second = ["a": ["A1", "A2", "A3"], "c": ["c1", "FAIL"], "d": ["d1"]]
        let after = ["a": ["A1", "A2", "A3"], "b": ["b1"], "d": ["d1"]]
        var seenBefore = false
        var finished = false
        var operations = 0
        while !finished {
            let objects = MemoryObjects()
            try await scrape(LandingZone(store: MemoryObjectStore(objects)), first)
            do {
                try await scrape(LandingZone(store: MemoryObjectStore(objects, dyingAfter: operations)), second)
                finished = true
            } catch is Killed {}
            let zone = LandingZone(store: MemoryObjectStore(objects))
            let seen = try await day(zone)
            #expect(seen == first || seen == after, "killed after \(operations) operations")
            seenBefore = seenBefore || seen == first
            try await scrape(zone, second, .scraping(run: "run-2"))
            #expect(try await day(zone) == after)
            let manifest = try #require(try await zone.manifest(on: fifth))
            let named = Set(manifest.files.map { "raw/2026-01-05/" + $0.name })
            #expect(Set(objects.keys.filter { $0.hasSuffix(".csv") }) == named, "nothing is left behind")
            operations += 1
        }
        #expect(seenBefore && operations > 8)
    }

    @Test("A changed, cut or missing file is an error that names it with both checksums", arguments: 0..<3)
    func damaged(kind: Int) async throws {
        let objects = MemoryObjects()
        let zone = LandingZone(store: MemoryObjectStore(objects))
        try await scrape(zone, ["a": ["one"], "b": ["two"]])
        let key = "raw/2026-01-05/b_020000.csv"
        objects[key] = [bytes("tWo"), bytes("tw"), nil][kind]
        let error = try await #require(throws: HeadraceError.self) { try await zone.read(fifth, in: .scraping()) }
        #expect(error.code == .landedFileChanged && error.message.contains(key))
        let expected = Hexadecimal.encode(try SHA256.hash(bytes("two")))
        #expect(error.fields.first?.value == "3 bytes, sha256 \(expected)")
        let found = try objects[key].map { "\($0.count) bytes, sha256 \(Hexadecimal.encode(try SHA256.hash($0)))" }
        #expect(error.fields.last?.value == found ?? "no such file")
    }

    @Test("A manifest with sizes and checksums alone is enough; a damaged one is a clear error")
    func foreign() async throws {
        let objects = MemoryObjects()
        let zone = LandingZone(store: MemoryObjectStore(objects))
        objects["raw/2026-01-05/shop_010203.csv"] = bytes("x")
        let sha256 = Hexadecimal.encode(try SHA256.hash(bytes("x")))
        objects["raw/2026-01-05/manifest.json"] = bytes(
            #"{"files":[{"name":"shop_010203.csv","bytes":1,"sha256":"\#(sha256.uppercased())"}]}"#)
        #expect(try await day(zone) == ["shop": ["x"]])
        for broken in [
            "", "{", "{}", #"{"files":[{"name":"x"}]}"#, #"{"files":[{"name":"../x","bytes":1,"sha256":""}]}"#,
        ] {
            objects["raw/2026-01-05/manifest.json"] = bytes(broken)
            let error = await #expect(throws: HeadraceError.self) { try await zone.read(fifth, in: .scraping()) }
            #expect(error?.code == .malformedInput)
        }
    }

    @Test("A date that was not landed is not found")
    func missing() async throws {
        let zone = LandingZone(store: MemoryObjectStore(MemoryObjects()))
        let error = await #expect(throws: HeadraceError.self) { try await zone.read(fifth, in: .scraping()) }
        #expect(error?.code == .notFound && error?.message.contains("2026-01-05") == true)
    }

    @Test("Names that cannot be files are refused", arguments: ["", "../x", "a/b", ".a", "a b", "é"])
    func names(name: String) async throws {
        let zone = LandingZone(store: MemoryObjectStore(MemoryObjects()))
        let scrape = try await zone.scrape(on: fifth, in: .scraping())
        await #expect(throws: HeadraceError.self) { _ = try await scrape.source(name, fileExtension: "csv") }
        await #expect(throws: HeadraceError.self) { _ = try await scrape.source("a", fileExtension: name) }
        _ = try await scrape.source("a", fileExtension: "csv")
        await #expect(throws: HeadraceError.self) { _ = try await scrape.source("a", fileExtension: "csv") }
    }

    @Test("Over a local folder the same holds, and the files are there for other programs")
    func local() async throws {
        let path = "/tmp/headrace-landing-\(getpid())"
        defer { _ = try? FolderRemoval.remove(path) }
        let zone = LandingZone(store: LocalObjectStore(at: path))
        try await scrape(zone, ["a": ["a1", "a2"]])
        #expect(try await day(zone) == ["a": ["a1", "a2"]])
        #expect(access("\(path)/raw/2026-01-05/a_020000-001.csv", R_OK) == 0)
        unlink("\(path)/raw/2026-01-05/a_020000-002.csv")
        let error = await #expect(throws: HeadraceError.self) { try await zone.read(fifth, in: .scraping()) }
        #expect(error?.code == .landedFileChanged)
    }
}

@Suite struct LandingArchiveTests {
    private static let days = (0..<4).map { CivilDate(daysSinceEpoch: 20_458 + $0) }

    private func filled() async throws -> MemoryObjects {
        let objects = MemoryObjects()
        for (index, date) in Self.days.enumerated() {
            try await scrape(LandingZone(store: MemoryObjectStore(objects)), ["a": ["\(index)", "more"]], on: date)
        }
        return objects
    }

    @Test("Days beyond the age move to the archive and are still read")
    func moves() async throws {
        let objects = try await filled()
        let zone = LandingZone(store: MemoryObjectStore(objects))
        objects["raw/README"] = bytes("not a day")
        let moved = try await zone.archive(olderThan: 1, today: Self.days[3], in: .scraping())
        #expect(moved == Array(Self.days[..<2]))
        #expect(try await zone.dates() == Array(Self.days[2...]))
        #expect(objects.keys.contains("archive/2026-01-05/a_020000-001.csv"))
        for (index, date) in Self.days.enumerated() {
            #expect(try await day(zone, date) == ["a": ["\(index)", "more"]])
        }
        #expect(try await zone.archive(olderThan: 1, today: Self.days[3], in: .scraping()).isEmpty)
    }

    @Test("Killed at any moment, every day is still read, and the next call finishes the move")
    func killed() async throws {
        for operations in 0..<20 {
            let objects = try await filled()
            do {
                _ = try await LandingZone(store: MemoryObjectStore(objects, dyingAfter: operations))
                    .archive(olderThan: 1, today: Self.days[3], in: .scraping())
            } catch is Killed {}
            let zone = LandingZone(store: MemoryObjectStore(objects))
            for (index, date) in Self.days.enumerated() {
                #expect(try await day(zone, date) == ["a": ["\(index)", "more"]], "killed after \(operations)")
            }
            _ = try await zone.archive(olderThan: 1, today: Self.days[3], in: .scraping())
            #expect(objects.keys.filter { $0.hasPrefix("raw/") }.count == 8)
            #expect(objects.keys.filter { $0.hasPrefix("archive/") }.count == 8)
            #expect(try await day(zone, Self.days[0]) == ["a": ["0", "more"]])
        }
    }

    @Test("A scrape of an archived day brings the day back and adds to it")
    func restores() async throws {
        let objects = try await filled()
        let zone = LandingZone(store: MemoryObjectStore(objects))
        _ = try await zone.archive(olderThan: 0, today: Self.days[3], in: .scraping())
        try await scrape(zone, ["b": ["late"]], on: Self.days[0])
        #expect(try await day(zone, Self.days[0]) == ["a": ["0", "more"], "b": ["late"]])
        #expect(!objects.keys.contains { $0.hasPrefix("archive/2026-01-05/") })
    }
}

/// Removes a folder with what is in it.
enum FolderRemoval {
    static func remove(_ path: String) throws {
        guard let folder = opendir(path) else { return }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            if entry.pointee.d_type == UInt8(DT_DIR) {
                try remove("\(path)/\(name)")
            } else {
                unlink("\(path)/\(name)")
            }
        }
        rmdir(path)
    }
}
