import HeadraceCore
import Testing

@Suite struct JSONQuoteIndexTests {
    static func entries(_ places: UnsafeMutablePointer<UInt32>) -> [Int] {
        var found: [Int] = []
        while places[found.count] != .max { found.append(Int(places[found.count])) }
        return found
    }

    @Test("finds what a loop over the bytes finds, whatever the length", arguments: 0..<300)
    func random(seed: UInt64) {
        var random = JSONSeededGenerator(seed)
        let bytes = (0..<Int.random(in: 0...400, using: &random)).map { _ in
            [0x22, 0x5C, 0x5C, 0x0A, 0x09, 0x61, 0x61, 0x20, 0x7F, 0xC3, 0x1F].randomElement(using: &random) ?? UInt8(0)
        }
        let lineFeedsAreOdd = seed % 2 == 0
        var quotes: [Int] = []
        var odd: [Int] = []
        var isEscaped = false
        for (place, byte) in bytes.enumerated() {
            if byte == 0x22, !isEscaped { quotes.append(place) }
            isEscaped = byte == 0x5C && !isEscaped
            if byte == 0x5C || (byte < 0x20 && (byte != 0x0A || lineFeedsAreOdd)) { odd.append(place) }
        }
        let wide = stride(from: 0, to: bytes.count, by: 64).filter { start in
            bytes[start..<min(start + 64, bytes.count)].contains { $0 >= 0x80 }
        }
        bytes.withUnsafeBytes { bytes in
            let index = JSONQuoteIndex(bytes, lineFeedsAreOdd: lineFeedsAreOdd)
            #expect(Self.entries(index.quotes) == quotes)
            #expect(Self.entries(index.odd) == odd)
            #expect(Self.entries(index.wide) == wide)
        }
    }

    @Test(
        "well-formed UTF-8 is told from all else",
        arguments: [
            ([], true), ([0x41], true), (Array("grüße 漢字 😀, and some more plain text".utf8), true),
            ([0xC3], false), ([0x41, 0x80], false), ([0xED, 0xA0, 0x80], false), ([0xF4, 0x90, 0x80, 0x80], false),
            (Array(repeating: 0x41, count: 31) + [0xFF], false),
        ] as [([UInt8], Bool)])
    func utf8(bytes: [UInt8], isWellFormed: Bool) {
        #expect(bytes.withUnsafeBytes { JSONText.isWellFormed($0) } == isWellFormed)
    }
}
