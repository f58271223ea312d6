import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceCSV

@Suite struct CSVEncoderTests {
    static let schema = Schema([
        Field("bool", .bool), Field("int8", .int8), Field("int16", .int16), Field("int32", .int32),
        Field("int64", .int64), Field("uint8", .uint8), Field("uint16", .uint16), Field("uint32", .uint32),
        Field("uint64", .uint64), Field("float32", .float32), Field("float64", .float64),
        Field("decimal", .decimal(precision: 12, scale: 2)), Field("wide", .decimal(precision: 38, scale: 10)),
        Field("text, with \"quotes\"", .utf8), Field("binary", .binary), Field("date", .date32),
        Field("time", .time64), Field("timestamp", .timestamp(zone: nil)), Field("instant", .instant),
        Field("list", .list(Field("item", .utf8))),
        Field("struct", .struct([Field("x", .float64), Field("y", .date32)])),
        Field("json", .json),
    ])

    private func value(_ type: DataType, _ random: inout Seeded) -> Scalar {
        if Int.random(in: 0...5, using: &random) == 0 { return .null }
        let words = [
            "", "a", "a,b", "\"", "\"\"", "line\nline", "\r", "é€😀", "NULL", " spaced ", "#", "\u{0}", "1", "\t;|",
        ]
        switch type {
        case .bool: return .bool(Bool.random(using: &random))
        case .float32: return .double(Double(Float.random(in: -1e6...1e6, using: &random)))
        case .float64:
            return .double(
                [
                    0.1, -0.0, .infinity, .leastNonzeroMagnitude, 1.7976931348623157e308,
                    Double.random(in: -1...1, using: &random),
                ]
                .randomElement(using: &random) ?? 0)
        case .decimal(let precision, let scale):
            let digits = Int128(Int64.random(in: -999_999_999_999...999_999_999_999, using: &random))
            return .decimal(
                DecimalValue(coefficient: precision > 18 ? digits * 1_000_000_000_000 : digits, scale: scale))
        case .utf8:
            return .utf8(
                (0..<Int.random(in: 0...3, using: &random)).map { _ in words.randomElement(using: &random) ?? "" }
                    .joined())
        case .binary:
            return .binary(
                (0..<Int.random(in: 0...5, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
        case .date32: return .date(Int32.random(in: -700_000...2_900_000, using: &random))
        case .time64: return .time(Int64.random(in: 0..<86_400_000_000, using: &random))
        case .timestamp:
            return .timestamp(Int64.random(in: -60_000_000_000_000_000...250_000_000_000_000_000, using: &random))
        case .list(let element):
            return .list((0..<Int.random(in: 0...3, using: &random)).map { _ in value(element.type, &random) })
        case .struct(let fields):
            return .struct(fields.map { $0.type == .float64 ? .double(0.5) : value($0.type, &random) })
        case .json:
            return .utf8(["{\"a\": \"x, y\"}", "[]", "\"t\"", "1.50", "null"].randomElement(using: &random) ?? "")
        default:
            guard let range = type.integerRange else { return .null }
            return .integer([range.lowest, range.highest, 0, 7].randomElement(using: &random) ?? 0)
        }
    }

    private func batch(_ schema: Schema, rows: Int, _ random: inout Seeded) throws -> RecordBatch {
        let values = (0..<rows).map { _ in schema.fields.map { value($0.type, &random) } }
        return try #require(RecordBatch(schema: schema, rows: values))
    }

    private func encode(_ batches: [RecordBatch], _ options: CSVWriteOptions = CSVWriteOptions()) throws -> [UInt8] {
        let encoder = CSVEncoder(options)
        var bytes = try encoder.prologue(for: batches[0].schema)
        for batch in batches { try encoder.encode(batch).withBytes { bytes += Array($0) } }
        return try bytes + encoder.epilogue(for: batches[0].schema)
    }

    static let dialects: [CSVWriteOptions] = [
        CSVWriteOptions(), CSVWriteOptions(delimiter: UInt8(ascii: ";"), endsLinesWithCRLF: true),
        CSVWriteOptions(delimiter: UInt8(ascii: "1")), CSVWriteOptions(quote: UInt8(ascii: "'"), null: "NULL"),
        CSVWriteOptions(null: "0"), CSVWriteOptions(delimiter: UInt8(ascii: "\t"), hasHeader: false),
    ]

    @Test(arguments: dialects, 0..<8)
    func `values of every type come back as they went`(options: CSVWriteOptions, seed: UInt64) async throws {
        var random = Seeded(seed)
        let first = try batch(Self.schema, rows: 50, &random)
        let second = try batch(Self.schema, rows: 7, &random)
        let bytes = try encode([first, second.slice(from: 2, count: 4)], options)
        let reading = CSVOptions(
            delimiter: options.delimiter, quote: options.quote, header: options.hasHeader ? .present : .absent,
            nulls: options.null.isEmpty ? [] : [options.null])
        let read = try await csv([("a.csv", bytes)], reading, schema: Self.schema, chunk: 512).contents()
        let expected = (0..<50).map { first.row(at: $0) } + (2..<6).map { second.row(at: $0) }
        #expect(read.rejects.map(\.message) == [])
        #expect(read.rows.count == expected.count)
        for (found, wanted) in zip(read.rows, expected) {
            for column in Self.schema.fields.indices {
                #expect(found[column] == wanted[column], "\(Self.schema.fields[column])")
            }
        }
    }

    @Test func `text is quoted only where it must be`() throws {
        let schema = Schema([Field("a b", .utf8), Field("n", .int64)])
        let rows: [[Scalar]] = [
            [.utf8("plain text"), .integer(1)], [.utf8("a,b"), .null], [.null, .integer(2)], [.utf8(""), .null],
            [.utf8("say \"hi\""), .integer(3)], [.utf8("two\nlines"), .integer(-4)],
        ]
        let batch = try #require(RecordBatch(schema: schema, rows: rows))
        let lines = [
            "a b,n", "plain text,1", "\"a,b\",", ",2", "\"\",", "\"say \"\"hi\"\"\",3", "\"two\nlines\",-4", "",
        ]
        #expect(String(decoding: try encode([batch]), as: UTF8.self) == lines.joined(separator: "\n"))
    }

    @Test func `dictionary columns are written like plain ones`() throws {
        let words = try #require(ColumnVector.of(.utf8, [.utf8("x"), .utf8("a,b"), .utf8("")]))
        let keys = try #require(ColumnVector.of(.int32, [.integer(1), .null, .integer(0), .integer(2)]))
        let column = ColumnVector(
            type: .utf8, count: 4, validity: keys.validity, values: keys.values, dictionary: words)
        let batch = RecordBatch(schema: texts("w"), columns: [column], count: 4)
        #expect(String(decoding: try encode([batch]), as: UTF8.self) == "w\n\"a,b\"\n\nx\n\"\"\n")
    }

    @Test func `without quotes a value that needs them is an error`() throws {
        let batch = try #require(RecordBatch(schema: texts("a"), rows: [[.utf8("x,y")]]))
        #expect(throws: HeadraceError.self) { try encode([batch], CSVWriteOptions(quote: nil)) }
        let tabbed = CSVWriteOptions(delimiter: UInt8(ascii: "\t"), quote: nil)
        #expect(String(decoding: try encode([batch], tabbed), as: UTF8.self) == "a\nx,y\n")
    }

    @Test(arguments: 0..<10) func `one column keeps nulls and empty texts apart`(seed: UInt64) async throws {
        var random = Seeded(seed)
        let batch = try batch(texts("only"), rows: 40, &random)
        let read = try await csv([("a.csv", encode([batch]))], CSVOptions(header: .present), schema: texts("only"))
            .contents()
        #expect(read.rows == (0..<40).map { batch.row(at: $0) })
    }
}
