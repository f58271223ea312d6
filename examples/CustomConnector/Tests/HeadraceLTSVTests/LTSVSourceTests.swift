import HeadraceColumnar
import HeadraceCore
import HeadraceLTSV
import HeadraceTesting
import Testing

@Suite struct LTSVSourceTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func source(_ text: String, _ schema: Schema? = nil) throws -> LTSVSource {
        try folder.write(text, to: "t.ltsv")
        return LTSVSource(at: folder("t.ltsv"), schema: schema)
    }

    @Test("The labels of the first lines are fields of text, in the order of their appearance")
    func findsLabels() async throws {
        let schema = try await source("a:1\tb:2\na:3\tc:4\n").schema(in: .testing())
        #expect(schema == Schema([Field("a", .utf8), Field("b", .utf8), Field("c", .utf8)]))
        #expect(try await source("").schema(in: .testing()).fields.isEmpty)
    }

    @Test(
        "A label that is not there is null, one without a value the empty text; colons, CRLF and empty lines are none")
    func readsValues() async throws {
        let rows = try await source("a:1:2\tb:\r\n\nb:x\n").readAll().batches.rows
        #expect(rows == [[.utf8("1:2"), .utf8("")], [.null, .null], [.null, .utf8("x")]])
    }

    @Test(
        "What is no row is refused with its line, its byte and its words, and the others arrive",
        arguments: [
            ("n:x", "badValue", "n"), ("n", "badLabel", "n"), ("n:1\tn:2", "badLabel", "n"), ("m:1", "badLabel", "m"),
            ("", "missing", "n"),
        ])
    func refuses(line: String, code: String, label: String) async throws {
        let source = try source("n:1\n\(line)\nn:3\n", Schema([Field("n", .int64, nullable: false)]))
        let batches = try await source.readAll().batches
        #expect(batches.identifiers == [1, 3])
        let reject = try #require(batches.rejects.first)
        #expect((reject.code, reject.field) == (code, label))
        #expect((reject.place.line, reject.place.byteOffset) == (2, 4))
        #expect(reject.original == Array(line.utf8))
        #expect(batches.rejects.count == 1)
    }

    @Test("Bytes that are not UTF-8 are refused")
    func refusesBytes() async throws {
        let source = try source("a:x\na:y\n")
        _ = try ChildProcess.run(["sed", "-i", "2s/y/\\xff/", folder("t.ltsv")])
        let batches = try await source.readAll().batches
        #expect(batches.rows == [[.utf8("x")]])
        #expect(batches.rejects.map(\.code) == ["badValue"])
    }

    @Test("A line without an end is left until it has one, and the log says so")
    func leavesBegunLines() async throws {
        let source = try source("a:1\na:2")
        let lines = LogLines()
        let first = try await source.readAll(in: .testing(log: lines.log))
        #expect(first.batches.rows == [[.utf8("1")]])
        #expect(lines.all == ["the last line has no end yet and is left for later"])
        try folder.write("3\na:4\n", to: "t.ltsv", appending: true)
        let second = try await source.readAll(from: first.positions.last)
        #expect(second.batches.rows == [[.utf8("23")], [.utf8("4")]])
        #expect(try #require(second.batches.first).provenance.place(of: 1).line == 3)
    }

    @Test("A file that was rotated since is an error", arguments: ["", "a:longer than before\n"])
    func noticesRotation(text: String) async throws {
        let source = try source("a:1\na:2\n")
        let end = try await source.readAll().positions.last
        try folder.write(text, to: "t.ltsv")
        let error = await #expect(throws: HeadraceError.self) { try await source.readAll(from: end) }
        #expect(error?.code == .notFound)
    }
}
