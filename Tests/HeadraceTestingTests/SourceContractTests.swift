import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Synchronization
import Testing

/// What a careless source does.
private enum Mistake: CaseIterable {
    case losesLastRow, repeatsAfterResume, skipsAfterResume, refusesResume, changesNames, holdsNulls,
        decodesOnlyInOrder,
        samePlaces, leavesReaders, overlapsParts
}

/// The numbers from 0 to 9 as a source, in chunks of three; with a mistake where told.
private struct Numbers: ResumableSource, PartitionedSource {
    let harness: NumbersHarness
    var range = 0..<10
    var name: String { "numbers" }

    func schema(in context: RunContext) async throws -> Schema {
        let turn = harness.openings.withLock {
            $0 += 1
            return $0
        }
        return Schema([Field(harness.mistake == .changesNames ? "n\(turn)" : "n", .int64, nullable: false)])
    }

    func partitions(atMost limit: Int, in context: RunContext) async throws -> [Numbers] {
        let middle = range.count / 2
        guard limit > 1 else { return [self] }
        let overlap = harness.mistake == .overlapsParts ? 1 : 0
        return [0..<middle + overlap, middle..<range.count].map { Numbers(harness: harness, range: $0) }
    }

    func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws -> Reader {
        var start = range.lowerBound
        if let position, harness.mistake != .refusesResume { start = Int(position.value["next"]?.integerValue ?? 0) }
        harness.open.withLock { $0 += 1 }
        return Reader(source: self, schema: schema, next: start, context: context)
    }

    final class Reader: SourceReader {
        private let source: Numbers
        private let schema: Schema
        private let place: Mutex<Int>
        private let decoded = Mutex<UInt64>(0)
        private let context: RunContext

        init(source: Numbers, schema: Schema, next: Int, context: RunContext) {
            self.source = source
            self.schema = schema
            self.context = context
            place = Mutex(next)
        }

        func next() async throws -> Read<Range<Int>> {
            try context.cancellation.check()
            return place.withLock { next in
                let mistake = source.harness.mistake
                let end = source.range.upperBound - (mistake == .losesLastRow ? 1 : 0)
                guard next < end else { return .end }
                let chunk = next..<min(next + 3, end)
                next = chunk.upperBound
                let shift = mistake == .repeatsAfterResume ? -1 : mistake == .skipsAfterResume ? 1 : 0
                return .chunk(chunk, Position(.object([("next", .integer(next + shift))])))
            }
        }

        func decode(_ chunk: Range<Int>, sequence: UInt64) throws -> Batch {
            let isInOrder = decoded.withLock { last in
                defer { last = max(last, sequence) }
                return sequence >= last
            }
            let mistake = source.harness.mistake
            let numbers = mistake == .decodesOnlyInOrder && !isInOrder ? Array(chunk.reversed()) : Array(chunk)
            let fields = Schema(schema.fields.map { Field($0.name, .int64, nullable: mistake == .holdsNulls) })
            let rows = numbers.map { [mistake == .holdsNulls && $0 == 4 ? Scalar.null : .integer(Int128($0))] }
            let first = mistake == .samePlaces ? 0 : chunk.lowerBound
            return Batch(
                try .of(fields, rows), provenance: Provenance(Places(first: first)), stream: source.stream,
                sequence: sequence, recordsRead: chunk.count)
        }

        func close() async {
            if source.harness.mistake != .leavesReaders { source.harness.open.withLock { $0 -= 1 } }
        }
    }

    private final class Places: Origin {
        let first: Int
        init(first: Int) { self.first = first }
        func place(of row: Int) -> Place { Place(source: "numbers", row: first + row) }
        func original(of row: Int) -> [UInt8]? { nil }
    }
}

private final class NumbersHarness: SourceHarness {
    let mistake: Mistake?
    let open = Mutex(0)
    let openings = Mutex(0)

    init(_ mistake: Mistake? = nil) { self.mistake = mistake }

    func makeSource() throws -> Numbers { Numbers(harness: self) }
    var expectedSchema: Schema { Schema([Field("n", .int64, nullable: false)]) }
    var expectedRows: [[Scalar]] { (0..<10).map { [.integer($0)] } }
    func leftovers() async throws -> [String] {
        let count = open.withLock { $0 }
        return count == 0 ? [] : ["\(count) readers"]
    }
}

/// Gaps of which one is open, one has closed, and one is in no promise.
private struct GappedNumbers: SourceHarness {
    let numbers = NumbersHarness(.samePlaces)

    func makeSource() throws -> Numbers { try numbers.makeSource() }
    var expectedSchema: Schema { numbers.expectedSchema }
    var expectedRows: [[Scalar]] { numbers.expectedRows }
    static var gaps: [String: String] {
        [
            "Each row has a place of its own": "nobody asks",
            "Every row comes once, as it was put there": "never tried",
            "No such promise": "a slip of the pen",
        ]
    }
}

struct SourceContractTests {
    @Test func `a gap that is open passes, one that has closed or is in no promise is an error`() async throws {
        var errors: [String] = []
        for check in SourceContract<GappedNumbers>.checks {
            do { try await check.run(on: GappedNumbers()) } catch { errors.append("\(error)") }
        }
        #expect(errors.count == 2)
        #expect(errors.contains { $0.contains("never tried") })
        #expect(errors.contains { $0.contains("No such promise") })
    }

    @Test(arguments: SourceContract<NumbersHarness>.checks)
    private func `an honest source keeps every promise`(_ check: Check<NumbersHarness>) async throws {
        try await check.run(on: NumbersHarness())
    }

    @Test(arguments: Mistake.allCases)
    private func `a mistake breaks a promise`(_ mistake: Mistake) async throws {
        var broken: [String] = []
        for check in SourceContract<NumbersHarness>.checks {
            do { try await check.run(on: NumbersHarness(mistake)) } catch { broken.append(check.promise) }
        }
        let word =
            switch mistake {
            case .losesLastRow: "Every row comes once"
            case .repeatsAfterResume, .skipsAfterResume, .refusesResume: "goes on from every position"
            case .changesNames: "The schema is found"
            case .holdsNulls: "not nullable"
            case .decodesOnlyInOrder: "any order"
            case .samePlaces: "a place of its own"
            case .leavesReaders: "leaves nothing behind"
            case .overlapsParts: "The parts hold"
            }
        #expect(broken.contains { $0.contains(word) }, "\(mistake) broke \(broken)")
    }
}
