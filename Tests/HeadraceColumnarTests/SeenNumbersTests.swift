import HeadraceColumnar
import Testing

@Suite struct SeenNumbersTests {
    private func seen(_ texts: [String]) throws -> SeenNumbers {
        var guess = TypeGuess()
        for text in texts {
            Array(text.utf8).withUnsafeBytes { bytes in
                if let base = bytes.baseAddress { guess.see(base, bytes.count) }
            }
        }
        return try #require(guess.numbers)
    }

    @Test(
        "A type fits where it holds every number, digit for digit",
        arguments: [
            (["127", "-128", "5"], DataType.int8, true), (["128"], .int8, false), (["-129"], .int8, false),
            (["1000"], .int8, false), (["255"], .uint8, true), (["256"], .uint8, false), (["-1"], .uint8, false),
            (["32767", "-32768", "9999"], .int16, true), (["32768"], .int16, false), (["70000"], .int16, false),
            (["2147483647"], .int32, true), (["2147483648", "1"], .int32, false), (["-2147483648"], .int32, true),
            (["-2147483649"], .int32, false), (["999999999"], .int32, true), (["65535"], .uint16, true),
            (["9223372036854775807"], .int64, true), (["9223372036854775808"], .int64, false),
            (["1.5"], .int64, false), (["1.10"], .decimal(precision: 10, scale: 2), true),
            (["12345678.9"], .decimal(precision: 10, scale: 2), true),
            (["123456789.1"], .decimal(precision: 10, scale: 2), false),
            (["1.234"], .decimal(precision: 10, scale: 2), false), (["12"], .decimal(precision: 2, scale: 0), true),
        ])
    func fits(texts: [String], type: DataType, fits: Bool) throws {
        #expect(try seen(texts).fit(in: type) == fits)
    }

    @Test(
        "The narrowest type that holds them is named",
        arguments: [
            (["1", "-3"], DataType.int16), (["70000"], .int32), (["3000000000"], .int64),
            (["1.25", "100"], .decimal(precision: 5, scale: 2)),
            (["9223372036854775808"], .decimal(precision: 19, scale: 0)),
        ])
    func narrowest(texts: [String], type: DataType) throws { #expect(try seen(texts).type == type) }

    @Test("A column that holds anything else has no numbers", arguments: [["1", "x"], ["1e3"], ["true"], []])
    func others(texts: [String]) {
        var guess = TypeGuess()
        for text in texts {
            Array(text.utf8).withUnsafeBytes { bytes in
                if let base = bytes.baseAddress { guess.see(base, bytes.count) }
            }
        }
        #expect(guess.numbers == nil)
    }
}
