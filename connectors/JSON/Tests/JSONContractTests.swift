import Glibc
import HeadraceColumnar
import HeadraceCore
import HeadraceFiles
import HeadraceTesting
import Testing

@testable import HeadraceJSON

/// A thousand rows as text, cut into chunks of four kilobytes.
private struct WrittenFile: SourceHarness {
    let layout: JSONLayout

    func makeSource() throws -> FormatSource<TestBytes, JSONFormat> {
        let objects = (0..<1000).map { "{\"id\": \($0), \"name\": \($0 % 7 == 3 ? "null" : "\"name \($0)\"")}" }
        var format = JSONFormat().chunked(4 << 10)
        format.layout = layout
        let text = layout == .lines ? objects.joined(separator: "\n") : "[\(objects.joined(separator: ",\n"))]"
        return FormatSource(TestBytes(text), format, codecs: [])
    }
    var expectedSchema: Schema { NamedRows.schema }
    var expectedRows: [[Scalar]] { NamedRows.rows(0..<1000) }
}

/// The same in lines, some of which are no records, or have values that are none.
private struct FlawedFile: FlawedSourceHarness {
    let written = WrittenFile(layout: .lines)

    func makeSource() throws -> FormatSource<TestBytes, JSONFormat> { try written.makeSource() }
    func makeFlawedSource() throws -> FormatSource<TestBytes, JSONFormat> {
        let objects = NamedRows.rows(0..<1000).map {
            "{\"id\": \($0[0]), \"name\": \($0[1].isNull ? "null" : "\"\($0[1])\"")}"
        }
        var format = JSONFormat().chunked(4 << 10)
        format.layout = .lines
        let text = Flaw.mixing(flaws, into: objects).joined(separator: "\n") + "\n"
        return FormatSource(TestBytes(text), format, codecs: [], declared: expectedSchema)
    }
    var flaws: [Flaw] {
        [
            Flaw(after: 0, "{\"id\": \"first\"}"), Flaw(after: 17, "{\"id\": 1"), Flaw(after: 17, "no JSON"),
            Flaw(after: 600, "{\"name\": \"without\"}"), Flaw(after: 1000, "[1, \"last\"]"),
        ]
    }
    var expectedSchema: Schema { written.expectedSchema }
    var expectedRows: [[Scalar]] { written.expectedRows }
}

/// A file of one object a line in a folder of its own, read back by Python.
private struct TargetFile: SinkHarness {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func makeSink() throws -> FormatSink<AtomicFile, NDJSONEncoder> { .ndjson(at: folder("t.ndjson")) }

    func rows(_ columns: [String]) async throws -> [[String?]] {
        guard access(folder("t.ndjson"), F_OK) == 0 else { return [] }
        let program = """
            import json, sys
            rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
            print(json.dumps([[row.get(name) for name in sys.argv[2:]] for row in rows]))
            """
        let read = try ChildProcess.run(["python3", "-c", program, folder("t.ndjson")] + columns)
        try #require(read.status == 0, "\(read.errors)")
        return (try JSONValue.parse(read.output).arrayValue ?? []).map { row in
            (row.arrayValue ?? []).map { $0.isNull ? nil : $0.stringValue ?? $0.compactText }
        }
    }

    func leftovers() async throws -> [String] { try folder.names().filter { $0 != "t.ndjson" } }
}

@Suite struct JSONContractTests {
    @Test(
        "What the engine demands of every source", arguments: [JSONLayout.lines, .document],
        SourceContract<WrittenFile>.checks)
    private func source(_ layout: JSONLayout, _ check: Check<WrittenFile>) async throws {
        try await check.run(on: WrittenFile(layout: layout))
    }

    @Test("What the engine demands of every source with bad records", arguments: SourceContract<FlawedFile>.flawChecks)
    private func flaws(_ check: Check<FlawedFile>) async throws { try await check.run(on: FlawedFile()) }

    @Test("What the engine demands of every sink", arguments: SinkContract<TargetFile>.checks)
    private func sink(_ check: Check<TargetFile>) async throws { try await check.run(on: try TargetFile()) }
}
