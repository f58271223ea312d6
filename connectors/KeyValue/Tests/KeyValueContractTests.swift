import HeadraceColumnar
import HeadraceCore
import HeadraceKeyValue
import HeadraceTesting
import Testing

/// A table of 2,500 items in a store of its own.
private struct WrittenTable: SourceHarness {
    let folder: TemporaryFolder

    init() async throws {
        folder = try TemporaryFolder()
        let store = EmbeddedKeyValueStore(at: folder.store, clock: VirtualClock())
        try await store.ensureTable("t", key: KeySchema(partition: "id"), ttl: nil)
        for row in Self.rows {
            var item: Item = ["id": .string(row[0].description)]
            if !row[1].isNull { item["name"] = .string(row[1].description) }
            _ = try await store.put("t", item, if: nil)
        }
        await store.close()
    }

    private static let rows: [[Scalar]] = NamedRows.rows(10_000..<12_500).map { [.utf8($0[0].description), $0[1]] }

    func makeSource() throws -> EmbeddedKeyValueSource { EmbeddedKeyValueSource(path: folder.store, table: "t") }
    var expectedSchema: Schema { Schema([Field("id", .utf8, nullable: false), Field("name", .utf8)]) }
    var expectedRows: [[Scalar]] { Self.rows }
    // By the keys' hashes in a remote store; nobody may rely on more.
    var keepsOrder: Bool { false }
}

/// A table of a store of its own, read back by the `sqlite3` program.
private struct TargetTable: SinkHarness {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func makeSink() throws -> KeyValueSink {
        let path = folder.store
        return try KeyValueSink("kv:\(path)", table: "t", key: ["id"]) {
            EmbeddedKeyValueStore(at: path, clock: $0.clock)
        }
    }

    func rows(_ columns: [String]) async throws -> [[String?]] {
        guard folder.files.contains("store.db") else { return [] }
        let read = try ChildProcess.run(
            ["sqlite3", "-batch", folder.store, "SELECT item FROM items JOIN tables ON id = table_id WHERE name = 't'"])
        try #require(read.status == 0, "\(read.errors)")
        return try read.output.split(separator: "\n").map { line in
            let item = try JSONValue.parse(String(line))
            return columns.map { item[$0]?["S"]?.stringValue ?? item[$0]?["N"]?.stringValue }
        }
    }

    func leftovers() async throws -> [String] {
        folder.files.filter { !["store.db", "store.db-wal", "store.db-shm"].contains($0) }
    }
}

@Suite struct KeyValueContractTests {
    @Test("What the engine demands of every source", arguments: SourceContract<WrittenTable>.checks)
    private func source(_ check: Check<WrittenTable>) async throws { try await check.run(on: try await WrittenTable()) }

    @Test("What the engine demands of every sink", arguments: SinkContract<TargetTable>.checks)
    private func sink(_ check: Check<TargetTable>) async throws { try await check.run(on: try TargetTable()) }
}
