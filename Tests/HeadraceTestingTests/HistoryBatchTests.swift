import HeadraceCore
import HeadraceTesting
import Testing

@Suite struct HistoryBatchTests {
    /// The versions of a model after what a batch says was written.
    private func written(_ batch: HistoryBatch, over versions: [HistoryModel.Version], _ changes: [HistoryModel.Change])
        -> [HistoryModel.Version]
    {
        var result = versions
        for change in batch.changed {
            if let row = change.row { result[change.place].value = changes[row].value }
            if let until = change.until {
                result[change.place].until = until
                result[change.place].isCurrent = false
            }
        }
        for begin in batch.begun {
            result.append(
                HistoryModel.Version(
                    key: changes[begin.row].key, value: changes[begin.row].value, from: begin.from, until: begin.until,
                    isCurrent: begin.until == nil))
        }
        return result
    }

    private func sorted(_ versions: [HistoryModel.Version]) -> [HistoryModel.Version] {
        versions.sorted { ($0.key, $0.from) < ($1.key, $1.from) }
    }

    @Test("What a batch comes to is what its rows come to one after another", arguments: 0..<300)
    func property(seed: Int) {
        var model = HistoryModel(HistoryModel.table(seed: UInt64(seed)))
        for changes in HistoryModel.batches(seed: UInt64(seed), count: 6) {
            let before = model.versions
            var batch = HistoryBatch()
            for key in Set(changes.map(\.key)).sorted() {
                // Rows before versions for every other key: a database may list them either way.
                func versions() {
                    for (place, version) in before.enumerated() where version.key == key {
                        batch.add(
                            version: place, key: key, value: version.value, from: version.from, until: version.until)
                    }
                }
                if key % 2 == 0 { versions() }
                for (row, change) in changes.enumerated() where change.key == key {
                    batch.add(row: row, key: key, value: change.value, at: change.time)
                }
                if key % 2 == 1 { versions() }
            }
            batch.finish()
            #expect(model.apply(changes) == batch.counts)
            #expect(sorted(written(batch, over: before, changes)) == sorted(model.versions))
        }
    }

    @Test("Versions without rows change nothing")
    func nothing() {
        var batch = HistoryBatch()
        batch.add(version: 0, key: 1, value: 1, from: 1, until: nil)
        batch.finish()
        #expect(batch.isEmpty && batch.counts == WriteCounts())
    }
}
