import HeadraceColumnar
public import HeadraceCore

/// Writes the batches of a `KeyValueSink`.
///
/// - Invariant (`@unchecked Sendable`): `target` and `isOpen` are used by one caller at a time, as `SinkWriter` promises;
///   `encode` touches only the batch and constants.
public final class KeyValueSinkWriter: SinkWriter, @unchecked Sendable {
    enum Target {
        case transaction(any KeyValueTransaction)
        case puts(BatchPutter)
    }

    /// The items of a batch and the rows that cannot be items.
    public struct Encoded: Sendable {
        let items: [Item]
        let rejects: [Reject]
    }

    private let mapping: ItemMapping
    private let key: KeySchema
    private let store: any KeyValueStore
    private var target: Target
    private var settled = 0
    private var isOpen = true

    init(_ mapping: ItemMapping, _ key: KeySchema, _ store: any KeyValueStore, _ target: Target) {
        self.mapping = mapping
        self.key = key
        self.store = store
        self.target = target
    }

    public func encode(_ batch: Batch) throws -> Encoded {
        var items: [Item] = []
        items.reserveCapacity(batch.count)
        var rejects: [Reject] = []
        for row in 0..<batch.count {
            do {
                items.append(try ItemRules.checked(try mapping.item(batch.records, row: row), key: key))
            } catch {
                let attribute = error.fields.first { $0.name == "attribute" }?.value
                rejects.append(
                    batch.reject(
                        row: row, rule: "item", code: error.code.rawValue, field: attribute, message: error.message))
            }
        }
        return Encoded(items: items, rejects: rejects)
    }

    public func write(_ encoded: Encoded) async throws -> [Reject] {
        switch target {
        case .transaction(let transaction): try await transaction.write(encoded.items)
        case .puts(var putter):
            try await putter.put(encoded.items)
            target = .puts(putter)
        }
        return encoded.rejects
    }

    public func settle() async throws -> WriteCounts {
        switch target {
        case .transaction(let transaction): return try await transaction.settle()
        case .puts(var putter):
            try await putter.flush()
            let counts = WriteCounts(updated: putter.taken - settled)
            settled = putter.taken
            target = .puts(putter)
            return counts
        }
    }

    public func commit(_ checkpoint: Checkpoint) async throws {
        if case .transaction(let transaction) = target { try await transaction.commit(checkpoint) }
        if checkpoint.isFinal { await close() }
    }

    public func abort() async {
        if case .transaction(let transaction) = target { await transaction.abort() }
        await close()
    }

    private func close() async {
        guard isOpen else { return }
        isOpen = false
        await store.close()
    }
}
