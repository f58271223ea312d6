import HeadraceCore
import HeadraceKeyValue
import Testing

/// What every key-value store must do, so that one can stand for another: same inputs, same items, same errors.
///
/// A store is held to it by a suite that calls each part with a fresh table.
struct KeyValueContract {
    let store: any KeyValueStore
    let table: String

    func all() async throws {
        try await givesBackWhatWasPut()
        try await normalisesNumbers()
        try await refusesWhatNoStoreTakes()
        try await checksConditions()
        try await writesBatches()
        try await refusesBatches()
        try await scansInPages()
    }

    /// A table without sort key; each part starts from no items.
    private func fresh(_ name: String, _ key: KeySchema = KeySchema(partition: "Id")) async throws -> String {
        let table = "\(self.table)-\(name)"
        try await store.ensureTable(table, key: key, ttl: nil)
        return table
    }

    func givesBackWhatWasPut() async throws {
        let table = try await fresh("types")
        let item: Item = [
            "Id": .string("é😀 \u{0} \"\\"), "null": .null, "yes": .bool(true), "no": .bool(false),
            "text": .string("tab\t"),
            "empty": .string(""), "bytes": .binary([0, 255, 1]), "noBytes": .binary([]),
            "list": .list([.number("1"), .null]),
            "noList": .list([]), "map": .map(["a": .map(["b": .list([.string("deep")])])]), "noMap": .map([:]),
            "texts": .stringSet(["b", "a"]), "numbers": .numberSet(["10", "9"]), "blobs": .binarySet([[2], [1]]),
        ]
        #expect(try await store.put(table, item, if: nil))
        let found = try #require(try await store.get(table, key: ["Id": .string("é😀 \u{0} \"\\")]))
        #expect(ItemJSON.typed(found) == ItemJSON.typed(item))
        #expect(try await store.get(table, key: ["Id": .string("e")]) == nil)
        #expect(try await store.put(table, ["Id": .string("é😀 \u{0} \"\\")], if: nil))
        #expect(try await store.get(table, key: ["Id": .string("é😀 \u{0} \"\\")])?.count == 1)
    }

    func normalisesNumbers() async throws {
        let table = try await fresh("numbers")
        let thirtyEight = "12345678901234567890.123456789012345678"
        let forms = [
            ("1.50", "1.5"), ("007", "7"), ("-0.0", "0"), ("+3", "3"), ("1e3", "1000"), ("1E-3", "0.001"),
            (".5", "0.5"),
            ("100", "100"), (thirtyEight, thirtyEight), ("-" + thirtyEight + "000", "-" + thirtyEight),
            ("9.9E+125", "99" + String(repeating: "0", count: 124)),
            ("1E-130", "0." + String(repeating: "0", count: 129) + "1"),
        ]
        for (index, (written, stored)) in forms.enumerated() {
            let id = Item(dictionaryLiteral: ("Id", .string("\(index)")))
            _ = try await store.put(table, id.merging(["n": .number(written)]) { $1 }, if: nil)
            #expect(try await store.get(table, key: id)?["n"] == .number(stored), "\(written)")
        }
        for bad in ["", "-", ".", "1e", "abc", "1 ", "1E126", "1E-131", "NaN", "0x10", "1_0", thirtyEight + "1"] {
            let put = await code { _ = try await store.put(table, ["Id": .string("x"), "n": .number(bad)], if: nil) }
            #expect(put == "invalidItem", "\(bad)")
        }
    }

    func refusesWhatNoStoreTakes() async throws {
        let table = try await fresh("rules")
        let bad: [Item] = [
            [:], ["other": .string("x")], ["Id": .string("")], ["Id": .number("1")], ["Id": .null],
            ["Id": .string(String(repeating: "k", count: 2049))], ["Id": .string("x"), "s": .stringSet([])],
            ["Id": .string("x"), "s": .stringSet(["a", "a"])], ["Id": .string("x"), "s": .numberSet(["1", "1.0"])],
            ["Id": .string("x"), "deep": (0..<33).reduce(AttributeValue.null) { value, _ in .list([value]) }],
        ]
        for item in bad { #expect(await code { _ = try await store.put(table, item, if: nil) } == "invalidItem") }
        let deep = (0..<32).reduce(AttributeValue.null) { value, _ in .list([value]) }
        #expect(try await store.put(table, ["Id": .string("deep"), "deep": deep], if: nil))
        // "Id", "x", "big" and the text: exactly 400 KB, and one byte more.
        let room = (400 << 10) - 2 - 1 - 3
        let big = AttributeValue.string(String(repeating: "b", count: room))
        #expect(try await store.put(table, ["Id": .string("x"), "big": big], if: nil))
        #expect(
            await code { _ = try await store.put(table, ["Id": .string("xx"), "big": big], if: nil) } == "itemTooLarge")
        #expect(
            await code { _ = try await store.get(table, key: ["Id": .string("x"), "more": .null]) } == "invalidItem")
        #expect(await code { _ = try await store.get(table, key: [:]) } == "invalidItem")
        #expect(
            await code { _ = try await store.get("\(self.table)-absent", key: ["Id": .string("x")]) } == "tableNotFound"
        )
        #expect(
            await code { try await store.ensureTable(table, key: KeySchema(partition: "Other"), ttl: nil) }
                == "schemaMismatch")
        try await store.ensureTable(table, key: KeySchema(partition: "Id"), ttl: nil)
    }

    func checksConditions() async throws {
        let table = try await fresh("conditions")
        let item: Item = ["Id": .string("x"), "at": .number("10"), "name": .string("b")]
        func put(_ condition: WriteCondition, _ id: String = "x") async throws -> Bool {
            try await store.put(table, item.merging(["Id": .string(id)]) { $1 }, if: condition)
        }
        #expect(try await !put(.exists))
        #expect(try await !put(.equals(attribute: "at", .number("10"))))
        #expect(try await put(.notExists))
        #expect(try await !put(.notExists))
        #expect(try await put(.exists))
        #expect(try await put(.equals(attribute: "at", .number("10.0"))))
        #expect(try await !put(.equals(attribute: "at", .string("10"))))
        #expect(try await put(.lessThan(attribute: "at", .number("11"))))
        #expect(try await !put(.lessThan(attribute: "at", .number("10"))))
        #expect(try await !put(.lessThan(attribute: "at", .number("9"))), "numbers do not compare as text")
        #expect(try await put(.lessThan(attribute: "name", .string("c"))))
        #expect(try await !put(.lessThan(attribute: "name", .string("b"))))
        #expect(try await !put(.lessThan(attribute: "name", .number("99"))))
        #expect(try await put(.lessThan(attribute: "absent", .number("0"))))
        #expect(try await put(.lessThan(attribute: "at", .number("0")), "new"))
    }

    func writesBatches() async throws {
        let table = try await fresh("batches")
        let puts = (0..<25).map { KeyValueWrite.put(["Id": .string("\($0)"), "n": .number("\($0)")]) }
        try await finish(table, puts)
        let mixed: [KeyValueWrite] = [
            .delete(key: ["Id": .string("0")]), .delete(key: ["Id": .string("never")]),
            .put(["Id": .string("1"), "n": .number("100")]),
        ]
        try await finish(table, mixed)
        #expect(try await everything(store, table).count == 24)
        #expect(try await store.get(table, key: ["Id": .string("1")])?["n"] == .number("100"))
        #expect(try await store.get(table, key: ["Id": .string("0")]) == nil)
    }

    /// Writes a batch, and what a store leaves undone again.
    private func finish(_ table: String, _ writes: [KeyValueWrite]) async throws {
        var left = writes
        for _ in 0..<100 where !left.isEmpty { left = try await store.batchWrite(table, left) }
        #expect(left.isEmpty)
    }

    func refusesBatches() async throws {
        let table = try await fresh("badBatches")
        func write(_ writes: [KeyValueWrite]) async -> String? {
            await code { _ = try await store.batchWrite(table, writes) }
        }
        #expect(await write([]) == "invalidBatch")
        #expect(await write((0..<26).map { .put(["Id": .string("\($0)")]) }) == "invalidBatch")
        #expect(await write([.put(["Id": .string("a"), "n": .null]), .put(["Id": .string("a")])]) == "invalidBatch")
        #expect(await write([.put(["Id": .string("a")]), .delete(key: ["Id": .string("a")])]) == "invalidBatch")
        #expect(await write([.put(["Id": .string("a")]), .put(["Id": .string("")])]) == "invalidItem")
        #expect(try await everything(store, table).isEmpty, "of a refused batch nothing is written")
    }

    func scansInPages() async throws {
        let key = KeySchema(partition: "p", sort: "s", sortType: .number)
        let table = try await fresh("pages", key)
        let numbers = ["-1000", "-12.3", "-12", "-1.5", "-0.001", "0", "0.001", "1", "1.5", "9", "10", "123", "1E+20"]
        for partition in ["b", "a"] {
            for number in numbers.reversed() {
                _ = try await store.put(
                    table, ["p": .string(partition), "s": .number(number), "v": .string(partition + number)], if: nil)
            }
        }
        let stored = numbers.map { $0 == "1E+20" ? "100000000000000000000" : $0 }
        for page in [1, 2, 5, 13, 100] {
            let scanned = try await everything(store, table, page: page)
            #expect(scanned.count == 26 && Set(scanned.map { $0["v"] }).count == 26)
            var found: [AttributeValue?] = []
            var last: Item?
            repeat {
                let answer = try await store.query(table, partition: .string("b"), after: last, limit: page)
                found += answer.items.map { $0["s"] }
                last = answer.last
            } while last != nil
            #expect(found == stored.map { .number($0) }, "sort keys are in order")
        }
        #expect(try await store.query(table, partition: .string("none"), after: nil, limit: 5).items.isEmpty)
        #expect(
            await code { _ = try await store.query(table, partition: .number("1"), after: nil, limit: 5) }
                == "invalidItem")
    }
}
