import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceJSON

@Suite("Records that look alike") struct JSONPredictionTests {
    static let schema = Schema([
        Field("id", .int64), Field("name", .utf8), Field("price", .decimal(precision: 12, scale: 2)),
        Field("when", .instant), Field("ok", .bool), Field("ratio", .float64), Field("é", .utf8, nullable: false),
        Field("raw", .json), Field("a name that is longer than two words", .int32), Field("bytes", .binary),
    ])

    /// A value as it is written; mostly of the kind that the column takes, now and then odd or no JSON at all.
    static func value(_ field: Field, _ random: inout Seeded, hostile: Bool) -> String {
        let odd = [
            "null", "true", "false", "0", "-0", "-", "007", "+1", ".5", "5.", "1.0", "1e3", "1E+2", "-12.345", "\"\"",
            "\"12\"", "\"x\"", "{}", "[]", "[1,2]", "{\"a\":\"b\"}", "nul", "\"a\" \"b\"", "\"a", "1 ", " 1",
            "\"\\\"\"",
            "\"\\\\\"", "\"tab\tin\"", "\"\u{7F}ö\"", "12\"", "99999999999999999999", "\"2024-01-01T00:00:00Z\"", "",
            "\"line\nfeed\"", "1,2", "\"{\\\"\"", "NaN",
        ]
        let wanted = hostile ? 4 : 40
        if Int.random(in: 0..<wanted, using: &random) == 0 { return odd.randomElement(using: &random) ?? "" }
        switch field.name {
        case "id": return "\(Int64.random(in: -1000...1_000_000, using: &random))"
        case "price": return "\(Int.random(in: 0...9999, using: &random)).\(Int.random(in: 10...99, using: &random))"
        case "when": return "\"2024-0\(Int.random(in: 1...9, using: &random))-11T01:02:03Z\""
        case "ok": return Bool.random(using: &random) ? "true" : "false"
        case "ratio": return "\(Double(Int.random(in: -50...50, using: &random)) / 4)"
        case "bytes": return "\"AAEC\""
        case "name", "é":
            let count = Int.random(in: 0...70, using: &random)
            return "\"" + String(repeating: Bool.random(using: &random) ? "x" : "ö", count: count) + "\""
        default: return "\(Int32.random(in: .min ... .max, using: &random))"
        }
    }

    /// Records of mostly one pattern: some lack members, have more, in another order, or with white space.
    static func records(_ count: Int, _ random: inout Seeded, hostile: Bool) -> [String] {
        var pattern = schema.fields
        return (0..<count).map { _ in
            if Int.random(in: 0..<20, using: &random) == 0 {
                pattern = schema.fields.shuffled(using: &random)
                pattern.removeLast(Int.random(in: 0...pattern.count, using: &random))
                if Bool.random(using: &random) { pattern.append(Field("unknown", .utf8)) }
                if Int.random(in: 0..<8, using: &random) == 0 { pattern.append(Field("id", .utf8)) }
            }
            let space = Int.random(in: 0..<30, using: &random) == 0 ? " " : ""
            let members = pattern.map { "\"\($0.name)\"\(space):\(value($0, &random, hostile: hostile))" }
            return "{" + members.joined(separator: "," + space) + "}"
        }
    }

    static func outcome(_ bytes: [UInt8], _ format: JSONFormat, predicts: Bool) async -> JSONHostileInputTests.Outcome {
        var format = format
        format.predicts = predicts
        return await .init(FormatSource(TestBytes([("x", bytes)]), format, codecs: [], declared: schema))
    }

    @Test("give the same rows and rejects as token by token", arguments: 0..<60, [false, true])
    func same(seed: Int, hostile: Bool) async {
        var random = Seeded(UInt64(seed))
        let records = Self.records(Int.random(in: 1...60, using: &random), &random, hostile: hostile)
        let texts = [
            (JSONLayout.lines, records.joined(separator: "\n")), (.lines, records.joined(separator: "\r\n") + "\r\n"),
            (.document, "[" + records.joined(separator: ",") + "]"), (.documents, records.joined(separator: "\n")),
        ]
        for (layout, text) in texts {
            var bytes = Array(text.utf8)
            if hostile, Bool.random(using: &random) { bytes = JSONHostileInputTests.mutated(bytes, &random) }
            for chunk in [300, 1 << 18] {
                let format = JSONFormat(layout: layout).chunked(chunk)
                let slow = await Self.outcome(bytes, format, predicts: false)
                let fast = await Self.outcome(bytes, format, predicts: true)
                #expect(fast.same(as: slow), "\(layout) \(fast) \(slow)")
            }
        }
    }

    @Test("are read without tokens, all but the first and those with escapes")
    func predicted() throws {
        let fields = Schema([Field("id", .int64), Field("name", .utf8)])
        let lines = (0..<100).map { "{\"id\":\($0),\"name\":\"\($0 % 10 == 9 ? "a\\\"b" : "plain ö")\"}" }
        let text = lines.joined(separator: "\n")
        let plan = try DecodingPlan(
            fields, options: .strict, separator: nil, recordColumn: nil, isByLine: true, isInferred: false)
        let made = plan.makeDecoders(capacity: 100)
        var context = DecodingContext(options: .strict)
        let buffer = Array(text.utf8).withUnsafeBytes { Buffer(copying: $0) }
        let predicted = PredictedRows(
            UnsafeRawBufferPointer(start: buffer.base, count: buffer.byteCount), columns: made.columns, isByLine: true)
        var start = 0
        var read: [Int] = []
        for (number, line) in lines.enumerated() {
            let end = start + line.utf8.count
            if predicted.read(from: start, to: end, &context) { read.append(number) }
            if number == 0 {
                predicted.learn(
                    UnsafeRawBufferPointer(start: buffer.base, count: end), made.members, .strict)
            }
            start = end + 1
        }
        #expect(read == (1..<100).filter { $0 % 10 != 9 })
        #expect(made.columns[0].finish().scalars == read.map { .integer(Int128($0)) })
        #expect(made.columns[1].finish().scalars.allSatisfy { $0 == .utf8("plain ö") })
        withExtendedLifetime(buffer) {}
    }
}
