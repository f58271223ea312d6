import HeadraceColumnar
import Testing

@Suite("Decimal arithmetic on coefficients")
struct DecimalMathTests {
    /// Coefficients of every length, with a liking for ties, nines and round numbers.
    private func coefficient(digits: ClosedRange<Int>, _ random: inout SplitMix) -> Int128 {
        let count = Int.random(in: digits, using: &random)
        let kind = Int.random(in: 0..<5, using: &random)
        let cut = Int.random(in: 0...count, using: &random)
        var value: Int128 = 0
        for place in 0..<count {
            let digit =
                switch kind {
                case 0 where place > cut: 0
                case 0 where place == cut: 5
                case 1 where place > cut: 9
                case 2 where place > cut: 0
                default: Int.random(in: 0...9, using: &random)
                }
            value = value * 10 + Int128(digit)
        }
        return Bool.random(using: &random) ? -value : value
    }

    @Test("Every operator agrees with school arithmetic", arguments: RoundingMode.allCases)
    func reference(mode: RoundingMode) {
        var random = SplitMix(state: UInt64(mode.rawValue))
        for _ in 0..<300 {
            let left = coefficient(digits: 0...38, &random)
            let right = coefficient(digits: 0...38, &random)
            let scales = (0..<3).map { _ in Int.random(in: -5...45, using: &random) }
            let (s1, s2, target) = (scales[0], scales[1], scales[2])
            let wanted = "\(left)e-\(s1), \(right)e-\(s2), to \(target)"
            #expect(
                DecimalMath.rescale(left, from: s1, to: target, mode)
                    == ReferenceDecimal.rescale(left, from: s1, to: target, mode), "rescale \(wanted)")
            #expect(
                DecimalMath.add(left, scale: s1, right, scale: s2, to: target, mode)
                    == ReferenceDecimal.add(left, s1, right, s2, to: target, mode), "add \(wanted)")
            let dropped = Int.random(in: -3...80, using: &random)
            #expect(
                DecimalMath.multiply(left, right, dropping: dropped, mode)
                    == ReferenceDecimal.multiply(left, right, dropping: dropped, mode),
                "multiply \(wanted) dropping \(dropped)")
            #expect(
                DecimalMath.divide(left, by: right, appending: target - 20, mode)
                    == ReferenceDecimal.divide(left, by: right, appending: target - 20, mode), "divide \(wanted)")
        }
    }

    @Test("The 64-bit operators agree with school arithmetic", arguments: RoundingMode.allCases)
    func reference64(mode: RoundingMode) {
        var random = SplitMix(state: 100 + UInt64(mode.rawValue))
        func narrow(_ value: Int128?) -> Int64? { value.flatMap { Int64(exactly: $0) } }
        for index in 0..<300 {
            let left = Int64(coefficient(digits: 0...(index % 2 == 0 ? 6 : 18), &random))
            let right = Int64(coefficient(digits: 0...(index % 3 == 0 ? 6 : 18), &random))
            let scale = Int.random(in: 0...25, using: &random)
            let target = Int.random(in: 0...25, using: &random)
            #expect(
                DecimalMath.rescale(left, from: scale, to: target, mode)
                    == narrow(ReferenceDecimal.rescale(Int128(left), from: scale, to: target, mode)))
            let dropped = Int.random(in: -2...40, using: &random)
            #expect(
                DecimalMath.multiply(left, right, dropping: dropped, mode)
                    == narrow(ReferenceDecimal.multiply(Int128(left), Int128(right), dropping: dropped, mode)))
        }
    }

    @Test("Scales that lie far apart do not disturb a sum's rounding", arguments: RoundingMode.allCases)
    func distantScales(mode: RoundingMode) {
        for (left, right) in [(1, 1), (1, -1), (-1, 1), (-1, -1), (5, -1), (15, 1)] as [(Int128, Int128)] {
            for distance in [37, 38, 39, 40, 41, 60, 76, 77, 78, 120] {
                for target in [-2, -1, 0, 1, 36, 37, 38, 39] {
                    #expect(
                        DecimalMath.add(left, scale: 0, right, scale: distance, to: target, mode)
                            == ReferenceDecimal.add(left, 0, right, distance, to: target, mode),
                        "\(left) + \(right)e-\(distance) to \(target)")
                }
            }
        }
    }

    @Test("A product that is rounded fits although its digits would not")
    func wideProduct() {
        let money: Int128 = 99_999_999_999_999_999_999_999_999_999_999_999_999
        let rate: Int128 = 99_999_999_999_999_999_999_999_999_999_999_999_999
        #expect(DecimalMath.multiply(money, rate, dropping: 38, .down) == money - 1)
        #expect(DecimalMath.multiply(money, rate, dropping: 38, .up) == money)
        #expect(DecimalMath.multiply(money, rate, dropping: 37, .halfEven) == nil)
        #expect(DecimalMath.multiply(Int64.max, Int64.max, dropping: 19, .down) == 8_507_059_173_023_461_584)
        #expect(DecimalMath.multiply(Int64.max, Int64.max, dropping: 18, .down) == nil)
        #expect(DecimalMath.multiply(Int64.min, 1, dropping: 0, .down) == Int64.min)
        #expect(DecimalMath.multiply(Int64.min, -1, dropping: 0, .down) == nil)
    }

    @Test("Overflow and division by zero are nil")
    func overflow() {
        let most = DecimalMath.widePowerOfTen(38) - 1
        #expect(DecimalMath.add(most, scale: 0, 1, scale: 0, to: 0, .halfEven) == nil)
        #expect(DecimalMath.add(most, scale: 0, 1, scale: 1, to: 0, .up) == nil)
        #expect(DecimalMath.add(most, scale: 0, 1, scale: 1, to: 0, .down) == most)
        #expect(DecimalMath.add(Int128.max, scale: 0, Int128.max, scale: 0, to: 0, .down) == nil)
        #expect(DecimalMath.add(Int128.max, scale: 0, 1, scale: 5, to: 0, .down) == nil)
        #expect(DecimalMath.rescale(Int128.min, from: 0, to: 0, .down) == nil)
        #expect(
            DecimalMath.rescale(Int128.min, from: 1, to: 0, .down)
                == -17_014_118_346_046_923_173_168_730_371_588_410_572)
        #expect(DecimalMath.rescale(1 as Int128, from: 0, to: 38, .down) == nil)
        #expect(DecimalMath.rescale(1 as Int64, from: 0, to: 18, .down) == 1_000_000_000_000_000_000)
        #expect(DecimalMath.rescale(1 as Int64, from: 0, to: 19, .down) == nil)
        #expect(DecimalMath.rescale(10 as Int64, from: 0, to: 18, .down) == nil)
        #expect(DecimalMath.rescale(0 as Int64, from: 0, to: 1000, .down) == 0)
        #expect(DecimalMath.divide(1, by: 0, appending: 0, .halfEven) == nil)
        #expect(DecimalMath.divide(0, by: 0, appending: 0, .halfEven) == nil)
        #expect(DecimalMath.divide(1, by: 3, appending: 1000, .halfEven) == nil)
        #expect(DecimalMath.divide(0, by: 3, appending: 1000, .halfEven) == 0)
    }

    @Test("Comparison is exact across scales")
    func comparison() {
        var random = SplitMix(state: 9)
        for _ in 0..<2000 {
            let left = coefficient(digits: 0...38, &random)
            let s1 = Int.random(in: -10...45, using: &random)
            let s2 = Int.random(in: -10...45, using: &random)
            let scaled = ReferenceDecimal.rescale(left, from: s1, to: s2, .down)
            let right = Bool.random(using: &random) ? scaled ?? 7 : coefficient(digits: 0...38, &random)
            let scale = max(s1, s2)
            let first = ReferenceNumber(left).shifted(scale - s1)
            let second = ReferenceNumber(right).shifted(scale - s2)
            var order = ReferenceNumber.isLess(first, second) ? -1 : ReferenceNumber.isLess(second, first) ? 1 : 0
            if left.signum() != right.signum() {
                order = left.signum() < right.signum() ? -1 : 1
            } else if left < 0 {
                order = -order
            }
            #expect(DecimalMath.compare(left, scale: s1, right, scale: s2) == order, "\(left)e-\(s1) \(right)e-\(s2)")
        }
        #expect(DecimalMath.compare(Int128.max, scale: 0, 1, scale: -1000) == -1)
        #expect(DecimalMath.compare(Int128.min, scale: 1000, Int128.min, scale: -1000) == 1)
    }

    @Test("Digits are counted and powers are right at every length")
    func digits() {
        var power: Int128 = 1
        for exponent in 0...38 {
            #expect(DecimalMath.widePowerOfTen(exponent) == power)
            #expect(DecimalMath.digitCount(power) == exponent + 1)
            #expect(DecimalMath.digitCount(-power) == exponent + 1)
            #expect(DecimalMath.digitCount(power - 1) == max(exponent, 1))
            #expect(DecimalMath.fits(power - 1, precision: exponent))
            #expect(!DecimalMath.fits(-power, precision: exponent))
            if exponent <= 18 {
                #expect(DecimalMath.powerOfTen(exponent) == Int64(power))
                #expect(DecimalMath.digitCount(Int64(power)) == exponent + 1)
                #expect(DecimalMath.digitCount(Int64(1 - power)) == max(exponent, 1))
                #expect(DecimalMath.fits(Int64(power) - 1, precision: exponent))
                #expect(!DecimalMath.fits(Int64(-power), precision: exponent))
            }
            if exponent < 38 { power *= 10 }
        }
        #expect(DecimalMath.digitCount(Int128.min) == 39)
        #expect(DecimalMath.digitCount(Int64.min) == 19)
    }
}
