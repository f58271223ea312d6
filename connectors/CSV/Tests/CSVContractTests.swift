import Glibc
import HeadraceColumnar
import HeadraceCore
import HeadraceFiles
import HeadraceTesting
import Testing

@testable import HeadraceCSV

/// Twenty thousand rows as text, cut into chunks of 64 KiB.
private struct WrittenFile: FlawedSourceHarness {
    private static let lines = (0..<20_000).map { "\($0),\($0 % 7 == 3 ? "" : "\"name, \($0)\"")" }

    func makeSource() throws -> FormatSource<MemoryFiles, CSVFormat> {
        csv("id,name\n" + Self.lines.joined(separator: "\n"), chunk: 64 << 10)
    }
    func makeFlawedSource() throws -> FormatSource<MemoryFiles, CSVFormat> {
        let lines = Flaw.mixing(flaws, into: Self.lines)
        return csv("id,name\n" + lines.joined(separator: "\n") + "\n", schema: expectedSchema, chunk: 64 << 10)
    }
    var flaws: [Flaw] {
        [
            Flaw(after: 0, "first,x"), Flaw(after: 17, "1,\"two\",three"), Flaw(after: 17, "99"),
            Flaw(after: 12_000, "1e999999,\"a \"\"quote\"\"\""), Flaw(after: 20_000, "last,y"),
        ]
    }
    var expectedSchema: Schema { Schema([Field("id", .int64), Field("name", .utf8)]) }
    var expectedRows: [[Scalar]] {
        (0..<20_000).map { [.integer($0), $0 % 7 == 3 ? .null : .utf8("name, \($0)")] }
    }
}

/// A file in a folder of its own, read back by Python.
private struct TargetFile: SinkHarness {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func makeSink() throws -> FormatSink<AtomicFile, CSVEncoder> { .csv(at: folder("t.csv")) }

    func rows(_ columns: [String]) async throws -> [[String?]] {
        guard access(folder("t.csv"), F_OK) == 0 else { return [] }
        let program = """
            import csv, json, sys
            rows = list(csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8"), strict=True))
            print(json.dumps([[row[name] for name in sys.argv[2:]] for row in rows]))
            """
        let read = try ChildProcess.run(["python3", "-c", program, folder("t.csv")] + columns)
        try #require(read.status == 0, "\(read.errors)")
        return (try JSONValue.parse(read.output).arrayValue ?? []).map { row in
            (row.arrayValue ?? []).map { $0.stringValue == "" ? nil : $0.stringValue }
        }
    }

    func leftovers() async throws -> [String] { try folder.names().filter { $0 != "t.csv" } }
}

@Suite struct CSVContractTests {
    @Test(
        "What the engine demands of every source",
        arguments: SourceContract<WrittenFile>.checks + SourceContract<WrittenFile>.flawChecks)
    private func source(_ check: Check<WrittenFile>) async throws { try await check.run(on: WrittenFile()) }

    @Test("What the engine demands of every sink", arguments: SinkContract<TargetFile>.checks)
    private func sink(_ check: Check<TargetFile>) async throws { try await check.run(on: try TargetFile()) }
}
