import HeadraceColumnar

/// Decimal arithmetic as taught at school, on arrays of digits: slow, unbounded, and nothing shared with the real one.
struct ReferenceNumber {
    /// Most significant first, no leading zeros; zero is empty.
    var digits: [Int]

    init(digits: [Int]) { self.digits = Array(digits.drop { $0 == 0 }) }

    init(_ value: Int128) { self.init(digits: String(value.magnitude).compactMap(\.wholeNumberValue)) }

    func shifted(_ places: Int) -> ReferenceNumber {
        ReferenceNumber(digits: digits + Array(repeating: 0, count: places))
    }

    static func isLess(_ left: ReferenceNumber, _ right: ReferenceNumber) -> Bool {
        left.digits.count == right.digits.count
            ? left.digits.lexicographicallyPrecedes(right.digits) : left.digits.count < right.digits.count
    }

    static func + (left: ReferenceNumber, right: ReferenceNumber) -> ReferenceNumber {
        var sum: [Int] = []
        var carry = 0
        let left = Array(left.digits.reversed())
        let right = Array(right.digits.reversed())
        for place in 0..<max(left.count, right.count) + 1 {
            let total = (place < left.count ? left[place] : 0) + (place < right.count ? right[place] : 0) + carry
            sum.append(total % 10)
            carry = total / 10
        }
        return ReferenceNumber(digits: sum.reversed())
    }

    static func - (left: ReferenceNumber, right: ReferenceNumber) -> ReferenceNumber {
        var difference: [Int] = []
        var borrow = 0
        let left = Array(left.digits.reversed())
        let right = Array(right.digits.reversed())
        for place in 0..<left.count {
            var digit = left[place] - (place < right.count ? right[place] : 0) - borrow
            borrow = digit < 0 ? 1 : 0
            if digit < 0 { digit += 10 }
            difference.append(digit)
        }
        return ReferenceNumber(digits: difference.reversed())
    }

    static func * (left: ReferenceNumber, right: ReferenceNumber) -> ReferenceNumber {
        var total = ReferenceNumber(digits: [])
        for digit in right.digits {
            total = total.shifted(1)
            for _ in 0..<digit { total = total + left }
        }
        return total
    }

    func divided(by divisor: ReferenceNumber) -> (quotient: ReferenceNumber, remainder: ReferenceNumber) {
        var quotient: [Int] = []
        var rest = ReferenceNumber(digits: [])
        for digit in digits {
            rest = ReferenceNumber(digits: rest.digits + [digit])
            var count = 0
            while !Self.isLess(rest, divisor) {
                rest = rest - divisor
                count += 1
            }
            quotient.append(count)
        }
        return (ReferenceNumber(digits: quotient), rest)
    }

    /// The quotient as an integer rounded as the mode's definition says, nil beyond 38 digits.
    static func rounded(
        _ dividend: ReferenceNumber, by divisor: ReferenceNumber, isNegative: Bool, _ mode: RoundingMode
    ) -> Int128? {
        var (quotient, remainder) = dividend.divided(by: divisor)
        let twice = remainder + remainder
        let isTie = twice.digits == divisor.digits
        let isAboveHalf = isLess(divisor, twice)
        let last = quotient.digits.last ?? 0
        let grows: Bool
        switch mode {
        case _ where remainder.digits.isEmpty: grows = false
        case .up: grows = true
        case .down: grows = false
        case .ceiling: grows = !isNegative
        case .floor: grows = isNegative
        case .halfUp: grows = isAboveHalf || isTie
        case .halfDown: grows = isAboveHalf
        case .halfEven: grows = isAboveHalf || (isTie && last % 2 == 1)
        case .up05: grows = last == 0 || last == 5
        }
        if grows { quotient = quotient + ReferenceNumber(digits: [1]) }
        guard quotient.digits.count <= 38 else { return nil }
        let value = quotient.digits.reduce(Int128(0)) { $0 * 10 + Int128($1) }
        return isNegative ? -value : value
    }
}

/// The operators of `DecimalMath` by the reference.
enum ReferenceDecimal {
    static func rescale(_ value: Int128, from scale: Int, to target: Int, _ mode: RoundingMode) -> Int128? {
        quotient(ReferenceNumber(value), isNegative: value < 0, from: scale, to: target, mode)
    }

    static func add(
        _ left: Int128, _ leftScale: Int, _ right: Int128, _ rightScale: Int, to target: Int, _ mode: RoundingMode
    ) -> Int128? {
        let scale = max(leftScale, rightScale)
        let first = ReferenceNumber(left).shifted(scale - leftScale)
        let second = ReferenceNumber(right).shifted(scale - rightScale)
        if (left < 0) == (right < 0) {
            return quotient(first + second, isNegative: left < 0, from: scale, to: target, mode)
        }
        return ReferenceNumber.isLess(first, second)
            ? quotient(second - first, isNegative: right < 0, from: scale, to: target, mode)
            : quotient(first - second, isNegative: left < 0, from: scale, to: target, mode)
    }

    static func multiply(_ left: Int128, _ right: Int128, dropping digits: Int, _ mode: RoundingMode) -> Int128? {
        quotient(
            ReferenceNumber(left) * ReferenceNumber(right), isNegative: (left < 0) != (right < 0), from: digits, to: 0,
            mode)
    }

    static func divide(_ left: Int128, by right: Int128, appending digits: Int, _ mode: RoundingMode) -> Int128? {
        guard right != 0 else { return nil }
        return ReferenceNumber.rounded(
            ReferenceNumber(left).shifted(max(digits, 0)), by: ReferenceNumber(right).shifted(max(-digits, 0)),
            isNegative: (left < 0) != (right < 0), mode)
    }

    private static func quotient(
        _ value: ReferenceNumber, isNegative: Bool, from scale: Int, to target: Int, _ mode: RoundingMode
    ) -> Int128? {
        ReferenceNumber.rounded(
            value.shifted(max(target - scale, 0)), by: ReferenceNumber(digits: [1]).shifted(max(scale - target, 0)),
            isNegative: isNegative, mode)
    }
}
