import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceCSV

@Suite struct CSVPropertyTests {
    /// Text of the alphabet that decides where fields and records end, weighted so that records come out.
    private func randomText(_ random: inout Seeded, quotes: Int) -> [UInt8] {
        var alphabet = Array("aab1,,,\n\né".utf8)
        alphabet += Array(repeating: 0x22, count: quotes)
        if Bool.random(using: &random) { alphabet += [0x0D] }
        return (0..<Int.random(in: 0...400, using: &random)).map { _ in
            alphabet.randomElement(using: &random) ?? 0x61
        }
    }

    /// Text of well-formed records, some of them ragged.
    private func soundText(_ random: inout Seeded) -> [UInt8] {
        var text: [UInt8] = []
        let ends: [[UInt8]] = [[0x0A], [0x0D, 0x0A], [0x0D]]
        let end = Int.random(in: 0...3, using: &random)
        for _ in 0..<Int.random(in: 0...60, using: &random) {
            let fields = Int.random(in: 0...9, using: &random) == 0 ? Int.random(in: 1...4, using: &random) : 2
            for field in 0..<fields {
                if field > 0 { text.append(0x2C) }
                let value = (0..<Int.random(in: 0...70, using: &random)).map { _ in
                    Array("abc ,\n\"\r1".utf8).randomElement(using: &random) ?? 0x61
                }
                let isPlain = !value.contains { [0x2C, 0x0A, 0x0D, 0x22].contains($0) }
                if isPlain && Bool.random(using: &random) {
                    text += value
                } else {
                    text.append(0x22)
                    for byte in value { text += byte == 0x22 ? [0x22, 0x22] : [byte] }
                    text.append(0x22)
                }
            }
            text += end < 3 ? ends[end] : ends[Int.random(in: 0...2, using: &random)]
            if Int.random(in: 0...9, using: &random) == 0 { text += ends[Int.random(in: 0...2, using: &random)] }
        }
        return text
    }

    /// Reads `text` with two columns and cuts it into pieces of `chunk` bytes.
    private func read(_ text: [UInt8], chunk: Int, piece: Int) async throws -> Contents {
        try await csv(
            [("a.csv", text)], CSVOptions(delimiter: 0x2C, header: .absent), schema: texts("a", "b"), chunk: chunk,
            piece: piece
        ).contents()
    }

    private func expected(_ text: [UInt8]) -> [[Scalar]] {
        naiveRecords(text).compactMap { fields in
            guard let fields, fields.count == 2 else { return nil }
            return fields.map { $0.map { .utf8(String(decoding: $0, as: UTF8.self)) } ?? .null }
        }
    }

    @Test(arguments: 0..<30) func `well-formed text gives the rows of a naive reader`(seed: UInt64) async throws {
        var random = Seeded(seed)
        for _ in 0..<10 {
            let text = soundText(&random)
            let chunk = [64, 100, 256, 1000, 65536].randomElement(using: &random) ?? 64
            let found = try await read(text, chunk: chunk, piece: Int.random(in: 1...300, using: &random))
            #expect(found.rows == expected(text), "\(String(decoding: text, as: UTF8.self).debugDescription)")
            #expect(found.rows.count + found.rejects.count == naiveRecords(text).count)
            #expect(found.rejects.allSatisfy { $0.code == "tooFewFields" || $0.code == "tooManyFields" })
        }
    }

    @Test(arguments: 0..<30)
    func `any bytes give the same records whole, in pieces and by the scanner alone`(seed: UInt64) async throws {
        var random = Seeded(seed &+ 1000)
        for _ in 0..<10 {
            var text = randomText(&random, quotes: Int.random(in: 0...3, using: &random))
            if Int.random(in: 0...4, using: &random) == 0 {
                text = text.map { _ in UInt8.random(in: 0...255, using: &random) }
                if text.starts(with: [0xFF, 0xFE]) || text.starts(with: [0xFE, 0xFF]) { continue }
            }
            let whole = try await read(text, chunk: 1 << 16, piece: 1 << 16)
            let pieces = try await read(
                text, chunk: Int.random(in: 64...300, using: &random), piece: Int.random(in: 1...100, using: &random))
            #expect(pieces.rows == whole.rows, "\(text)")
            #expect(pieces.places == whole.places)
            #expect(pieces.rejects.map(\.place) == whole.rejects.map(\.place), "\(text)")
            #expect(pieces.rejects.map(\.code) == whole.rejects.map(\.code))
            #expect(pieces.rejects.map(\.original) == whole.rejects.map(\.original))
            // A comment byte that does not occur takes the text away from the index.
            guard !text.contains(0x07) else { continue }
            let scanned = try await csv(
                [("a.csv", text)], CSVOptions(delimiter: 0x2C, header: .absent, comment: 0x07),
                schema: texts("a", "b")
            ).contents()
            #expect(scanned.rows == whole.rows, "\(text)")
            #expect(scanned.places == whole.places)
            #expect(scanned.rejects.map(\.place) == whole.rejects.map(\.place))
        }
    }

    @Test(arguments: 0..<20) func `reading resumes after every chunk`(seed: UInt64) async throws {
        var random = Seeded(seed &+ 2000)
        let files = (0..<3).map { number in
            (
                name: "\(number).csv",
                bytes: Array("b,a\n".utf8) + soundText(&random) + (number == 1 ? Array("x,\"open\ny,z".utf8) : [])
            )
        }
        let source = csv(files, CSVOptions(delimiter: 0x2C), schema: texts("a", "b"), chunk: 200, piece: 77)
        let whole = try await source.contents()
        #expect(whole.positions.count >= 3)
        for position in whole.positions {
            let rest = try await source.contents(from: position.position)
            #expect(rest.rows == Array(whole.rows[position.rows...]))
            #expect(rest.places == Array(whole.places[position.rows...]))
            #expect(rest.rejects.map(\.place) == whole.rejects[position.rejects...].map(\.place))
        }
    }

    @Test func `reading resumes inside a record that is being dropped`() async throws {
        let text = "a,b\n1,2\n3," + String(repeating: "x", count: 3000) + "\n4,5\n"
        let source = csv(text, CSVOptions(delimiter: 0x2C), schema: texts("a", "b"), chunk: 256, record: 600)
        let whole = try await source.contents()
        #expect(whole.texts(0) == ["1", "4"])
        for position in whole.positions {
            let rest = try await source.contents(from: position.position)
            #expect(rest.rows == Array(whole.rows[position.rows...]))
            #expect(rest.places == Array(whole.places[position.rows...]))
        }
    }

    @Test(arguments: 0..<40) func `the index agrees with the scanner or says that it cannot`(seed: UInt64) {
        var random = Seeded(seed &+ 3000)
        for _ in 0..<50 {
            var text = randomText(&random, quotes: 3).filter { $0 != 0x0D }
            let count = text.count
            text += Array(repeating: 0, count: 128)
            text.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                var index = StructuralIndex(capacity: 16)
                index.build(
                    base, from: 0, to: count, delimiter: 0x2C, quote: 0x22, withCarriageReturns: false)
                if index.hasMisuse { return }
                var scanner = RecordScanner(base, end: count, dialect: CSVDialect(), isWhole: false)
                var ends: [UInt32] = []
                var place = 0
                scanning: while place < count {
                    switch scanner.next(at: place) {
                    case .record(_, let next), .blank(let next): (place, ends) = (next, ends + scanner.fieldEnds)
                    case .strayText, .openQuote, .comment:
                        Issue.record("the index took \(Array(bytes[..<count])) for well-formed")
                        break scanning
                    case .incomplete: break scanning
                    }
                }
                let found = (0..<index.count).map { index.positions[$0 + 1] }
                #expect(Array(found.prefix(ends.count)) == ends)
            }
        }
    }

    @Test(arguments: 0..<40)
    func `the index of long texts with few quotes agrees with the scanner`(seed: UInt64) {
        var random = Seeded(seed &+ 4000)
        let alphabets = ["aaaaaaaaab1,\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaab,\n\r", ",\n", "a"].map { Array($0.utf8) }
        for _ in 0..<20 {
            let alphabet = alphabets.randomElement(using: &random) ?? []
            var text: [UInt8] = []
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let plain = (0..<Int.random(in: 0...300, using: &random)).map { _ in
                    alphabet.randomElement(using: &random) ?? 0x61
                }
                let quoted = (0..<Int.random(in: 0...150, using: &random)).map { _ in
                    Array("a,\n\r".utf8).randomElement(using: &random) ?? 0x61
                }
                text += plain + [0x2C, 0x22] + quoted + [0x22, 0x0A]
            }
            let count = text.count
            let returns = text.contains(0x0D)
            text += Array(repeating: 0, count: 128)
            text.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                var index = StructuralIndex(capacity: 16)
                index.build(
                    base, from: 0, to: count, delimiter: 0x2C, quote: 0x22, withCarriageReturns: returns)
                #expect(index.hasCarriageReturn == returns)
                #expect(!index.hasMisuse && !index.endsInQuote && index.isASCII)
                var expected: [UInt32] = []
                var inQuote = false
                var quotedLines = 0
                for (place, byte) in bytes[..<count].enumerated() {
                    if byte == 0x22 { inQuote.toggle() }
                    if inQuote, byte == 0x0A { quotedLines += 1 }
                    if !inQuote, [0x2C, 0x0A, 0x0D].contains(byte) { expected.append(UInt32(place)) }
                }
                #expect((0..<index.count).map { index.positions[$0 + 1] } == expected)
                #expect(index.quotedLineFeeds == quotedLines)
            }
        }
    }

    @Test(arguments: 0..<20)
    func `places as numbers are the places one by one, after filters too`(seed: UInt64) async throws {
        var random = Seeded(seed &+ 5000)
        let text = Int.random(in: 0...2, using: &random) == 0 ? Array("1,2\n3,4\n\n5,6\n".utf8) : soundText(&random)
        let source = csv(
            [("a.csv", text)], CSVOptions(delimiter: 0x2C, header: .absent), schema: texts("a", "b"),
            chunk: [64, 1000].randomElement(using: &random) ?? 64, piece: 1 << 20)
        let context = RunContext.testing()
        let reader = try await source.openReader(for: texts("a", "b"), from: nil, in: context)
        let files = FileTable()
        while case .chunk(let chunk, _) = try reader.nextNow() {
            let batch = try reader.decode(chunk, sequence: 0)
            let chosen = (0..<Int32(batch.count)).filter { _ in Bool.random(using: &random) }
            for batch in [batch, chosen.withUnsafeBufferPointer { batch.taking($0) }] {
                let columns = batch.provenance.columns(count: batch.count, files: files)
                let numbers = Provenance(columns: columns, files: files)
                for row in 0..<batch.count { #expect(numbers.place(of: row) == batch.provenance.place(of: row)) }
            }
        }
        await reader.close()
    }
}
