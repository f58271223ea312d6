import Foundation
import HeadraceCore
import HeadraceKeyValue
import HeadraceTesting
import Testing

@Suite struct EmbeddedKeyValueStoreTests {
    @Test("It keeps the contract of key-value stores")
    func contract() async throws {
        let folder = try TemporaryFolder()
        let store = EmbeddedKeyValueStore(at: folder.store, clock: VirtualClock())
        try await KeyValueContract(store: store, table: "t").all()
        await store.close()
        #expect(folder.files == ["store.db"], "nothing but the one file stays")
    }

    @Test("A store that leaves work undone keeps the contract, too")
    func flakyContract() async throws {
        let folder = try TemporaryFolder()
        let store = FlakyStore(
            EmbeddedKeyValueStore(at: folder.store, clock: VirtualClock()), seed: 5, undone: 0.3, failing: 0)
        try await KeyValueContract(store: store, table: "t").writesBatches()
    }

    @Test("What was written is there for whoever opens the file next")
    func durable() async throws {
        let folder = try TemporaryFolder()
        let first = EmbeddedKeyValueStore(at: folder.store, clock: VirtualClock())
        try await first.ensureTable("Prices", key: KeySchema(partition: "Id"), ttl: nil)
        _ = try await first.put("Prices", ["Id": .string("1"), "price": .number("9.90")], if: nil)
        // Not closed: the files as a kill leaves them.
        let image = try folder.image()
        let second = EmbeddedKeyValueStore(at: image.store, clock: VirtualClock(), creates: false)
        #expect(try await second.get("Prices", key: ["Id": .string("1")])?["price"] == .number("9.9"))
        #expect(try await second.key(of: "Prices") == KeySchema(partition: "Id"))
    }

    @Test("Items in canonical typed JSON can be read by any SQLite client")
    func readable() async throws {
        let folder = try TemporaryFolder()
        let store = EmbeddedKeyValueStore(at: folder.store, clock: VirtualClock())
        try await store.ensureTable("Prices", key: KeySchema(partition: "Id"), ttl: nil)
        _ = try await store.put(
            "Prices", ["b": .number("1.0"), "Id": .string("1"), "a": .stringSet(["y", "x"])], if: nil)
        await store.close()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "sqlite3", folder.store, "SELECT item FROM items JOIN tables ON id = table_id WHERE name = 'Prices'",
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(text == #"{"Id":{"S":"1"},"a":{"SS":["x","y"]},"b":{"N":"1"}}"# + "\n")
    }

    @Test("Writers of several connections wait for each other and lose nothing")
    func concurrent() async throws {
        let folder = try TemporaryFolder()
        let path = folder.store
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<6 {
                group.addTask {
                    let store = EmbeddedKeyValueStore(at: path, clock: VirtualClock())
                    try await store.ensureTable("t", key: KeySchema(partition: "Id"), ttl: nil)
                    for number in 0..<20 {
                        // All count the same item up: only one of the same value may win each time.
                        while true {
                            let found = try await store.get("t", key: ["Id": .string("counter")])
                            let value = found?["n"] ?? .number("0")
                            guard case .number(let text) = value, let count = Int(text) else { break }
                            let condition: WriteCondition =
                                found == nil ? .notExists : .equals(attribute: "n", value)
                            let next: Item = ["Id": .string("counter"), "n": .number("\(count + 1)")]
                            if try await store.put("t", next, if: condition) { break }
                        }
                        _ = try await store.batchWrite("t", [.put(["Id": .string("\(writer)-\(number)")])])
                    }
                    await store.close()
                }
            }
            try await group.waitForAll()
        }
        let store = EmbeddedKeyValueStore(at: path, clock: VirtualClock())
        #expect(try await store.get("t", key: ["Id": .string("counter")])?["n"] == .number("120"))
        #expect(try await store.count("t") == 121)
    }

    @Test("Items are not seen after their time to live")
    func timeToLive() async throws {
        let folder = try TemporaryFolder()
        let clock = VirtualClock(at: 1_000_000_000)
        let store = EmbeddedKeyValueStore(at: folder.store, clock: clock)
        try await store.ensureTable("t", key: KeySchema(partition: "Id"), ttl: "expires")
        for (id, expires) in [("a", AttributeValue.number("1005")), ("b", .number("1010.5")), ("c", .string("1001"))] {
            _ = try await store.put("t", ["Id": .string(id), "expires": expires], if: nil)
        }
        #expect(try await store.count("t") == 3)
        clock.advance(by: .seconds(5))
        #expect(try await store.get("t", key: ["Id": .string("a")]) == nil)
        #expect(try await everything(store, "t", page: 1).map { $0["Id"] } == [.string("b"), .string("c")])
        #expect(try await store.put("t", ["Id": .string("a")], if: .notExists))
        clock.advance(by: .seconds(5))
        #expect(try await store.count("t") == 2)
        #expect(try await store.removeExpired("t") == 1)
        // A rule that changes holds for the items that are there.
        _ = try await store.put("t", ["Id": .string("d"), "until": .number("1")], if: nil)
        #expect(try await store.count("t") == 3)
        try await store.ensureTable("t", key: KeySchema(partition: "Id"), ttl: "until")
        #expect(try await store.count("t") == 2)
    }

    @Test("A page never grows beyond a megabyte, however large the limit")
    func pages() async throws {
        let folder = try TemporaryFolder()
        let store = EmbeddedKeyValueStore(at: folder.store, clock: VirtualClock())
        try await store.ensureTable("t", key: KeySchema(partition: "Id"), ttl: nil)
        let big = AttributeValue.string(String(repeating: "x", count: 300_000))
        for id in 0..<9 { _ = try await store.put("t", ["Id": .string("\(id)"), "big": big], if: nil) }
        let page = try await store.scan("t", after: nil, limit: 1000)
        #expect(page.items.count == 4 && page.last == ["Id": .string("3")])
        #expect(try await everything(store, "t", page: 1000).count == 9)
    }

    @Test("What is no store is a clear error")
    func otherFiles() async throws {
        let folder = try TemporaryFolder()
        func failure(_ path: String, creates: Bool = false) async -> String? {
            await code {
                _ = try await EmbeddedKeyValueStore(at: path, clock: VirtualClock(), creates: creates).tables()
            }
        }
        #expect(await failure(folder.path + "/absent.db") == "notFound")
        #expect(await failure(folder.path + "/absent/x.db", creates: true) == "notFound")
        #expect(await failure("") == "badLocation")
        try Data(repeating: 65, count: 5000).write(to: URL(fileURLWithPath: folder.path + "/text"))
        #expect(await failure(folder.path + "/text") == "notADatabase")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["sqlite3", folder.path + "/other.db", "CREATE TABLE items(x)"]
        try process.run()
        process.waitUntilExit()
        #expect(await failure(folder.path + "/other.db", creates: true) == "unsupported")
        #expect(!folder.files.contains("absent.db"))
    }

    @Test("Tables differ by case, and names that no table can have are refused")
    func names() async throws {
        let folder = try TemporaryFolder()
        let store = EmbeddedKeyValueStore(at: folder.store, clock: VirtualClock())
        for name in ["Prices", "prices", "sqlite_x", "a.b-c_1"] {
            try await store.ensureTable(name, key: KeySchema(partition: "Id"), ttl: nil)
            _ = try await store.put(name, ["Id": .string(name)], if: nil)
        }
        for name in ["", "a b", "a'b", "é", String(repeating: "x", count: 256)] {
            #expect(
                await code { try await store.ensureTable(name, key: KeySchema(partition: "Id"), ttl: nil) }
                    == "badOption")
        }
        #expect(try await store.count("Prices") == 1)
        #expect(try await store.tables().map(\.name) == ["Prices", "a.b-c_1", "prices", "sqlite_x"])
    }

    @Test("A read by key stays well below ten milliseconds in a table of many items")
    func fast() async throws {
        let folder = try TemporaryFolder()
        let store = EmbeddedKeyValueStore(at: folder.store, clock: VirtualClock())
        try await store.ensureTable("t", key: KeySchema(partition: "Id"), ttl: nil)
        let transaction = try await store.beginTransaction("t", sink: "s", keeping: [], in: RunContext.testing())
        try await transaction.write((0..<20_000).map { ["Id": .string("\($0)"), "v": .number("\($0)")] })
        #expect(try await transaction.settle().inserted == 20_000)
        try await transaction.commit(checkpoint())
        _ = try await store.get("t", key: ["Id": .string("0")])
        let begin = ContinuousClock.now
        for id in 0..<200 {
            #expect(try await store.get("t", key: ["Id": .string("\(id * 97)")])?["v"] == .number("\(id * 97)"))
        }
        #expect((ContinuousClock.now - begin) / 200 < .milliseconds(10))
    }
}
