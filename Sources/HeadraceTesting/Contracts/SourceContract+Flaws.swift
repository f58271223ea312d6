import HeadraceColumnar
import HeadraceCore

/// What the checks of bad records need besides: the harness's rows with records among them that are no rows.
///
/// A harness that conforms has `SourceContract.flawChecks`.
public protocol FlawedSourceHarness: SourceHarness {
    /// A source that gives the expected rows, and that holds the flaws between them.
    func makeFlawedSource() throws -> Subject
    /// The records that are no rows, in the order of the source. Put them into several chunks, two of them side by side.
    var flaws: [Flaw] { get }
}

/// A record that is no row.
public struct Flaw: Sendable, Hashable {
    /// How many of the expected rows stand before it.
    public let rowsBefore: Int
    /// The record as its reject must keep it, without its line end; nil where the source does not keep records.
    public let original: String?

    /// A record behind so many good rows.
    public init(after rowsBefore: Int, _ original: String?) {
        self.rowsBefore = rowsBefore
        self.original = original
    }

    /// The lines with flaws put between them, as a source in text holds them.
    public static func mixing(_ flaws: [Flaw], into lines: [String]) -> [String] {
        var mixed: [String] = []
        var left = flaws[...]
        for row in 0...lines.count {
            while let flaw = left.first, flaw.rowsBefore == row {
                mixed.append(flaw.original ?? "")
                left.removeFirst()
            }
            if row < lines.count { mixed.append(lines[row]) }
        }
        return mixed
    }
}

extension SourceContract where Harness: FlawedSourceHarness {
    /// The checks of records that are no rows; beside `checks`.
    public static var flawChecks: [Check<Harness>] {
        Check.declaring(Harness.gaps, in: flawed, among: flawed.map(\.promise) + Array(Harness.gaps.keys))
    }

    static var flawed: [Check<Harness>] {
        [
            Check("A record that is no row is refused as it stood, and every row arrives", refusesFlaws),
            Check("A reject says why, by a code and a sentence without the value", explainsFlaws),
            Check("A reject's place is where the record stands among the rows", placesFlaws),
            Check("A refused record comes once, wherever reading goes on", resumesFlaws),
        ]
    }

    /// Fails unless rows and rejects are those that the harness knows, each once.
    private static func expectAll(
        _ batches: [Batch], _ when: String, in harness: Harness, _ expect: Expectations
    ) throws {
        try rows(batches.rows, are: harness.expectedRows, "the rows \(when)", in: harness, expect)
        let wanted = harness.flaws.map(\.original)
        let found = batches.rejects.map { $0.original.map { String(decoding: $0, as: UTF8.self) } }
        try expect.equal("the number of rejects \(when)", found.count, wanted.count)
        try expect.equal("the refused records \(when)", found, wanted)
    }

    private static func refusesFlaws(_ harness: Harness, _ expect: Expectations) async throws {
        guard harness.flaws.count >= 3 else {
            throw expect.broken("the number of flaws", expected: "at least 3", found: "\(harness.flaws.count)")
        }
        let read = try await harness.makeFlawedSource().readAll(harness.expectedSchema)
        try expectAll(read.batches, "of a source with bad records", in: harness, expect)
        let chunks = read.batches.count { !$0.rejects.isEmpty }
        guard chunks >= 2 else {
            throw expect.broken("the number of chunks with rejects", expected: "at least 2", found: "\(chunks)")
        }
        try expect.equal("what is left", try await harness.leftovers(), [])
    }

    private static func explainsFlaws(_ harness: Harness, _ expect: Expectations) async throws {
        let rejects = try await harness.makeFlawedSource().readAll(harness.expectedSchema).batches.rejects
        for reject in rejects {
            let place = "the reject of \(reject.place)"
            try expect.equal("whether \(place) has a rule", reject.rule.isEmpty, false)
            let isCode = !reject.code.isEmpty && reject.code.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
            try expect.equal("whether \(place) has a code of letters and digits", isCode, true)
            try expect.equal("whether \(place) has a sentence", reject.message.isEmpty, false)
            // Sentences go to logs; what they say of values, everybody reads. A text of one letter is in any sentence.
            if let value = reject.value, value.utf8.count > 3 {
                try expect.equal("whether \(place) has its value in its sentence", holds(reject.message, value), false)
            }
        }
    }

    private static func holds(_ text: String, _ part: String) -> Bool {
        text.indices.contains { text[$0...].hasPrefix(part) }
    }

    private static func placesFlaws(_ harness: Harness, _ expect: Expectations) async throws {
        let read = try await harness.makeFlawedSource().readAll(harness.expectedSchema)
        let good = read.batches.flatMap { batch in (0..<batch.count).map { batch.provenance.place(of: $0) } }
        let bad = read.batches.rejects.map(\.place)
        try expect.equal("the number of different places", Set(good + bad).count, good.count + bad.count)
        guard harness.keepsOrder else { return }
        for (flaw, place) in zip(harness.flaws, bad) {
            let before = good.count { $0.row < place.row }
            try expect.equal("the rows before \(place), by their ordinals", before, flaw.rowsBefore)
        }
    }

    private static func resumesFlaws(_ harness: Harness, _ expect: Expectations) async throws {
        guard Harness.Subject.self is any ResumableSource.Type else { return }
        let whole = try await harness.makeFlawedSource().readAll(harness.expectedSchema)
        for (index, position) in whole.positions.enumerated() {
            let rest = try await harness.makeFlawedSource().readAll(harness.expectedSchema, from: position)
            try expectAll(
                whole.batches[...index] + rest.batches, "before and after \(position.value.compactText)", in: harness,
                expect)
            guard let last = whole.batches[index].rejects.last?.place, let next = rest.batches.rejects.first?.place
            else { continue }
            try expect.equal("whether \(next) comes after \(last)", next.row > last.row, true)
        }
    }
}
