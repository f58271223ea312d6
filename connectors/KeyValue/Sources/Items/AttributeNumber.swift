/// A number as DynamoDB keeps it: at most 38 significant digits, magnitude from 1E-130 to below 1E+126.
struct AttributeNumber: Sendable, Hashable {
    let isNegative: Bool
    /// Significant digits 0 to 9 without zeros at either end; none for zero.
    let digits: [UInt8]
    /// The power of ten of the first digit.
    let exponent: Int

    enum Problem: Error {
        case notANumber
        case tooManyDigits
        case tooLarge
        case tooSmall
    }

    /// Reads a number: sign, digits with an optional point, exponent.
    init(_ text: String) throws(Problem) {
        var rest = Array(text.utf8)[...]
        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            rest.removeFirst()
        }
        var digits: [UInt8] = []
        var scale = 0
        var hasPoint = false
        var hasDigits = false
        while let byte = rest.first {
            if byte >= 0x30, byte <= 0x39 {
                hasDigits = true
                if byte != 0x30 || !digits.isEmpty { digits.append(byte - 0x30) }
                if hasPoint { scale += 1 }
            } else if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else {
                break
            }
            rest.removeFirst()
        }
        var power = 0
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            let written = String(decoding: rest.dropFirst(), as: UTF8.self)
            guard let value = Int(written), value.magnitude < 1_000_000 else { throw .notANumber }
            power = value
            rest = []
        }
        guard hasDigits, rest.isEmpty else { throw .notANumber }
        let last = power - scale
        let exponent = digits.count - 1 + last
        while digits.last == 0 { digits.removeLast() }
        guard !digits.isEmpty else {
            (self.isNegative, self.digits, self.exponent) = (false, [], 0)
            return
        }
        guard digits.count <= 38 else { throw .tooManyDigits }
        guard exponent <= 125 else { throw .tooLarge }
        guard exponent >= -130 else { throw .tooSmall }
        (self.isNegative, self.digits, self.exponent) = (isNegative, digits, exponent)
    }

    /// The number in plain digits, as DynamoDB gives it back.
    var text: String {
        guard !digits.isEmpty else { return "0" }
        var bytes: [UInt8] = isNegative ? [UInt8(ascii: "-")] : []
        if exponent < 0 {
            bytes += Array("0.".utf8) + [UInt8](repeating: 0x30, count: -exponent - 1) + digits.map { $0 + 0x30 }
        } else {
            for index in 0..<max(digits.count, exponent + 1) {
                if index == exponent + 1 { bytes.append(UInt8(ascii: ".")) }
                bytes.append(index < digits.count ? digits[index] + 0x30 : 0x30)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether there are no digits after the point.
    var isInteger: Bool { digits.isEmpty || exponent >= digits.count - 1 }
    /// Digits after the point.
    var scale: Int { digits.isEmpty ? 0 : max(0, digits.count - 1 - exponent) }

    /// Bytes that order as the numbers do when compared one by one.
    var orderedBytes: [UInt8] {
        guard !digits.isEmpty else { return [1] }
        let power = UInt16(exponent + 1024)
        let magnitude = [UInt8(power >> 8), UInt8(power & 0xFF)] + digits.map { $0 + 1 }
        return isNegative ? [0] + magnitude.map { ~$0 } + [0xFF] : [2] + magnitude
    }

    /// The size that DynamoDB counts.
    var byteCount: Int { (digits.count + 1) / 2 + 1 + (isNegative ? 1 : 0) }
}
