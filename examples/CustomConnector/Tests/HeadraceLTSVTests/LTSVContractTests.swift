import HeadraceColumnar
import HeadraceCore
import HeadraceLTSV
import HeadraceTesting
import Testing

/// A log of a thousand lines, read in chunks of four kilobytes, that grows.
private struct WrittenLog: IncrementalSourceHarness, FlawedSourceHarness {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try append(0..<1000)
    }

    private func append(_ ids: Range<Int>) throws {
        try folder.write(Self.lines(ids).map { "\($0)\n" }.joined(), to: "t.ltsv", appending: true)
    }

    private static func lines(_ ids: Range<Int>) -> [String] {
        NamedRows.rows(ids).map { row in "id:\(row[0])" + (row[1].isNull ? "" : "\tname:\(row[1].description)") }
    }

    func makeSource() throws -> LTSVSource {
        LTSVSource(at: folder("t.ltsv"), schema: NamedRows.schema, chunkSize: 4 << 10)
    }
    var expectedSchema: Schema { NamedRows.schema }
    var expectedRows: [[Scalar]] { NamedRows.rows(0..<1000) }

    /// Lines that are no rows: a value of another type, none for a field that must have one, labels that are none.
    var flaws: [Flaw] {
        [
            Flaw(after: 0, "id:first"), Flaw(after: 17, "name:without"), Flaw(after: 17, "id:1\tid:2"),
            Flaw(after: 600, "id:1\tcolour:red"), Flaw(after: 1000, "last"),
        ]
    }

    func makeFlawedSource() throws -> LTSVSource {
        let lines = Flaw.mixing(flaws, into: Self.lines(0..<1000))
        try folder.write(lines.map { "\($0)\n" }.joined(), to: "flawed.ltsv")
        return LTSVSource(at: folder("flawed.ltsv"), schema: NamedRows.schema, chunkSize: 4 << 10)
    }

    func add(_ ids: Range<Int>) async throws { try append(ids) }

    /// In a file nothing comes between: the line that is late has no end yet.
    func add(_ others: Range<Int>, whileAdding late: Range<Int>) async throws -> LateRows {
        try append(others)
        try folder.write("id:\(late.lowerBound)\tna", to: "t.ltsv", appending: true)
        return LateRows {
            try folder.write("me:name \(late.lowerBound)\n", to: "t.ltsv", appending: true)
            try append(late.dropFirst())
        }
    }
}

/// A file in a folder of its own, read back by `awk`.
private struct TargetFile: SinkHarness {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func makeSink() throws -> LTSVSink { LTSVSink(at: folder("t.ltsv")) }

    func rows(_ columns: [String]) async throws -> [[String?]] {
        guard try folder.names().contains("t.ltsv") else { return [] }
        // One value a line, a dot before it where there is one; a colon in a value is a part of it.
        let program = """
            BEGIN { FS = "\\t"; count = split(wanted, names, ",") }
            {
                delete values
                for (i = 1; i <= NF; i++) { end = index($i, ":"); values[substr($i, 1, end - 1)] = "." substr($i, end + 1) }
                for (i = 1; i <= count; i++) print values[names[i]]
            }
            """
        let read = try ChildProcess.run(
            ["awk", "-v", "wanted=\(columns.joined(separator: ","))", program, folder("t.ltsv")])
        try #require(read.status == 0, "\(read.errors)")
        let values = read.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map { $0.isEmpty ? nil : String($0.dropFirst()) }
        return stride(from: 0, to: values.count, by: columns.count).map { Array(values[$0..<$0 + columns.count]) }
    }

    func leftovers() async throws -> [String] { try folder.names().filter { $0 != "t.ltsv" } }

    static var gaps: [String: String] {
        ["replace: names and values that look like SQL are names and values": "a label holds no spaces and no quotes"]
    }
}

@Suite struct LTSVContractTests {
    @Test(
        "What the engine demands of every source",
        arguments: SourceContract<WrittenLog>.checks + SourceContract<WrittenLog>.incrementalChecks
            + SourceContract<WrittenLog>.flawChecks)
    private func source(_ check: Check<WrittenLog>) async throws { try await check.run(on: try WrittenLog()) }

    @Test("What the engine demands of every sink", arguments: SinkContract<TargetFile>.checks)
    private func sink(_ check: Check<TargetFile>) async throws { try await check.run(on: try TargetFile()) }
}
