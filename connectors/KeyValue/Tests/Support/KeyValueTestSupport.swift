import HeadraceColumnar
import HeadraceCore
import HeadraceKeyValue
import HeadraceTesting
import Synchronization

extension TemporaryFolder {
    var store: String { self("store.db") }
    var files: [String] { (try? names()) ?? [] }

    /// The store's files as they are at this moment, in a folder of their own: what a kill would leave.
    func image() throws -> TemporaryFolder {
        let copy = try TemporaryFolder()
        for name in ["store.db", "store.db-wal"] where files.contains(name) {
            _ = try ChildProcess.run(["cp", self(name), copy(name)])
        }
        return copy
    }
}

func checkpoint(_ epoch: Int = 1, final: Bool = true, fence: Int64 = 1) -> Checkpoint {
    Checkpoint(
        epoch: epoch, positions: [StreamID("s"): Position(["row": .integer(epoch)])], isFinal: final,
        run: "run-\(fence)")
}

func batch(_ schema: Schema, _ rows: [[Scalar]]) throws -> Batch { .testing(try .of(schema, rows)) }

/// All items of a table, page by page.
func everything(_ store: any KeyValueStore, _ table: String, page: Int = 7) async throws -> [Item] {
    var items: [Item] = []
    var last: Item?
    repeat {
        let found = try await store.scan(table, after: last, limit: page)
        items += found.items
        last = found.last
    } while last != nil
    return items
}

/// The code of the error that a call throws, nil when it throws none of ours.
func code(_ work: () async throws -> Void) async -> String? {
    do {
        try await work()
        return nil
    } catch {
        return (error as? HeadraceError)?.code.rawValue ?? "\(error)"
    }
}

/// A store that leaves part of every batch undone and throws at times, and cannot hold writes back.
final class FlakyStore: KeyValueStore {
    private let inner: EmbeddedKeyValueStore
    private let random: RunRandom
    private let undone: Double
    private let failing: Double
    private let seen = Mutex((batches: 0, sizes: [Int]()))

    init(_ inner: EmbeddedKeyValueStore, seed: UInt64, undone: Double, failing: Double) {
        self.inner = inner
        random = RunRandom(seed: seed)
        self.undone = undone
        self.failing = failing
    }

    var batches: Int { seen.withLock { $0.batches } }
    var largest: Int { seen.withLock { $0.sizes.max() ?? 0 } }

    var name: String { "flaky" }
    func ensureTable(_ table: String, key: KeySchema, ttl: String?) async throws {
        try await inner.ensureTable(table, key: key, ttl: ttl)
    }
    func get(_ table: String, key: Item) async throws -> Item? { try await inner.get(table, key: key) }
    func put(_ table: String, _ item: Item, if condition: WriteCondition?) async throws -> Bool {
        try await inner.put(table, item, if: condition)
    }
    func batchWrite(_ table: String, _ writes: [KeyValueWrite]) async throws -> [KeyValueWrite] {
        seen.withLock {
            $0.batches += 1
            $0.sizes.append(writes.count)
        }
        if random.fraction() < failing {
            throw HeadraceError(.throttled, "slow down", retry: .mayHelp)
        }
        var (now, later): ([KeyValueWrite], [KeyValueWrite]) = ([], [])
        for write in writes {
            if random.fraction() < undone { later.append(write) } else { now.append(write) }
        }
        if !now.isEmpty { _ = try await inner.batchWrite(table, now) }
        return later
    }
    func scan(_ table: String, after start: Item?, limit: Int) async throws -> (items: [Item], last: Item?) {
        try await inner.scan(table, after: start, limit: limit)
    }
    func query(_ table: String, partition: AttributeValue, after start: Item?, limit: Int) async throws -> (
        items: [Item], last: Item?
    ) { try await inner.query(table, partition: partition, after: start, limit: limit) }
    func close() async { await inner.close() }
}
