import HeadraceColumnar
import Testing

@testable import HeadraceRuntime

extension OperatorTests {
    @Suite struct WideSumTests {
        @Test(
            "a mean is rounded once, half-even",
            arguments: [
                (10, 4, 0, 0, "2"), (14, 4, 0, 0, "4"), (-10, 4, 0, 0, "-2"), (-14, 4, 0, 0, "-4"),
                (-15, 4, 0, 0, "-4"),
                (10, 3, 0, 2, "3.33"), (20, 3, 0, 2, "6.67"), (1, 8, 0, 2, "0.12"), (3, 8, 0, 2, "0.38"),
                (12345, 1, 2, 1, "123.4"), (12355, 1, 2, 1, "123.6"), (12350, 1, 2, 0, "124"), (25, 2, 1, 0, "1"),
                (49, 2, 1, 0, "2"), (50, 2, 1, 0, "2"), (51, 2, 1, 0, "3"), (35, 10, 0, 0, "4"), (45, 10, 0, 0, "4"),
            ])
        func mean(sum: Int, count: Int, from: Int, to: Int, expected: String) throws {
            let coefficient = try #require(WideSum(Int128(sum)).mean(of: Int64(count), from: from, to: to))
            #expect(DecimalValue(coefficient: coefficient, scale: to).description == expected)
        }

        @Test("means agree with exact division for random sums")
        func random() throws {
            var random = SeededRandom(8)
            for _ in 0..<2000 {
                let bits = Int.random(in: 1...100, using: &random)
                let sum = Int128(truncatingIfNeeded: UInt128.random(in: 0..<(1 << UInt128(bits)), using: &random))
                let count = Int64.random(in: 1...(1 << Int64.random(in: 1...40, using: &random)), using: &random)
                let from = Int.random(in: 0...6, using: &random)
                let to = Int.random(in: 0...6, using: &random)
                for value in [sum, -sum] {
                    #expect(
                        WideSum(value).mean(of: count, from: from, to: to)
                            == DecimalMath.divide(value, by: Int128(count), appending: to - from, .halfEven))
                }
            }
        }

        @Test("sums beyond 128 bits come back when they shrink again")
        func wide() throws {
            let large = Int128(10).power(38) - 1
            var sum = WideSum(0)
            for _ in 0..<1000 { sum.add(WideSum(large)) }
            #expect(sum.narrow == nil)
            #expect(sum.mean(of: 1000, from: 0, to: 0) == large)
            #expect(sum.mean(of: 1, from: 0, to: 0) == nil)
            for _ in 0..<999 { sum.add(WideSum(-large)) }
            #expect(sum.narrow == large)
            for _ in 0..<3 { sum.add(WideSum(-large)) }
            #expect(sum.isNegative)
            #expect(sum.narrow == nil)
            #expect(sum.mean(of: 4, from: 2, to: 0) == -(Int128(10).power(36) / 2))
            sum.add(WideSum(large))
            sum.add(WideSum(large))
            #expect(sum == WideSum(0))
        }
    }
}

extension Int128 {
    func power(_ exponent: Int) -> Int128 { (0..<exponent).reduce(1) { value, _ in value * self } }
}
