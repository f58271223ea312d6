import HeadraceColumnar
import Testing

@Suite struct TypeGuessTests {
    static let columns: [([String], DataType)] = [
        ([], .utf8), (["true", "False"], .bool), (["0", "-12"], .int64), (["007"], .utf8),
        (["9223372036854775807"], .int64), (["9223372036854775808"], .decimal(precision: 38, scale: 0)),
        (["1.50", "-12"], .decimal(precision: 18, scale: 2)),
        (["1234567890123456.789"], .decimal(precision: 38, scale: 3)),
        ([String(repeating: "9", count: 39)], .utf8), (["1", "2.5", "1e3"], .float64), (["NaN", "2"], .float64),
        (["2026-01-05"], .date32), (["2026-01-05", "2026-01-05T10:00:00"], .timestamp(zone: nil)),
        (["2026-01-05T10:00:00Z"], .instant), (["2026-01-05T10:00:00Z", "2026-01-05"], .utf8),
        (["2026-02-30"], .utf8), (["1", "true"], .utf8), (["1", "x"], .utf8),
        ([".5"], .decimal(precision: 18, scale: 1)),
        (["-"], .utf8), (["1."], .utf8),
    ]

    @Test("The narrowest type that holds all values is named, whatever their order", arguments: columns)
    func types(_ texts: [String], _ type: DataType) {
        for order in [texts, texts.reversed()] {
            var guess = TypeGuess()
            for text in order {
                Array(text.utf8).withUnsafeBytes { bytes in
                    if let base = bytes.baseAddress { guess.see(base, bytes.count) }
                }
            }
            #expect(guess.type == type)
            #expect(guess.isText == (type == .utf8 && !texts.isEmpty && texts.allSatisfy { $0.utf8.count < 39 }))
        }
    }
}
