import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceJSON

@Suite("Hostile JSON", .serialized) struct JSONHostileInputTests {
    /// Changes a few bytes of a text: overwrite, delete, insert, cut off.
    static func mutated(_ text: [UInt8], _ random: inout Seeded) -> [UInt8] {
        var text = text
        let likely = Array("{}[],:\"\\u0019.eE+-tfn \n\u{1}\u{1E}/*".utf8) + [0x80, 0xC3, 0xE2, 0xED, 0xF0, 0xFF, 0xEF]
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0...text.count, using: &random)
            let byte = likely.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<8, using: &random) {
            case 0: text.removeSubrange(place...)
            case 1, 2: text.insert(byte, at: place)
            case 3, 4: if place < text.count { text.remove(at: place) }
            default: if place < text.count { text[place] = byte }
            }
        }
        return text
    }

    @Test("Damaged input gives rows, rejects or an error, the same for all chunks", arguments: 0..<150)
    func damaged(seed: Int) async throws {
        var random = Seeded(UInt64(seed))
        let records = (0..<Int.random(in: 1...8, using: &random)).map { _ in RandomJSON.object(&random).compactText }
        let text =
            [
                records.joined(separator: "\n"), "[" + records.joined(separator: ",\n") + "]",
                "{\"x\":[1],\"rows\":[" + records.joined(separator: ",") + "]}", records.joined(),
            ].randomElement(using: &random) ?? ""
        let bytes = Self.mutated(Array(text.utf8), &random)
        let schema = Schema([
            Field("id", .int64), Field("name", .utf8), Field("price", .decimal(precision: 12, scale: 2)),
            Field("when", .instant), Field("tags", .list(Field("item", .utf8))), Field("nested", .json),
            Field("nested_id", .int64),
        ])
        let lenient = JSONReadingOptions(
            loneSurrogates: .replaced, allowsNonFiniteNumbers: true, allowsTrailingCommas: true, allowsComments: true)
        for layout in JSONLayout.allCases {
            for reading in [JSONReadingOptions.strict, lenient] {
                var format = JSONFormat(layout: layout, flattens: true, reading: reading)
                if layout == .document, Bool.random(using: &random) { format.rows = "/rows" }
                var outcomes: [Outcome] = []
                for (chunk, declared) in [(1, schema), (9, schema), (1 << 18, schema)] {
                    let source = FormatSource(
                        TestBytes([("x", bytes)], seed: UInt64(chunk)), format.chunked(chunk), codecs: [],
                        declared: declared)
                    outcomes.append(await Outcome(source))
                }
                #expect(outcomes[0].same(as: outcomes[2]) && outcomes[1].same(as: outcomes[2]), "\(layout) \(outcomes)")
                if layout == .lines, case .error(let error) = outcomes[0] {
                    #expect(error.fields.first?.value == "wrongEncoding", "\(error)")
                }
                _ = await Outcome(FormatSource(TestBytes([("x", bytes)]), format, codecs: []))
            }
        }
    }

    enum Outcome {
        case rows([[Scalar]], [String])
        case error(HeadraceError)

        init(_ source: some Source) async {
            do {
                let reading = try await source.readAll()
                self = .rows(
                    reading.rows,
                    reading.rejects.map { "\($0.code) \($0.place) \($0.message)" })
            } catch {
                self = .error(error as? HeadraceError ?? HeadraceError(.unexpected, "\(error)"))
            }
        }

        func same(as other: Outcome) -> Bool {
            switch (self, other) {
            case (.rows(let rows, let rejects), .rows(let others, let otherRejects)):
                rows == others && rejects == otherRejects
            // Which of several faults is met first depends on the chunks; that there is one does not.
            case (.error(let error), .error(let other)): error.code == other.code
            default: false
            }
        }
    }

    @Test("A line is a row exactly if the reference reader takes it", arguments: 0..<40)
    func linesAgainstTree(seed: Int) async throws {
        var random = Seeded(UInt64(seed) &+ 1000)
        let lines = (0..<20).map { _ in
            Self.mutated(Array(RandomJSON.object(&random).compactText.utf8), &random).filter {
                $0 != 0x0A && $0 != 0x1E
            }
        }.filter { line in line.contains { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 } }
        let source = FormatSource(
            TestBytes([("x", Array(lines.joined(separator: [0x0A])))]),
            JSONFormat(layout: .lines, recordColumn: "raw"),
            codecs: [], declared: Schema([Field("raw", .json), Field("name", .json)]))
        let reading = try await source.readAll()
        var expected: [Int] = []
        for (index, line) in lines.enumerated() {
            if let value = try? JSONValue.parse(line), value.kind == .object { expected.append(index + 1) }
        }
        #expect(reading.places.map(\.line) == expected)
        #expect(reading.rejects.count == lines.count - expected.count)
        for (row, place) in zip(reading.rows, reading.places) {
            let value = try JSONValue.parse(lines[(place.line ?? 1) - 1])
            let name = value["name"] ?? .null
            if name.isNull {
                #expect(row[1] == .null)
            } else if case .utf8(let text) = row[1] {
                #expect(try JSONValue.parse(text).sorted == name.sorted)
            } else {
                Issue.record("no name in \(value)")
            }
        }
    }

    @Test("Deep nesting is refused without ending the process")
    func deep() async throws {
        let depth = 100_000
        let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        for type: DataType in [.json, .list(Field("item", .list(Field("item", .int64))))] {
            let reading = try await read(
                "{\"a\":\(text)}\n{\"a\":null}\n", JSONFormat(layout: .lines), schema: Schema([Field("a", type)]))
            #expect(reading.rows == [[.null]] && reading.rejects.count == 1)
        }
        #expect(try await read("{\"a\":\(text)}\n{\"a\":1}\n", JSONFormat(layout: .lines)).rows == [[.integer(1)]])
    }
}
