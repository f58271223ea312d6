import Headrace
import Synchronization

/// A number that workers add to.
final class TrueCount: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add(_ more: Int) { count.add(more, ordering: .relaxed) }
}

/// Counts the rows in which a boolean column is true, and lets all pass.
struct CountTrue: RowTransform {
    let column: String
    let count: TrueCount
    var name: String { "count \(column)" }

    init(_ column: String, into count: TrueCount) {
        self.column = column
        self.count = count
    }

    func schema(from input: Schema) throws -> Schema { input }
    func makeStage(for input: Schema, in context: RunContext) throws -> Counter { Counter(column, count) }

    final class Counter: Stage {
        private let column: String
        private let count: TrueCount

        init(_ column: String, _ count: TrueCount) {
            self.column = column
            self.count = count
        }

        func process(_ batch: Batch) throws -> StageResult {
            if let flags = batch.records[column] {
                let view = flags.unsafeView
                var set = 0
                for row in 0..<flags.count where view.isValid(row) && view.bool(row) { set &+= 1 }
                count.add(set)
                withExtendedLifetime(flags) {}
            }
            return StageResult(batch)
        }
    }
}

/// A plugin's step that does nothing.
struct PassThrough: RowTransform {
    let name: String
    func schema(from input: Schema) throws -> Schema { input }
    func makeStage(for input: Schema, in context: RunContext) throws -> Idle { Idle() }

    final class Idle: Stage {
        func process(_ batch: Batch) throws -> StageResult { StageResult(batch) }
    }
}
