import Glibc
import HeadraceColumnar
import HeadraceCore
import HeadraceFiles
import HeadraceTesting
import Testing

@testable import HeadraceCSV

@Suite struct CSVConnectorTests {
    private let folder: String
    private let temporary: TemporaryFolder

    init() throws {
        temporary = try TemporaryFolder()
        folder = temporary.path
    }

    private func source(_ location: String) throws -> any Source {
        let location = try Location(location, fileExists: { access($0, F_OK) == 0 })
        return try CSVConnector().source(over: FileConnector().byteSource(at: location), at: location)
    }

    private func write(_ source: any Source, to location: String) async throws {
        let context = RunContext.testing()
        let location = try Location(location, fileExists: { access($0, F_OK) == 0 })
        let sink = try CSVConnector().sink(over: FileConnector().byteSink(at: location), at: location)
        try await copy(source, sink, context)
    }

    private func copy(_ source: some Source, _ sink: some Sink, _ context: RunContext) async throws {
        let schema = try await source.schema(in: context)
        let reader = try await source.openReader(for: schema, from: nil, in: context)
        let writer = try await sink.openWriter(for: schema, mode: .replace, in: context)
        var sequence: UInt64 = 0
        while case .chunk(let chunk, _) = try await reader.next() {
            let batch = try reader.decode(chunk, sequence: sequence)
            let rejects = try await writer.write(try writer.encode(batch))
            #expect(rejects.isEmpty)
            sequence += 1
        }
        await reader.close()
        _ = try await writer.settle()
        try await writer.commit(Checkpoint(epoch: 1, positions: [:], isFinal: true, run: "run-1"))
    }

    private func contents(_ source: any Source) async throws -> Contents {
        func read<S: Source>(_ source: S) async throws -> Contents {
            if let files = source as? FormatSource<LocalFiles, CSVFormat> { return try await files.contents() }
            if let pipe = source as? FormatSource<StandardInput, CSVFormat> { return try await pipe.contents() }
            throw HeadraceError(.unexpected, "a source of another kind")
        }
        return try await read(source)
    }

    @Test func `a copy through gzip and other dialects keeps values, nulls and empty texts`() async throws {
        let text = "id,price,note\n1,1.50,\n2,,\"\"\n3,-2.25,\"a;b\"\n"
        try FileContents.write(Array(text.utf8), to: "\(folder)/a.csv")
        try await write(source("\(folder)/a.csv"), to: "\(folder)/b.csv.gz?delimiter=;&newline=crlf")
        #expect(try FileContents.read("\(folder)/b.csv.gz").prefix(2) == [0x1F, 0x8B])
        try await write(source("\(folder)/b.csv.gz?delimiter=;"), to: "\(folder)/c.tsv")
        try await write(source("\(folder)/c.tsv"), to: "\(folder)/d.csv?delimiter=,")
        let last = String(decoding: try FileContents.read("\(folder)/d.csv"), as: UTF8.self)
        #expect(last == text.replacing("\"a;b\"", with: "a;b"))
        #expect(
            String(decoding: try FileContents.read("\(folder)/c.tsv"), as: UTF8.self).hasPrefix("id\tprice\tnote\n"))
    }

    @Test func `a gzip file resumes after every chunk`() async throws {
        let rows = (0..<40_000).map { "\($0),\(String(repeating: "x", count: $0 % 40))\n" }
        try FileContents.write(Array(("id,x\n" + rows.joined()).utf8), to: "\(folder)/a.csv")
        try await write(source("\(folder)/a.csv"), to: "\(folder)/b.csv.gz")
        let packed = try #require(try source("\(folder)/b.csv.gz") as? FormatSource<LocalFiles, CSVFormat>)
        let whole = try await packed.contents()
        #expect(whole.rows.count == 40_000)
        #expect(whole.positions.count > 2)
        for position in whole.positions {
            let rest = try await packed.contents(from: position.position, schema: whole.schema)
            #expect(rest.rows == Array(whole.rows[position.rows...]))
        }
    }

    @Test func `a pipe is read like a file`() async throws {
        let path = folder + "/pipe"
        mkfifo(path, 0o600)
        EngineThread.start {
            let number = open(path, O_WRONLY)
            let text = "a,b\n1,x\n2,y\n"
            Glibc.write(number, text, text.utf8.count)
            close(number)
        }
        let read = try await contents(source(path))
        #expect(read.rows == [[.integer(1), .utf8("x")], [.integer(2), .utf8("y")]])
    }

    @Test func `a schema file gives names, types and nullability`() async throws {
        let schema = #"[{"name": "id", "type": "utf8", "nullable": false}, {"name": "n", "type": "decimal(9,3)"}]"#
        try FileContents.write(Array(schema.utf8), to: "\(folder)/schema.json")
        try FileContents.write(Array("n,id\n1.5,007\n2,\n".utf8), to: "\(folder)/a.csv")
        let read = try await contents(source("\(folder)/a.csv?schema=\(folder)/schema.json"))
        #expect(read.rows == [[.utf8("007"), .decimal(DecimalValue(coefficient: 1500, scale: 3))]])
        #expect(read.rejects.map(\.code) == ["missing"])
    }

    @Test(arguments: [
        ("a.csv?delimiter=ab", "delimiter"), ("a.csv?header=maybe", "header"), ("a.csv?encoding=utf-16", "encoding"),
        ("a.csv?skip=-1", "skip"), ("a.csv?delimitre=;", "delimitre"), ("a.csv?infer=no", "infer"),
        ("a.csv?newline=lf", "newline"), ("a.csv?delimiter=;&quote=;", "delimiter and quote"),
        ("a.csv?record-limit=0", "record-limit"),
    ])
    func `options that are not understood are named`(text: String, name: String) throws {
        let error = #expect(throws: HeadraceError.self) { try source(text) }
        #expect(error?.code == .badOption)
        #expect(error?.message.contains(name) == true)
    }

    @Test func `all options are read`() throws {
        let location = try Location(
            "a.csv?delimiter=tab&quote='&escape=%5C&header=false&encoding=latin1&skip=3&null=NA&null=-&infer=off"
                + "&comment=%23&record-limit=1000", fileExists: { _ in false })
        #expect(
            try CSVOptions(location)
                == CSVOptions(
                    delimiter: 9, quote: 0x27, escape: 0x5C, header: .absent, encoding: .latin1, skip: 3,
                    nulls: ["NA", "-"], infersTypes: false, comment: 0x23, recordLimit: 1000))
    }

    @Test func `factories compile where a job names its ends`() async throws {
        try FileContents.write(Array("a\n1\n".utf8), to: "\(folder)/a.csv")
        func load<S: Source, T: ReplacingSink>(from source: S, into sink: T) async throws {
            try await copy(source, sink, RunContext.testing())
        }
        try await load(
            from: .csv(at: "\(folder)/*.csv"), into: .csv(at: "\(folder)/out/b.csv.gz".replacing("out/", with: "")))
        #expect(
            try await FormatSource<LocalFiles, CSVFormat>.csv(at: "\(folder)/b.csv.gz").contents().rows == [
                [.integer(1)]
            ])
    }
}
