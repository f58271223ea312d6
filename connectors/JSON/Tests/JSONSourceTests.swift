import Glibc
import HeadraceColumnar
import HeadraceCore
import HeadraceFiles
import HeadraceTesting
import Synchronization
import Testing

@testable import HeadraceJSON

@Suite("JSON over carriers and on the command line", .serialized) struct JSONSourceTests {
    private static let counter = Atomic<Int>(0)

    static func path(_ name: String) -> String {
        "/tmp/headrace-json-\(getpid())-\(counter.wrappingAdd(1, ordering: .relaxed).newValue)-\(name)"
    }

    /// Rows written by a sink and read back by a source.
    static func roundTrip(_ sink: some Sink, _ source: some Source, _ batches: [RecordBatch], _ schema: Schema)
        async throws
        -> Reading
    {
        let context = RunContext.testing()
        let writer = try await sink.openWriter(for: schema, mode: .replace, in: context)
        for (number, records) in batches.enumerated() {
            let batch = Batch(
                records, provenance: .derived("test"), stream: StreamID("test"), sequence: UInt64(number),
                recordsRead: records.count)
            _ = try await writer.write(try writer.encode(batch))
        }
        #expect(try await writer.settle().inserted == batches.reduce(0) { $0 + $1.count })
        try await writer.commit(Checkpoint(epoch: 1, positions: [:], isFinal: true, run: "run-1"))
        return try await source.readAll(in: context)
    }

    @Test("Files are written and read back, compressed or not", arguments: ["json", "ndjson", "json.gz", "ndjson.gz"])
    func files(suffix: String) async throws {
        let path = Self.path("rows.\(suffix)")
        defer { unlink(path) }
        let schema = Schema([Field("id", .int64, nullable: false), Field("price", .decimal(precision: 18, scale: 2))])
        var batches: [RecordBatch] = []
        for part in 0..<3 {
            let rows: [[Scalar]] = (0..<2000).map { row in
                [.integer(Int128(part * 2000 + row)), row % 7 == 0 ? .null : decimal("\(row).25")]
            }
            batches.append(try #require(RecordBatch(schema: schema, rows: rows)))
        }
        let reading =
            suffix.hasPrefix("nd")
            ? try await Self.roundTrip(
                .ndjson(at: path) as FormatSink<AtomicFile, NDJSONEncoder>, FormatSource.ndjson(at: path), batches,
                schema)
            : try await Self.roundTrip(
                .json(at: path) as FormatSink<AtomicFile, JSONArrayEncoder>, FormatSource.json(at: path), batches,
                schema)
        #expect(reading.schema == schema)
        #expect(reading.rows == batches.flatMap { batch in (0..<batch.count).map { batch.row(at: $0) } })
        let bytes = try FileContents.read(path)
        #expect(bytes.starts(with: [0x1F, 0x8B]) == suffix.hasSuffix("gz"))
    }

    @Test("A compressed file resumes at every position")
    func compressedResume() async throws {
        let path = Self.path("rows.ndjson.gz")
        defer { unlink(path) }
        let schema = Schema([Field("id", .int64, nullable: false)])
        let batch = try #require(RecordBatch(schema: schema, rows: (0..<3000).map { [.integer(Int128($0))] }))
        let source = FormatSource.ndjson(at: path, format: JSONFormat().chunked(4000))
        let whole = try await Self.roundTrip(
            .ndjson(at: path) as FormatSink<AtomicFile, NDJSONEncoder>, source, [batch], schema)
        #expect(whole.positions.count > 5 && whole.rows.count == 3000)
        for (position, count) in zip(whole.positions, whole.counts) {
            #expect(try await source.readAll(from: position).rows == Array(whole.rows[count...]))
        }
    }

    @Test("Pages of a nested document are read by their record path")
    func pages() async throws {
        let pages = (1...3).map { page in
            """
            {"meta":{"page":\(page)},"data":{"items":[
              {"id":"\(page)a","offer":{"amount":\(page).50,"currency":"EUR"},"prime":true},
              {"id":"\(page)b","offer":{"amount":"19.99","currency":null}}
            ]},"pagination":{"next":null}}
            """
        }
        let carrier = TestBytes(pages.enumerated().map { ("page-\($0)", Array($1.utf8)) })
        let schema = Schema([
            Field("id", .utf8, nullable: false), Field("offer_amount", .decimal(precision: 12, scale: 2)),
            Field("offer_currency", .utf8), Field("prime", .bool), Field("raw", .json, nullable: false),
        ])
        let source = FormatSource(
            carrier, JSONFormat(rows: "/data/items", flattens: true, recordColumn: "raw"), codecs: [], declared: schema)
        let reading = try await source.readAll()
        #expect(reading.rejects.isEmpty && reading.rows.count == 6)
        #expect(reading.rows[2].prefix(4) == [.utf8("2a"), decimal("2.50"), .utf8("EUR"), .bool(true)])
        #expect(reading.rows[3].prefix(4) == [.utf8("2b"), decimal("19.99"), .null, .null])
        #expect(reading.places[2].file == "page-1" && reading.places[2].line == 2 && reading.places[2].row == 3)
        #expect(reading.rows.map(\.last) == reading.originals.map { .utf8($0) })
    }

    @Test("Refused records are read again, put together as lines")
    func replaying() async throws {
        let text = "{\"rows\":[{\"a\":\n1},{\"a\":\"x\"},{\"a\":2},{\"a\":\n3.5}]}"
        let source = FormatSource(
            TestBytes(text), JSONFormat(rows: "/rows"), codecs: [], declared: Schema([Field("a", .int64)]))
        let first = try await source.readAll()
        #expect(first.rows == [[.integer(1)], [.integer(2)]] && first.rejects.count == 2)
        let again = FormatSource(
            TestBytes(text), JSONFormat(rows: "/rows"), codecs: [], declared: Schema([Field("a", .json)]))
        let replayed = try await again.replaying(first.rejects.compactMap(\.original), in: RunContext.testing())
        #expect(try await replayed.readAll().rows == [[.utf8("\"x\"")], [.utf8("3.5")]])
    }

    @Test("A document of many megabytes is read in bounded memory", arguments: [JSONLayout.lines, .document])
    func boundedMemory(layout: JSONLayout) async throws {
        let record = "{\"id\":1234567,\"name\":\"a name of usual length\",\"tags\":[\"a\",\"b\"],\"o\":{\"x\":1.25}}"
        let isArray = layout == .document
        let carrier = RepeatedRecords(record, count: 400_000, isArray: isArray)
        let schema = Schema([
            Field("id", .int64), Field("name", .utf8), Field("tags", .list(Field("item", .utf8))), Field("o", .json),
        ])
        let source = FormatSource(
            carrier, JSONFormat(layout: isArray ? nil : .lines, rows: isArray ? "/data/rows" : nil), codecs: [],
            declared: schema)
        let context = RunContext.testing()
        let reader = try await source.openReader(for: schema, from: nil, in: context)
        let before = BufferPool.outstandingBytes
        var most = 0
        var rows = 0
        while case .chunk(let chunk, _) = try reader.nextNow() {
            rows += try reader.decode(chunk, sequence: 0).count
            most = max(most, BufferPool.outstandingBytes - before)
        }
        #expect(rows == 400_000)
        // Other suites run beside this one and hold buffers too; the document has 33 MB.
        #expect(most < 16 << 20)
        await reader.close()
    }

    @Test("The connector takes its options and refuses values they do not have")
    func options() async throws {
        let connector = JSONConnector()
        let location = try Location(
            "x.ndjson.gz?flatten=true&separator=.&infer=off&record=raw&comments=true&record-limit=1000&allowNaN=true",
            fileExists: { _ in false })
        let format = try JSONFormat(location)
        #expect(format.layout == .lines && format.flattens && format.separator == "." && !format.infersTypes)
        #expect(format.recordColumn == "raw" && format.reading.allowsComments && format.maximumRecordBytes == 1000)
        #expect(format.reading.allowsNonFiniteNumbers && !format.reading.allowsTrailingCommas)
        #expect(try JSONFormat(Location(scheme: "", address: "x.json")).layout == nil)
        for (name, value) in [
            ("layout", "rows"), ("flatten", "yes"), ("infer", "maybe"), ("rows", "a.b"), ("record-limit", "0"),
        ] {
            let bad = Location(scheme: "", address: "x.json", options: [.init(name, value)])
            #expect(await failure { _ = try connector.source(over: TestBytes("[]"), at: bad) }?.code == .badOption)
        }
        for (name, value) in [("header", "true"), ("nonFinite", "null"), ("flaten", "true")] {
            let bad = Location(scheme: "", address: "x.json", options: [.init(name, value)])
            let error = await failure { _ = try connector.source(over: TestBytes("[]"), at: bad) }
            #expect(error?.code == .badOption && error?.message.contains(name) == true)
            if name == "flaten" { #expect(error?.hint == "did you mean flatten?") }
        }
        let rows = Location(scheme: "", address: "x.json", options: [.init("rows", "/a")])
        #expect(await failure { _ = try connector.sink(over: CollectedBytes(), at: rows) }?.code == .badOption)
        let names = Set(connector.options.map(\.name))
        #expect(names.isSuperset(of: location.options.map(\.name)))
    }

    @Test(
        "The connector writes lines or an array as name and options say",
        arguments: [
            ("x.json", "[{\"a\":1}]\n"), ("x.ndjson", "{\"a\":1}\n"), ("x.jsonl", "{\"a\":1}\n"),
            ("-", "[{\"a\":1}]\n"),
            ("x.json?layout=lines", "{\"a\":1}\n"), ("x.json.gz?compression=none", "[{\"a\":1}]\n"),
            ("x.ndjson?layout=array", "[{\"a\":1}]\n"),
            ("-?format=ndjson", "{\"a\":1}\n"),
        ])
    func sinks(text: String, expected: String) async throws {
        let location = try Location(text, fileExists: { _ in false })
        let carrier = CollectedBytes()
        let sink = try JSONConnector().sink(over: carrier, at: location)
        let schema = Schema([Field("a", .int64)])
        let records = try #require(RecordBatch(schema: schema, rows: [[.integer(1)]]))
        try await Self.write(records, to: sink)
        #expect(carrier.text == expected)
    }

    private static func write(_ records: RecordBatch, to sink: some Sink) async throws {
        let writer = try await sink.openWriter(for: records.schema, mode: .replace, in: RunContext.testing())
        let batch = Batch(
            records, provenance: .derived("test"), stream: StreamID("test"), sequence: 0, recordsRead: records.count)
        _ = try await writer.write(try writer.encode(batch))
        _ = try await writer.settle()
        try await writer.commit(Checkpoint(epoch: 1, positions: [:], isFinal: true, run: "run-1"))
    }

    @Test("A schema file declares the columns")
    func schemaFile() async throws {
        let path = Self.path("schema.json")
        defer { unlink(path) }
        try FileContents.write(
            Array(#"[{"name":"b","type":"decimal(10,1)"},{"name":"a","type":"utf8"}]"#.utf8), to: path)
        let location = Location(scheme: "", address: "x.json", options: [.init("schema", path)])
        let source = try JSONConnector().source(over: TestBytes(#"[{"a":1,"b":2.5}]"#), at: location)
        let reading = try await source.readAll()
        #expect(reading.rows == [[decimal("2.5"), .utf8("1")]])
        #expect(source is any ResumableSource)
    }
}

/// A document that is made while it is read.
private struct RepeatedRecords: ResumableByteSource {
    let name = "repeated"
    let record: String
    let count: Int
    let isArray: Bool

    init(_ record: String, count: Int, isArray: Bool) {
        self.record = record
        self.count = count
        self.isArray = isArray
    }

    func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        previous == nil ? ByteObject(name: name, byteCount: nil, identity: "") : nil
    }

    func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        Reader(self)
    }

    private final class Reader: ByteReader {
        private let records: RepeatedRecords
        private let state = Mutex((next: -1, rest: [UInt8]()))

        init(_ records: RepeatedRecords) { self.records = records }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            state.withLock { state in
                while state.rest.count < min(buffer.count, 1 << 16), state.next <= records.count {
                    state.rest += piece(state.next)
                    state.next += 1
                }
                let got = min(buffer.count, state.rest.count)
                buffer.copyBytes(from: state.rest[..<got])
                state.rest.removeFirst(got)
                return got
            }
        }

        private func piece(_ index: Int) -> [UInt8] {
            if index < 0 { return Array((records.isArray ? "{\"head\":{\"n\":[1,2]},\"data\":{\"rows\":[" : "").utf8) }
            if index == records.count { return Array((records.isArray ? "]}}" : "").utf8) }
            let isLast = index == records.count - 1
            return Array((records.record + (records.isArray ? (isLast ? "" : ",") : "\n")).utf8)
        }

        func close() {}
    }
}

/// Keeps what is written.
private final class CollectedBytes: ByteSink {
    let name = "collected"
    private let bytes = Mutex<[UInt8]>([])
    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }

    func create(in context: RunContext) throws -> any ByteWriter { Writer(self) }
    func plan() -> String { "collect" }

    private final class Writer: ByteWriter {
        private let sink: CollectedBytes
        init(_ sink: CollectedBytes) { self.sink = sink }
        func write(_ bytes: UnsafeRawBufferPointer) throws { sink.bytes.withLock { $0 += Array(bytes) } }
        func publish() throws {}
        func abort() {}
    }
}
