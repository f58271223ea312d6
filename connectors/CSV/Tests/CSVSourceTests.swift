import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceCSV

@Suite struct CSVSourceTests {
    @Test func `an unquoted empty field is null and a quoted one the empty text`() async throws {
        let read = try await csv("a,b,c\n,\"\",x\n\"\",,\n", schema: texts("a", "b", "c")).contents()
        #expect(read.rows == [[.null, .utf8(""), .utf8("x")], [.utf8(""), .null, .null]])
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func `every kind of line end ends a record, with and without one at the end`(end: String) async throws {
        for last in ["", end] {
            let text = ["a,b", "1,\"x\(end)y\"", "2,z"].joined(separator: end) + last
            let read = try await csv(text, schema: texts("a", "b")).contents()
            #expect(read.rows == [[.utf8("1"), .utf8("x\(end)y")], [.utf8("2"), .utf8("z")]])
            #expect(read.places.map(\.line) == [2, 4])
        }
    }

    @Test func `kinds of line ends may be mixed and empty lines are passed over`() async throws {
        let read = try await csv("\n\na,b\r\n1,2\n\r\n\n3,4\r5,6\r\r\n7,8", schema: texts("a", "b")).contents()
        #expect(read.texts(0) == ["1", "3", "5", "7"])
        #expect(read.places.map(\.line) == [4, 7, 8, 10])
        #expect(read.rejects.isEmpty)
    }

    @Test func `in a file of one column an empty line is a null`() async throws {
        let read = try await csv("a\n1\n\n\"\"\n2", schema: texts("a")).contents()
        #expect(read.rows == [[.utf8("1")], [.null], [.utf8("")], [.utf8("2")]])
        let crlf = try await csv("a\r\n1\r\n\r\n2\r\n", schema: texts("a")).contents()
        #expect(crlf.rows == [[.utf8("1")], [.null], [.utf8("2")]])
    }

    @Test func `a bare quote inside an unquoted field is an ordinary character`() async throws {
        let read = try await csv("a,b\n15\" pipe,x\n it\"s ,\"q\"\n", schema: texts("a", "b")).contents()
        #expect(read.rows == [[.utf8("15\" pipe"), .utf8("x")], [.utf8(" it\"s "), .utf8("q")]])
        #expect(read.rejects.isEmpty)
    }

    @Test func `ragged records are rejects with line, byte offset and original`() async throws {
        let read = try await csv("a,b\n1,2\n3\n4,5,6\n7,8\n", schema: texts("a", "b")).contents()
        #expect(read.texts(0) == ["1", "7"])
        #expect(read.rejects.map(\.code) == ["tooFewFields", "tooManyFields"])
        #expect(read.rejects.map(\.place.line) == [3, 4])
        #expect(read.rejects.map(\.place.byteOffset) == [8, 10])
        #expect(read.rejects.map(\.place.row) == [2, 3])
        #expect(read.rejects.map { String(decoding: $0.original ?? [], as: UTF8.self) } == ["3", "4,5,6"])
        #expect(read.places.map(\.row) == [1, 4])
        #expect(read.originals == ["1,2", "7,8"])
        #expect(read.rejects[0].message == "the record has 1 field where 2 are expected")
    }

    @Test func `a quote that never closes costs its own line only`() async throws {
        let rows = (0..<100).map { "\($0),x\n" }
        let text = "a,b\n" + rows[0..<50].joined() + "50,\"oops\n" + rows[51...].joined()
        let read = try await csv(text, schema: texts("a", "b")).contents()
        #expect(read.texts(0) == (0..<100).filter { $0 != 50 }.map { "\($0)" })
        #expect(read.rejects.map(\.code) == ["unterminatedQuote"])
        #expect(read.rejects.first?.place.line == 52)
    }

    @Test func `a stray quote before quoted fields costs its own line only`() async throws {
        let text = "a,b\n1,\"x\"\n2,\"oops\n3,\"y\"\n4,\"z\"\n"
        let read = try await csv(text, schema: texts("a", "b")).contents()
        #expect(read.texts(0) == ["1", "3", "4"])
        #expect(read.rejects.map(\.code) == ["textAfterQuote"])
        #expect(read.rejects.first?.original.map { String(decoding: $0, as: UTF8.self) } == "2,\"oops")
    }

    @Test func `a record beyond the limit is a reject and reading goes on at the next line`() async throws {
        let long = String(repeating: "x", count: 5000)
        let text = "a,b\n1,2\n3,\(long)\n4,5\n"
        let read = try await csv(text, schema: texts("a", "b"), chunk: 1024, record: 2000).contents()
        #expect(read.texts(0) == ["1", "4"])
        #expect(read.rejects.map(\.code) == ["recordTooLong"])
        #expect(read.places.map(\.line) == [2, 4])
        #expect(read.places.last?.byteOffset == 4 + 4 + 2 + 5000 + 1)
    }

    @Test func `a quote open beyond the limit is given up at its first line`() async throws {
        let text = "a,b\n1,\"open\n" + String(repeating: "2,3\n", count: 2000)
        let read = try await csv(text, schema: texts("a", "b"), chunk: 1024, record: 2000).contents()
        #expect(read.rows.count == 2000)
        #expect(read.rejects.map(\.code) == ["unterminatedQuote"])
        #expect(read.rejects.first?.place.line == 2)
    }

    @Test func `hostile quotes cost time in proportion to the text`() async throws {
        let text = "a,b\n" + String(repeating: "x\",\"\n", count: 50_000)
        let read = try await csv(text, schema: texts("a", "b")).contents()
        #expect(read.rejects.count + read.rows.count > 1000)
    }

    @Test func `a byte order mark is passed over and UTF-16 is refused`() async throws {
        let marked = try await csv("\u{FEFF}a,b\n1,2\n", schema: texts("a", "b")).contents()
        #expect(marked.rows == [[.utf8("1"), .utf8("2")]])
        #expect(marked.places.first?.byteOffset == 7)
        let wide = csv([("a.csv", [0xFF, 0xFE, 0x61, 0, 0x0A, 0])])
        let error = await #expect(throws: HeadraceError.self) { try await wide.contents() }
        #expect(error?.code == .unsupported)
    }

    @Test func `bytes that are not UTF-8 are a reject of their row`() async throws {
        let bytes = Array("a,b\n1,é\n2,".utf8) + [0xE9] + Array("\n3,z\n".utf8)
        let read = try await csv([("a.csv", bytes)], schema: texts("a", "b")).contents()
        #expect(read.texts(1) == ["é", "z"])
        #expect(read.rejects.map(\.code) == ["badUTF8"])
        #expect(read.rejects.first?.field == "b")
        #expect(read.rejects.first?.place.line == 3)
    }

    @Test func `halves of a character in neighbouring rows are bad in both`() async throws {
        let bytes = Array("a,b\n1,".utf8) + [0xC3] + Array("\n2,".utf8) + [0xA9] + Array("\n".utf8)
        let read = try await csv([("a.csv", bytes)], schema: texts("a", "b")).contents()
        #expect(read.rows.isEmpty)
        #expect(read.rejects.map(\.code) == ["badUTF8", "badUTF8"])
    }

    @Test func `single-byte encodings become UTF-8`() async throws {
        let bytes = Array("a,b\n".utf8) + [0xE9, 0x2C, 0x80, 0x22, 0x0A, 0x22, 0xFC, 0x22, 0x22, 0x22, 0x2C, 0x31]
        let options = CSVOptions(encoding: .windows1252)
        let read = try await csv([("a.csv", bytes)], options, schema: texts("a", "b")).contents()
        #expect(read.rows == [[.utf8("é"), .utf8("€\"")], [.utf8("ü\""), .utf8("1")]])
        let latin = try await csv([("a.csv", bytes)], CSVOptions(encoding: .latin1), schema: texts("a", "b")).contents()
        #expect(latin.rows[0][1] == .utf8("\u{80}\""))
    }

    @Test func `columns are matched by name in every file`() async throws {
        let log = CollectedLog()
        let files: [(name: String, bytes: [UInt8])] = [
            ("1.csv", Array("a,b,c\n1,x,true\n".utf8)), ("2.csv", Array("c,a\nfalse,2\n".utf8)),
            ("3.csv", Array("b,a,more\ny,3,z\n".utf8)),
        ]
        let source = csv(files)
        #expect(
            try await source.contents().rows == [
                [.integer(1), .utf8("x"), .bool(true)], [.integer(2), .null, .bool(false)],
                [.integer(3), .utf8("y"), .null],
            ])
        let context = RunContext.testing(log: log.log)
        let schema = try await source.schema(in: context)
        let reader = try await source.openReader(for: schema, from: nil, in: context)
        while case .chunk = try reader.nextNow() {}
        #expect(log.lines.count == 3)
    }

    @Test func `a missing column is an error where it must not be null, and so is a file without any`() async throws {
        let required = Schema([Field("a", .int64, nullable: false), Field("b", .utf8)])
        let first = await #expect(throws: HeadraceError.self) {
            try await csv("A,b\n1,2\n", schema: required).contents()
        }
        #expect(first?.code == .schemaMismatch)
        #expect(first?.hint == "did you mean \"A\"? Names are compared exactly")
        let none = await #expect(throws: HeadraceError.self) {
            try await csv("x;y\n1;2\n", CSVOptions(header: .present), schema: texts("a", "b")).contents()
        }
        #expect(none?.code == .schemaMismatch)
        #expect(none?.trail == ["a.csv"])
    }

    @Test func `empty and repeated names get names of their own`() async throws {
        let source = csv("id,,x,x,x_2\n1,2,3,4,5\n", CSVOptions(header: .present))
        let read = try await source.contents()
        #expect(read.schema.names == ["id", "column_2", "x", "x_3", "x_2"])
        #expect(read.rows == [[.integer(1), .integer(2), .integer(3), .integer(4), .integer(5)]])
        let notes = try await source.describe(in: RunContext.testing())?.notes ?? []
        #expect(notes.contains("column 2 has no name and is called column_2"))
        #expect(notes.contains("column 4 repeats the name x and is called x_3"))
    }

    @Test func `without a header columns are matched by place`() async throws {
        let declared = Schema([Field("id", .int64), Field("name", .utf8)])
        let read = try await csv("1,x\n2,y\n", CSVOptions(header: .absent), schema: declared).contents()
        #expect(read.rows == [[.integer(1), .utf8("x")], [.integer(2), .utf8("y")]])
        let inferred = try await csv("1,x\n2,y\n", CSVOptions(header: .absent)).contents()
        #expect(inferred.schema == Schema([Field("column_1", .int64), Field("column_2", .utf8)]))
    }

    @Test func `lines to skip, comments, other delimiters and quotes are options`() async throws {
        var options = CSVOptions(delimiter: UInt8(ascii: ";"), quote: UInt8(ascii: "'"), skip: 2)
        options.comment = UInt8(ascii: "#")
        options.nulls = ["NA", "-"]
        let text = "report of \"today\n\nid;name\n# it's a comment\n1;'a;b'\nNA;'NA'\n-;x\n"
        let read = try await csv(text, options).contents()
        #expect(read.schema == Schema([Field("id", .int64), Field("name", .utf8)]))
        #expect(
            read.rows == [[.integer(1), .utf8("a;b")], [.null, .utf8("NA")], [.null, .utf8("x")]])
        #expect(read.places.map(\.line) == [5, 6, 7])
    }

    @Test func `an escape takes the next byte literally`() async throws {
        let options = CSVOptions(escape: UInt8(ascii: "\\"))
        let text = "a,b\n\"say \\\"hi\\\", \"\"you\"\"\",x\\,y\n\"1\\\\\",2\n"
        let read = try await csv(text, options, schema: texts("a", "b")).contents()
        #expect(read.rows == [[.utf8("say \"hi\", \"you\""), .utf8("x,y")], [.utf8("1\\"), .utf8("2")]])
    }

    @Test func `without quotes a quote is an ordinary character`() async throws {
        let read = try await csv("a,b\n\"x,y\"\n", CSVOptions(quote: nil), schema: texts("a", "b")).contents()
        #expect(read.rows == [[.utf8("\"x"), .utf8("y\"")]])
    }

    @Test(arguments: ["", "a,b", "a,b\n", "\u{FEFF}", "\n\n"])
    func `a file without rows gives none`(text: String) async throws {
        let read = try await csv(text, schema: texts("a", "b")).contents()
        #expect(read.rows.isEmpty && read.rejects.isEmpty)
    }
}

/// Keeps log messages.
final class CollectedLog: Sendable {
    private let kept = LockedLines()
    var log: EventLog { EventLog { [kept] _, message, fields in kept.append("\(message) \(fields)") } }
    var lines: [String] { kept.lines }
}
