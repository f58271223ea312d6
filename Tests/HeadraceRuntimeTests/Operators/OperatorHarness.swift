import Glibc
import HeadraceColumnar
import HeadraceCore
import Synchronization
import Testing

@testable import HeadraceRuntime

/// Numbers that a test can repeat.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}

/// Rows of a made-up file: the chunk's first row has ordinal `first`.
final class TestOrigin: Origin {
    let source: String
    let ordinals: [Int]
    init(source: String, ordinals: [Int]) {
        self.source = source
        self.ordinals = ordinals
    }
    func place(of row: Int) -> Place {
        let ordinal = ordinals[row]
        return Place(source: source, file: "\(source).csv", line: ordinal + 1, byteOffset: ordinal * 10, row: ordinal)
    }
    func original(of row: Int) -> [UInt8]? { nil }
}

/// One row with where it came from, as references see it.
struct TestRow: Hashable {
    var source: Int
    var ordinal: Int
    var values: [Scalar]

    /// NaN equal to itself, so that rows can be compared.
    var normal: TestRow { TestRow(source: source, ordinal: ordinal, values: values.map(\.normal)) }
    var key: Int64 { Int64(source) << 51 | Int64(ordinal) }
}

extension Scalar {
    var normal: Scalar {
        switch self {
        case .double(let value): value.isNaN ? .utf8("NaN") : value == 0 ? .double(0) : self
        case .list(let values): .list(values.map(\.normal))
        case .struct(let values): .struct(values.map(\.normal))
        default: self
        }
    }

    /// Below zero, zero or above; neither is null.
    static func compare(_ left: Scalar, _ right: Scalar) -> Int {
        func order<T: Comparable>(_ one: T, _ other: T) -> Int { one < other ? -1 : one == other ? 0 : 1 }
        switch (left, right) {
        case (.bool(let one), .bool(let other)): return order(one ? 1 : 0, other ? 1 : 0)
        case (.integer(let one), .integer(let other)): return order(one, other)
        case (.double(let one), .double(let other)):
            if one.isNaN || other.isNaN { return order(one.isNaN ? 1 : 0, other.isNaN ? 1 : 0) }
            return order(one, other)
        case (.decimal(let one), .decimal(let other)): return order(one, other)
        case (.utf8(let one), .utf8(let other)):
            return one.utf8.lexicographicallyPrecedes(other.utf8) ? -1 : one == other ? 0 : 1
        case (.binary(let one), .binary(let other)):
            return one.lexicographicallyPrecedes(other) ? -1 : one == other ? 0 : 1
        case (.date(let one), .date(let other)): return order(one, other)
        case (.time(let one), .time(let other)), (.timestamp(let one), .timestamp(let other)): return order(one, other)
        case (.list(let one), .list(let other)), (.struct(let one), .struct(let other)):
            for (a, b) in zip(one, other) {
                let result = compareNullsLast(a, b)
                if result != 0 { return result }
            }
            return order(one.count, other.count)
        // A normal NaN, which is greater than all numbers.
        case (.utf8("NaN"), .double): return 1
        case (.double, .utf8("NaN")): return -1
        default: preconditionFailure("\(left) is not compared with \(right)")
        }
    }

    static func compareNullsLast(_ left: Scalar, _ right: Scalar) -> Int {
        if left.isNull || right.isNull { return (left.isNull ? 1 : 0) - (right.isNull ? 1 : 0) }
        return compare(left, right)
    }
}

extension TestRow {
    /// The order of sort keys, then source and ordinal, then values.
    static func compare(
        _ left: TestRow, _ right: TestRow, _ keys: [(column: Int, key: SortKey)], latestFirst: Bool = false
    ) -> Int {
        for (column, key) in keys {
            let one = left.values[column]
            let other = right.values[column]
            if one.isNull != other.isNull { return one.isNull == key.nullsFirst ? -1 : 1 }
            if one.isNull { continue }
            let result = Scalar.compare(one, other)
            if result != 0 { return key.isAscending ? result : -result }
        }
        if left.key != right.key { return (left.key < right.key) != latestFirst ? -1 : 1 }
        for (one, other) in zip(left.values, right.values) {
            let result = Scalar.compareNullsLast(one, other)
            if result != 0 { return result }
        }
        return 0
    }
}

/// What came out of an operator.
struct OperatorOutput {
    /// The rows of each partition in order; those that `consume` gave back stand under -1 in the order of their batches.
    var partitions: [Int: [TestRow]] = [:]
    var rejects: [Reject] = []
    var account = BreakerAccount()
    var schema = Schema([])

    var rows: [TestRow] { partitions.sorted { $0.key < $1.key }.flatMap(\.value) }
    var values: [[Scalar]] { rows.map { $0.values.map(\.normal) } }
}

/// Runs operators as the engine does: workers feed each input to its end, then ask for the partitions.
struct OperatorHarness {
    let context: RunContext
    let folder: String

    init(budget: Int = 1 << 30, faults: any FaultPoints = NoFaults()) throws {
        var template = Array("/tmp/headrace-operators-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        folder = try #require(made)
        context = RunContext(
            job: "test", run: "run", fence: 1, clock: StoppedClock(), random: RunRandom(seed: 7),
            memory: MemoryBudget(limit: budget), spillFolder: folder, rejects: NoRejects(), progress: SilentProgress(),
            log: .none, faults: faults, cancellation: Cancellation(), scheduling: .threaded(workers: 2))
    }

    /// The entries of the spill folder, which is removed when it is empty.
    func leftovers() -> [String] {
        guard let directory = opendir(folder) else { return ["no folder"] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        if names.isEmpty { rmdir(folder) }
        return names
    }

    /// Batches of `rows`, whose sizes are random up to `most`; with `encoding`, text columns get dictionaries at random.
    static func batches(
        _ schema: Schema, _ rows: [TestRow], most: Int, encoding: Bool, random: inout SeededRandom
    ) throws -> [Batch] {
        var batches: [Batch] = []
        var start = 0
        while start < rows.count {
            var end = min(rows.count, start + Int.random(in: 1...most, using: &random))
            // A batch has rows of one source.
            while rows[start].source != rows[end - 1].source { end -= 1 }
            let part = rows[start..<end]
            var records = try #require(RecordBatch(schema: schema, rows: part.map(\.values)))
            if encoding {
                let columns = records.columns.map { column -> ColumnVector in
                    guard column.type.layout == .bytes, Bool.random(using: &random) else { return column }
                    return Kernels.dictionaryEncoded(column, limit: column.count) ?? column
                }
                records = RecordBatch(schema: schema, columns: columns, count: part.count)
            }
            let origin = TestOrigin(source: "source\(rows[start].source)", ordinals: part.map(\.ordinal))
            batches.append(
                Batch(
                    records, provenance: Provenance(origin, sourceIndex: rows[start].source),
                    stream: StreamID("test"), sequence: UInt64(batches.count), recordsRead: part.count))
            start = end
        }
        return batches
    }

    /// Feeds `inputs` in order with `threads` workers and collects everything; the operator is discarded at the end.
    func run(_ breaker: any Breaker, _ inputs: [[Batch]], threads: Int) async throws -> OperatorOutput {
        defer { breaker.discard() }
        let collected = Mutex(OperatorOutput())
        let direct = Mutex<[(UInt64, [TestRow])]>([])
        for (input, batches) in inputs.enumerated() {
            try await Self.parallel(batches.count, threads: threads) { index in
                var rows: [TestRow] = []
                var rejects: [Reject] = []
                try breaker.consume(batches[index], input: input) { out in
                    #expect(out.records.schema == breaker.schema)
                    rows += Self.rows(out)
                    rejects += out.rejects
                }
                direct.withLock { [rows] in $0.append((batches[index].sequence, rows)) }
                collected.withLock { [rejects] in $0.rejects += rejects }
            }
            try breaker.finishInput(input)
        }
        let finished = direct.withLock { $0.sorted { $0.0 < $1.0 }.flatMap { $0.1 } }
        if !finished.isEmpty { collected.withLock { $0.partitions[-1] = finished } }
        try await Self.parallel(breaker.partitions, threads: threads) { partition in
            var rows: [TestRow] = []
            var rejects: [Reject] = []
            var sequences: [UInt64] = []
            try breaker.produce(partition: partition) { batch in
                #expect(batch.records.schema == breaker.schema)
                rows += Self.rows(batch)
                rejects += batch.rejects
                sequences.append(batch.sequence)
            }
            #expect(sequences == sequences.sorted() && Set(sequences).count == sequences.count)
            collected.withLock { output in
                if !rows.isEmpty { output.partitions[partition] = rows }
                output.rejects += rejects
            }
        }
        var output = collected.withLock { $0 }
        output.account = breaker.account
        output.schema = breaker.schema
        // No row is lost or doubled, by the operator's own count and by what really went in and came out.
        let account = output.account
        #expect(account.input == inputs.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } })
        #expect(account.rejected == output.rejects.count)
        #expect(
            account.input + account.added
                == output.rows.count + account.rejected + account.filtered + account.merged, "\(account)")
        breaker.discard()
        #expect(context.memory.usedBytes == 0)
        #expect(leftovers().isEmpty)
        return output
    }

    static func rows(_ batch: Batch) -> [TestRow] {
        let columns = batch.provenance.columns(count: batch.count, files: FileTable())
        return (0..<batch.count).map { row in
            let key = columns[0].unsafeView.values(as: Int64.self)[row]
            return TestRow(
                source: Int(key >> 51), ordinal: Int(key & 0x7_ffff_ffff_ffff), values: batch.records.row(at: row))
        }
    }

    /// Runs `body` for each index on `threads` threads and throws its first error.
    private static func parallel(
        _ count: Int, threads: Int, _ body: @escaping @Sendable (Int) throws -> Void
    ) async throws {
        let crew = Crew(threads: threads)
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            crew.onEnd { done.resume() }
            for _ in 0..<threads {
                EngineThread.start {
                    do {
                        while let index = crew.take(below: count) { try body(index) }
                        crew.leave(nil)
                    } catch {
                        crew.leave(error)
                    }
                }
            }
        }
        if let error = crew.error { throw error }
    }
}

/// Threads that share one list of work.
private final class Crew: Sendable {
    private struct State {
        var left: Int
        var next = 0
        var error: (any Error)?
        var handler: (@Sendable () -> Void)?
    }
    private let state: Mutex<State>

    init(threads: Int) { state = Mutex(State(left: threads)) }

    var error: (any Error)? { state.withLock { $0.error } }

    func onEnd(_ handler: @escaping @Sendable () -> Void) { state.withLock { $0.handler = handler } }

    func take(below count: Int) -> Int? {
        state.withLock { state in
            guard state.next < count, state.error == nil else { return nil }
            state.next += 1
            return state.next - 1
        }
    }

    func leave(_ error: (any Error)?) {
        let handler = state.withLock { state -> (@Sendable () -> Void)? in
            state.left -= 1
            state.error = state.error ?? error
            return state.left == 0 ? state.handler : nil
        }
        handler?()
    }
}

struct StoppedClock: RunClock {
    func now() -> Int64 { 0 }
    func monotonic() -> Int64 { 0 }
    func sleep(for duration: Duration) async throws {}
}

struct NoRejects: RejectWriter {
    func write(_ rejects: [Reject], epoch: Int) async throws {}
    func flush() async throws {}
}

/// Fails at the n-th call of a fault point.
final class FailingCall: FaultPoints {
    struct Failure: Error {}
    private let point: String
    private let left: Mutex<Int>

    init(point: String, call: Int) {
        self.point = point
        left = Mutex(call)
    }

    func reach(_ point: String) throws {
        guard point == self.point else { return }
        let isDue = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isDue { throw Failure() }
    }
}
