public import HeadraceColumnar
public import HeadraceCore

/// What a source's checks need: a source over rows that do not change while a check runs, and those rows as whoever put them
/// there knows them.
///
/// The rows must fill at least three chunks, or a resume proves nothing; a check says so.
public protocol SourceHarness: Sendable {
    /// The source under test.
    associatedtype Subject: Source
    /// A source, made anew for each reading, as each run does.
    func makeSource() throws -> Subject
    /// The fields that the source must find.
    var expectedSchema: Schema { get }
    /// The rows that it must give, in its order.
    var expectedRows: [[Scalar]] { get }
    /// Whether the order of the rows is promised. True unless told.
    var keepsOrder: Bool { get }
    /// What readers have left behind: open connections, temporary files. Nothing, unless told.
    func leftovers() async throws -> [String]
    /// What is under test, as a table of promises calls it; the name of the harness's module, unless told.
    static var connector: String { get }
    /// Promises that this source does not keep, by the check's sentence, each with the reason. A gap that has closed is an
    /// error. None, unless told.
    static var gaps: [String: String] { get }
}

extension SourceHarness {
    public var keepsOrder: Bool { true }
    public func leftovers() async throws -> [String] { [] }
    public static var connector: String { PromiseLog.name(of: Self.self) }
    public static var gaps: [String: String] { [:] }
}

/// What the engine demands of every source.
public enum SourceContract<Harness: SourceHarness> {
    /// The checks of a source of this type: those that its protocols claim, and those that hold for all.
    public static var checks: [Check<Harness>] {
        let checks = whole
        return Check.declaring(Harness.gaps, in: checks, among: (checks + further).map(\.promise))
    }

    /// The checks beside these that the harness has more for: growing data, bad records.
    private static var further: [Check<Harness>] {
        func growing<H: IncrementalSourceHarness>(_ harness: H.Type) -> Any { SourceContract<H>.increasing }
        func flawed<H: FlawedSourceHarness>(_ harness: H.Type) -> Any { SourceContract<H>.flawed }
        let lists = [
            (Harness.self as? any IncrementalSourceHarness.Type).map { growing($0) },
            (Harness.self as? any FlawedSourceHarness.Type).map { flawed($0) },
        ]
        return lists.flatMap { $0 as? [Check<Harness>] ?? [] }
    }

    private static var whole: [Check<Harness>] {
        var checks = [
            Check("The schema is found twice the same, with names that occur once", discovers),
            Check("Every row comes once, as it was put there", readsAll),
            Check("Two readings of unchanged data are equal, and so are their fingerprints", readsTwice),
            Check("A field that is not nullable holds no null", keepsNullability),
            Check("Chunks may be decoded in any order and at once", decodesInAnyOrder),
            Check("Each row has a place of its own", givesPlaces),
            Check("A reader that is closed before its end leaves nothing behind", closesEarly),
            Check("A run that was asked to stop reads no further", stops),
        ]
        if Harness.Subject.self is any ResumableSource.Type {
            checks += [
                Check("Reading goes on from every position, with no row lost and none twice", resumesEverywhere),
                Check("Reading from the last position gives no row that was given before", resumesAtTheEnd),
            ]
        }
        if Harness.Subject.self is any PartitionedSource.Type {
            checks.append(Check("The parts hold every row once, however many there are", splits))
        }
        return checks
    }

    private static func discovers(_ harness: Harness, _ expect: Expectations) async throws {
        let schema = try await harness.makeSource().schema(in: .testing())
        // What a field says of itself beyond name, type and nulls is the source's own.
        try expect.equal("the schema", "\(schema)", "\(harness.expectedSchema)")
        try expect.equal("the schema of a second look", try await harness.makeSource().schema(in: .testing()), schema)
        try expect.equal("the number of different names", Set(schema.names).count, schema.count)
    }

    private static func readsAll(_ harness: Harness, _ expect: Expectations) async throws {
        let read = try await harness.makeSource().readAll()
        try rows(read.batches.rows, are: harness.expectedRows, "the rows", in: harness, expect)
        guard read.batches.count >= 3 else {
            throw expect.broken("the number of chunks", expected: "at least 3", found: "\(read.batches.count)")
        }
    }

    private static func readsTwice(_ harness: Harness, _ expect: Expectations) async throws {
        let (first, second) = (try harness.makeSource(), try harness.makeSource())
        let (one, two) = (try await first.readAll(), try await second.readAll())
        try rows(two.batches.rows, are: one.batches.rows, "the second reading", in: harness, expect)
        try expect.equal(
            "the second fingerprint", try await second.fingerprint(in: .testing()),
            try await first.fingerprint(in: .testing()))
    }

    private static func keepsNullability(_ harness: Harness, _ expect: Expectations) async throws {
        let source = try harness.makeSource()
        let schema = try await source.schema(in: .testing())
        let read = try await source.readAll(schema)
        for (index, field) in schema.fields.enumerated() where !field.isNullable {
            let nulls = read.batches.rows.count { $0[index].isNull }
            try expect.equal("the number of nulls in \(field.name)", nulls, 0)
        }
    }

    private static func givesPlaces(_ harness: Harness, _ expect: Expectations) async throws {
        let read = try await harness.makeSource().readAll()
        let places = read.batches.flatMap { batch in (0..<batch.count).map { batch.provenance.place(of: $0) } }
        try expect.equal("the number of different places", Set(places).count, places.count)
    }

    private static func decodesInAnyOrder(_ harness: Harness, _ expect: Expectations) async throws {
        let source = try harness.makeSource()
        let reader = try await source.openReader(
            for: try await source.schema(in: .testing()), from: nil, in: .testing())
        do {
            var chunks: [Harness.Subject.Reader.Chunk] = []
            while case .chunk(let chunk, _) = try await reader.next() { chunks.append(chunk) }
            let turned = try chunks.enumerated().reversed().map {
                try reader.decode($0.element, sequence: UInt64($0.offset))
            }
            let inOrder = Array(turned.reversed())
            try rows(inOrder.rows, are: harness.expectedRows, "the rows decoded backwards", in: harness, expect)
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }

    private static func closesEarly(_ harness: Harness, _ expect: Expectations) async throws {
        let source = try harness.makeSource()
        let schema = try await source.schema(in: .testing())
        for chunks in 0..<2 {
            _ = try await source.readAll(schema, chunks: chunks)
            try expect.equal("what is left after \(chunks) chunks", try await harness.leftovers(), [])
        }
    }

    private static func stops(_ harness: Harness, _ expect: Expectations) async throws {
        let cancellation = Cancellation()
        let context = RunContext.testing(cancellation: cancellation)
        let source = try harness.makeSource()
        let reader = try await source.openReader(for: try await source.schema(in: context), from: nil, in: context)
        cancellation.cancel()
        // A reader may give what it has; it must not wait for more, nor pretend that this was the end of other data.
        var given = 0
        do {
            while case .chunk(let chunk, _) = try await reader.next() {
                given += try reader.decode(chunk, sequence: 0).count
            }
            await reader.close()
            try expect.equal("the rows of a reading that ended well", given, harness.expectedRows.count)
        } catch let error as HeadraceError {
            await reader.close()
            try expect.equal("the error's code", error.code, .cancelled)
        }
        try expect.equal("what is left", try await harness.leftovers(), [])
    }
}
