import HeadraceColumnar
import HeadraceCore

extension SourceContract {
    static func resumesEverywhere(_ harness: Harness, _ expect: Expectations) async throws {
        let whole = try await harness.makeSource().readAll()
        var before: [[Scalar]] = []
        for (batch, position) in zip(whole.batches, whole.positions) {
            before += batch.records.rows
            let rest = try await harness.makeSource().readAll(from: position)
            try rows(
                before + rest.batches.rows, are: harness.expectedRows,
                "the rows before and after \(position.value.compactText)",
                in: harness, expect)
        }
        try expect.equal("what is left", try await harness.leftovers(), [])
    }

    static func resumesAtTheEnd(_ harness: Harness, _ expect: Expectations) async throws {
        let whole = try await harness.makeSource().readAll()
        guard let last = whole.positions.last else {
            throw expect.broken("the number of chunks", expected: "at least 3", found: "0")
        }
        let rest = try await harness.makeSource().readAll(from: last)
        try expect.equal("the rows after the last position", rest.batches.rows, [])
    }

    static func splits(_ harness: Harness, _ expect: Expectations) async throws {
        func parts<S: PartitionedSource>(of source: S, atMost limit: Int) async throws -> [[Scalar]] {
            let parts = try await source.partitions(atMost: limit, in: .testing())
            guard (1...limit).contains(parts.count) else {
                throw expect.broken("the number of parts", expected: "1 to \(limit)", found: "\(parts.count)")
            }
            var found: [[Scalar]] = []
            for part in parts { found += try await part.readAll().batches.rows }
            return found
        }
        for limit in [1, 2, 3, 8] {
            guard let source = try harness.makeSource() as? any PartitionedSource else { return }
            let found = try await parts(of: source, atMost: limit)
            try expect.equal(
                "the rows of at most \(limit) parts", counted(found), counted(harness.expectedRows))
        }
    }

    /// Compares rows in order, or as a bag where the source promises no order.
    static func rows(
        _ found: [[Scalar]], are expected: [[Scalar]], _ subject: String, in harness: Harness, _ expect: Expectations
    ) throws {
        try expect.equal("the number of \(subject)", found.count, expected.count)
        guard harness.keepsOrder else {
            let (found, expected) = (counted(found), counted(expected))
            guard found == expected else {
                let stray = found.first { expected[$0.key] != $0.value }
                throw expect.broken(
                    subject, expected: "those that were put there", found: "others, among them \(stray?.key ?? [])")
            }
            return
        }
        for (index, (found, expected)) in zip(found, expected).enumerated() where found != expected {
            throw expect.broken("row \(index + 1) of \(subject)", expected: "\(expected)", found: "\(found)")
        }
    }

    /// How often each row occurs.
    static func counted(_ rows: [[Scalar]]) -> [[Scalar]: Int] {
        Dictionary(rows.map { ($0, 1) }, uniquingKeysWith: +)
    }
}
