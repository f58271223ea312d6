import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceCSV

@Suite struct CSVTypeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let type: DataType
        let text: String
        let value: Scalar?
        let code: String?
        var testDescription: String { "\(type) \(text)" }

        static func good(_ type: DataType, _ text: String, _ value: Scalar) -> Case {
            Case(type: type, text: text, value: value, code: nil)
        }
        static func bad(_ type: DataType, _ text: String, _ code: String) -> Case {
            Case(type: type, text: text, value: nil, code: code)
        }
    }

    static let money = DataType.decimal(precision: 6, scale: 2)
    static let wide = DataType.decimal(precision: 38, scale: 4)
    static let cases: [Case] = [
        .good(.int64, "-9223372036854775808", .integer(Int128(Int64.min))), .good(.int64, "\"12\"", .integer(12)),
        .good(.int64, " 7\t", .integer(7)), .good(.int64, "\"\"", .null), .good(.uint8, "255", .integer(255)),
        .bad(.int64, "9223372036854775808", "outOfRange"), .bad(.uint8, "256", "outOfRange"),
        .bad(.int8, "-129", "outOfRange"), .bad(.int64, "12a", "notAnInteger"), .bad(.int32, "1.0", "notAnInteger"),
        .bad(.uint16, "-1", "outOfRange"), .bad(.int64, "\"1\"\"2\"", "notAnInteger"),
        .good(money, "1234.5", .decimal(DecimalValue(coefficient: 123450, scale: 2))),
        .good(money, "0.500", .decimal(DecimalValue(coefficient: 50, scale: 2))),
        .good(money, "-0.01", .decimal(DecimalValue(coefficient: -1, scale: 2))),
        .bad(money, "0.005", "tooManyFractionDigits"), .bad(money, "12345", "outOfRange"),
        .bad(money, "1,5", "tooManyFields"), .bad(money, "\"1,5\"", "notADecimal"), .bad(money, "abc", "notADecimal"),
        .good(
            wide, "1234567890123456789012345678901234.5678",
            .decimal(DecimalValue(coefficient: 12_345_678_901_234_567_890_123_456_789_012_345_678, scale: 4))),
        .bad(wide, "12345678901234567890123456789012345", "outOfRange"),
        .good(.float64, "1e-3", .double(0.001)), .good(.float64, "-Infinity", .double(-.infinity)),
        .good(.float32, "0.1", .double(Double(Float(0.1)))), .bad(.float32, "1e300", "outOfRange"),
        .bad(.float64, "one", "notANumber"), .good(.bool, "true", .bool(true)), .good(.bool, "No", .bool(false)),
        .good(.bool, "1", .bool(true)), .bad(.bool, "maybe", "notABoolean"),
        .good(.date32, "1970-01-02", .date(1)), .bad(.date32, "2023-02-29", "notADate"),
        .bad(.date32, "02.01.1970", "notADate"), .good(.time64, "00:00:01.5", .time(1_500_000)),
        .bad(.time64, "25:00:00", "notATime"),
        .good(.timestamp(zone: nil), "1970-01-01 00:00:01", .timestamp(1_000_000)),
        .good(.timestamp(zone: nil), "1970-01-02", .timestamp(86_400_000_000)),
        .bad(.timestamp(zone: nil), "1970-01-01T00:00:01Z", "notATimestamp"),
        .good(.instant, "1970-01-01T01:00:00+01:00", .timestamp(0)),
        .bad(.instant, "1970-01-01T00:00:01", "notATimestamp"), .bad(.instant, "yesterday", "notATimestamp"),
        .good(.json, "\"{\"\"a\"\": [1, 2.50]}\"", .utf8("{\"a\": [1, 2.50]}")), .bad(.json, "{a}", "notJSON"),
        .good(.binary, "0x00ff", .binary([0, 255])), .good(.binary, "\"\"", .binary([])),
        .bad(.binary, "0x0", "notHexadecimal"),
        .good(.list(Field("item", .int64)), "\"[1,null]\"", .list([.integer(1), .null])),
        .bad(.list(Field("item", .int64)), "\"[1,\"\"x\"\"]\"", "wrongShape"),
        .bad(.list(Field("item", .int64)), "[1", "notJSON"),
        .good(
            .struct([Field("a", money), Field("b", .date32)]), "\"{\"\"b\"\":\"\"1970-01-02\"\",\"\"a\"\":1.5}\"",
            .struct([.decimal(DecimalValue(coefficient: 150, scale: 2)), .date(1)])),
        .good(.utf8, "plain", .utf8("plain")),
    ]

    @Test(arguments: cases) func `a cell is a value of its type or a reject with a code`(of item: Case) async throws {
        let schema = Schema([Field("before", .utf8), Field("cell", item.type), Field("after", .int64)])
        let text = "before,cell,after\nx,,1\ny,\(item.text),2\nz,,3\n"
        let read = try await csv(text, schema: schema).contents()
        if let value = item.value {
            #expect(read.rows.map { $0[1] } == [.null, value, .null])
            #expect(read.rejects.isEmpty)
        } else {
            #expect(read.rows.map { $0[2] } == [.integer(1), .integer(3)])
            #expect(read.places.map(\.line) == [2, 4])
            #expect(read.rejects.map(\.code) == [item.code])
            #expect(read.rejects.first?.place.line == 3)
            #expect(read.rejects.first?.rule == "decode")
            if item.code != "tooManyFields" { #expect(read.rejects.first?.field == "cell") }
        }
    }

    @Test func `null in a column that must not be null is a reject`() async throws {
        for type in [DataType.int64, .utf8, .bool, .json, .binary] {
            let schema = Schema([Field("a", type, nullable: false), Field("b", .int64)])
            let read = try await csv("a,b\n,1\nNA,2\n", CSVOptions(nulls: ["NA"]), schema: schema).contents()
            #expect(read.rejects.map(\.code) == ["missing", "missing"])
            #expect(read.rejects.map(\.value) == [nil, nil])
            #expect(read.rejects.map(\.message).allSatisfy { $0.contains("must not be") })
        }
    }

    @Test func `a row with several bad cells is one reject that names the first`() async throws {
        let schema = Schema([Field("a", .int64), Field("b", .int64), Field("c", .utf8)])
        let read = try await csv("a,b,c\nx,y,1\n1,z,2\n1,2,3\n", schema: schema).contents()
        #expect(read.rejects.map(\.field) == ["a", "b"])
        #expect(read.rejects.map(\.value) == ["x", "z"])
        #expect(read.rows == [[.integer(1), .integer(2), .utf8("3")]])
    }

    @Test func `a misfit of an inferred type says that the type was inferred`() async throws {
        let line = "1,\(String(repeating: "x", count: 500))\n"
        let text = "a,b\n" + String(repeating: line, count: 2500) + "x,y\n"
        let sampled = FormatSource(OncePipe(Array(text.utf8)), CSVFormat(), codecs: [])
        let read = try await sampled.contents()
        #expect(read.rows.count == 2500)
        #expect(read.rejects.map(\.code) == ["notAnInteger"])
        #expect(read.rejects.first?.place.line == 2502)
        #expect(read.rejects.first?.message.contains("inferred") == true)
    }
}

/// Bytes that can be read once, like a pipe.
struct OncePipe: ByteSource {
    let name = "-"
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        previous == nil ? ByteObject(name: "-", byteCount: nil, identity: "pipe") : nil
    }

    func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        PieceReader(bytes, piece: 4096)
    }
}
