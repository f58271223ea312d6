import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceCSV

@Suite struct CSVInferenceTests {
    static let columns: [([String], DataType)] = [
        (["true", "false", ""], .bool), (["TRUE", "False"], .bool), (["1", "-20", "0"], .int64),
        (["1", "007"], .utf8), (["9223372036854775807"], .int64),
        (["9223372036854775808", "1"], .decimal(precision: 38, scale: 0)),
        (["1.5", "2.25", "3"], .decimal(precision: 18, scale: 2)),
        (["12345678901234567.25", "0.5"], .decimal(precision: 38, scale: 2)),
        (["1e5", "2"], .float64), (["NaN", "1.5"], .float64), (["1.5", "x"], .utf8), (["+1"], .utf8), (["1."], .utf8),
        (["2024-01-31", "2023-12-01"], .date32), (["2024-02-30"], .utf8),
        (["2024-01-31", "2024-01-31T10:00:00"], .timestamp(zone: nil)),
        (["2024-01-31 10:00:00.5"], .timestamp(zone: nil)),
        (["2024-01-31T10:00:00Z", "2024-01-31T10:00:00+02:00"], .instant),
        (["2024-01-31T10:00:00Z", "2024-01-31T10:00:00"], .utf8), (["2024-01-31", "5"], .utf8), (["true", "1"], .utf8),
        (["1", "true"], .utf8), (["1.2.3"], .utf8), (["-"], .utf8), ([".5", "1"], .decimal(precision: 18, scale: 1)),
        (["10:30"], .utf8), (["", ""], .utf8), (["\"12\"", "\"\"", "3"], .int64), ([" 5", "6 "], .int64),
        (["1e5", "true"], .utf8),
    ]

    @Test(arguments: columns) func `a column has the narrowest type that holds its values`(
        cells: [String], type: DataType
    ) async throws {
        let text = "name,value\n" + cells.map { "x,\($0)\n" }.joined()
        let source = csv(text, CSVOptions(header: .present))
        let read = try await source.contents()
        #expect(read.schema == Schema([Field("name", .utf8), Field("value", type)]))
        #expect(read.rejects.isEmpty)
        #expect(read.rows.count == cells.count)
    }

    @Test func `with infer off every column is text`() async throws {
        let read = try await csv("a,b\n1,2.5\n", CSVOptions(infersTypes: false)).contents()
        #expect(read.schema == texts("a", "b"))
    }

    @Test func `a type is judged by the whole of a file and not by its start`() async throws {
        let text = "n,s\n" + String(repeating: "1,\(String(repeating: "a", count: 300))\n", count: 5000) + "x,b\n"
        let read = try await csv(text).contents()
        #expect(read.schema.fields[0].type == .utf8)
        #expect(read.rejects.isEmpty)
    }

    @Test(arguments: [",", ";", "\t", "|"]) func `the delimiter is found`(delimiter: String) async throws {
        let header = ["id", "price, net", "note; what"].map { "\"\($0)\"" }.joined(separator: delimiter)
        let rows = (0..<20).map { ["\($0)", "\"1,5\"", "\"a;b|c\""].joined(separator: delimiter) }
        let source = csv(([header] + rows).joined(separator: "\n"))
        let found = try #require(try await source.describe(in: RunContext.testing()))
        #expect(found.schema.names == ["id", "price, net", "note; what"])
        #expect(found.dialect[0].value == (delimiter == "\t" ? "tab" : delimiter))
        #expect(found.dialect.map(\.name) == ["delimiter", "quote", "escape", "header"])
        #expect(found.confidence > 0.9)
        #expect(found.format == "csv")
    }

    @Test func `the runner-up delimiter is named`() async throws {
        let text = "a;b;c\n1,5;2,5;3,5\n1,5;2,5;3,5\n"
        let found = try #require(try await csv(text).describe(in: RunContext.testing()))
        #expect(found.dialect[0].value == ";")
        #expect(found.notes.contains { $0.hasPrefix("the runner-up delimiter is ,") })
        #expect(found.confidence < 1)
    }

    @Test func `backslash escapes are found where doubled quotes do not explain the text`() async throws {
        let text = "id,name\n1,\"say \\\"hi\\\", you\"\n2,\"x \\\" y\"\n3,plain\n"
        let read = try await csv(text).contents()
        #expect(read.rows.map { $0[1] } == [.utf8("say \"hi\", you"), .utf8("x \" y"), .utf8("plain")])
    }

    @Test func `a line that spreadsheets write names the delimiter`() async throws {
        let read = try await csv("sep=|\na|b\n1|2\n").contents()
        #expect(read.schema == Schema([Field("a", .int64), Field("b", .int64)]))
        #expect(read.places.first?.line == 3)
    }

    @Test(arguments: [
        ("id,name\n1,x\n", true), ("1,x\n2,y\n", false), ("a,b\nc,d\n", true), ("x,\ny,z\n", false),
        (",value\n0,1.5\n", true), ("2024-01-01,a\n", false), ("name\n", true), ("5\n6\n", false),
    ])
    func `a header is told from a row`(text: String, isHeader: Bool) async throws {
        let found = try #require(try await csv(text).describe(in: RunContext.testing()))
        #expect(found.dialect.first { $0.name == "header" }?.value == "\(isHeader)")
    }

    @Test func `text that is not UTF-8 lowers confidence and names the option`() async throws {
        let source = csv([("a.csv", Array("a,b\n1,".utf8) + [0xE9, 0x0A])])
        let found = try #require(try await source.describe(in: RunContext.testing()))
        #expect(found.confidence <= 0.5)
        #expect(found.notes.contains { $0.contains("encoding=windows-1252") })
    }

    @Test func `an empty file without a schema is an error that says what to do`() async throws {
        let error = await #expect(throws: HeadraceError.self) { try await csv("").contents() }
        #expect(error?.code == .malformedInput)
        #expect(error?.hint?.contains("schema=FILE") == true)
    }
}
