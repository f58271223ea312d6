import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

/// What a careless source does with records that are no rows.
private enum Mistake: CaseIterable {
    case swallows, takesForNull, losesOriginals, saysNothing, tellsValues, losesPlaces, repeatsAfterResume
}

/// Numbers as texts, some of which are none.
private struct Texts: ResumableSource {
    let texts: [String]
    let mistake: Mistake?
    var name: String { "texts" }
    static let schema = Schema([Field("n", .int64)])

    func schema(in context: RunContext) async throws -> Schema { Self.schema }

    func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws -> Reader {
        Reader(self, next: Int(position?.value["next"]?.integerValue ?? 0))
    }

    /// - Invariant (`@unchecked Sendable`): `place` is touched by one caller of `next` at a time.
    final class Reader: SourceReader, @unchecked Sendable {
        private let source: Texts
        private var place: Int

        init(_ source: Texts, next: Int) {
            self.source = source
            place = next
        }

        func next() async throws -> Read<Range<Int>> {
            guard place < source.texts.count else { return .end }
            let chunk = place..<min(place + 4, source.texts.count)
            place = chunk.upperBound
            // One that is no number at the end of a chunk is read again.
            let isLastBad = Int(source.texts[place - 1]) == nil
            let back = source.mistake == .repeatsAfterResume && isLastBad ? 1 : 0
            return .chunk(chunk, Position(.object([("next", .integer(place - back))])))
        }

        func decode(_ chunk: Range<Int>, sequence: UInt64) throws -> Batch {
            let mistake = source.mistake
            let places = Places(first: chunk.lowerBound, texts: source.texts)
            let numbers = chunk.map { Int(source.texts[$0]).map { Scalar.integer(Int128($0)) } }
            let all = Batch(
                try .of(Texts.schema, numbers.map { [$0 ?? .null] }), provenance: Provenance(places),
                stream: source.stream,
                sequence: sequence,
                recordsRead: mistake == .swallows ? numbers.count { $0 != nil } : chunk.count)
            if mistake == .takesForNull { return all }
            let good = numbers.indices.filter { numbers[$0] != nil }.map { Int32($0) }
            var batch = good.withUnsafeBufferPointer { all.taking($0) }
            guard mistake != .swallows else { return batch }
            batch.rejects = numbers.indices.filter { numbers[$0] == nil }.map { row in
                let text = source.texts[chunk.lowerBound + row]
                return Reject(
                    rule: "decode", code: mistake == .saysNothing ? "" : "notANumber", field: "n", value: text,
                    message: mistake == .tellsValues ? "\(text) is no number" : "n is no number",
                    place: mistake == .losesPlaces ? Place(source: "texts", row: 1) : places.place(of: row),
                    original: mistake == .losesOriginals ? nil : places.original(of: row))
            }
            return batch
        }

        func close() async {}
    }

    private final class Places: Origin {
        let first: Int
        let texts: [String]
        init(first: Int, texts: [String]) {
            self.first = first
            self.texts = texts
        }
        func place(of row: Int) -> Place { Place(source: "texts", row: first + row + 1) }
        func original(of row: Int) -> [UInt8]? { Array(texts[first + row].utf8) }
    }
}

private struct TextHarness: FlawedSourceHarness {
    var mistake: Mistake?

    private var numbers: [String] { (0..<20).map(String.init) }
    func makeSource() throws -> Texts { Texts(texts: numbers, mistake: mistake) }
    func makeFlawedSource() throws -> Texts { Texts(texts: Flaw.mixing(flaws, into: numbers), mistake: mistake) }
    var expectedSchema: Schema { Texts.schema }
    var expectedRows: [[Scalar]] { (0..<20).map { [.integer($0)] } }
    var flaws: [Flaw] {
        [Flaw(after: 0, "begin"), Flaw(after: 5, "five"), Flaw(after: 5, "six, too"), Flaw(after: 20, "at the end")]
    }
}

struct FlawContractTests {
    @Test(arguments: SourceContract<TextHarness>.checks + SourceContract<TextHarness>.flawChecks)
    private func `an honest source keeps every promise`(_ check: Check<TextHarness>) async throws {
        try await check.run(on: TextHarness())
    }

    @Test(arguments: Mistake.allCases)
    private func `a mistake breaks the promise that speaks of it`(_ mistake: Mistake) async throws {
        let promise =
            switch mistake {
            case .swallows, .takesForNull, .losesOriginals: "refused as it stood"
            case .saysNothing, .tellsValues: "says why"
            case .losesPlaces: "place is where"
            case .repeatsAfterResume: "comes once, wherever"
            }
        let check = try #require(SourceContract<TextHarness>.flawChecks.first { $0.promise.contains(promise) })
        await #expect(throws: BrokenPromise.self) { try await check.run(on: TextHarness(mistake: mistake)) }
    }
}
