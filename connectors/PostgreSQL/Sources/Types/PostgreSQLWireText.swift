import HeadraceColumnar

/// Text turned into the bytes that the server takes for types that have no column type of their own.
enum PostgreSQLWireText {
    /// The sixteen bytes of a UUID in the forms that the server reads: with hyphens, without, in braces.
    static func uuid(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var digits = text[...]
        if digits.first == UInt8(ascii: "{"), digits.last == UInt8(ascii: "}") {
            digits = digits.dropFirst().dropLast()
        }
        var bytes: [UInt8] = []
        var high: UInt8?
        for (index, byte) in digits.enumerated() {
            if byte == UInt8(ascii: "-") {
                // A hyphen may stand after every fourth digit and nowhere else.
                guard high == nil, bytes.count % 2 == 0, !bytes.isEmpty, index < digits.count - 1 else { return nil }
                continue
            }
            guard let value = hexValue(byte) else { return nil }
            if let upper = high {
                bytes.append(upper << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes.count == 16 && high == nil ? bytes : nil
    }

    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    // MARK: - Numbers

    /// A number of any width: `-12.50`, `1e-7`, `NaN`, `Infinity`. Nil for other text, for what the server cannot hold, and
    /// for what it would round to fit into `limits`, the digits and decimal places of the column.
    static func numeric(_ text: UnsafeRawBufferPointer, limits: (digits: Int, scale: Int)? = nil) -> [UInt8]? {
        var rest = text[...]
        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        switch String(decoding: rest.prefix(9), as: UTF8.self).lowercased() {
        case "nan" where rest.count == 3 && text.count == 3: return header(0, 0, PostgreSQLNumericHeader.notANumber, 0)
        case "inf" where rest.count == 3, "infinity" where rest.count == 8:
            guard limits == nil else { return nil }
            return header(
                0, 0, isNegative ? PostgreSQLNumericHeader.negativeInfinity : PostgreSQLNumericHeader.infinity, 0)
        default: break
        }
        var digits: [UInt8] = []
        var places = 0
        var isAfterPoint = false
        while let byte = rest.first {
            if byte == UInt8(ascii: "."), !isAfterPoint {
                isAfterPoint = true
            } else if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                digits.append(byte - UInt8(ascii: "0"))
                if isAfterPoint { places += 1 }
            } else {
                break
            }
            rest = rest.dropFirst()
        }
        guard !digits.isEmpty else { return nil }
        if let mark = rest.first {
            guard mark | 0x20 == UInt8(ascii: "e"), rest.count > 1,
                let exponent = Int(String(decoding: rest.dropFirst(), as: UTF8.self)), abs(exponent) < 200_000
            else { return nil }
            places -= exponent
        }
        if places < 0 {
            digits += [UInt8](repeating: 0, count: -places)
            places = 0
        }
        // The server keeps 16383 decimal places and 131072 digits before the point.
        guard places <= 16383, digits.count - places <= 131_072 else { return nil }
        if let limits {
            let significant = digits.drop { $0 == 0 }
            let zeros = significant.reversed().prefix { $0 == 0 }.count
            guard significant.isEmpty || places - zeros <= limits.scale,
                significant.count - places <= limits.digits - limits.scale
            else { return nil }
        }
        return numeric(digits, places: places, isNegative: isNegative)
    }

    private static func numeric(_ digits: [UInt8], places: Int, isNegative: Bool) -> [UInt8]? {
        var digits = digits
        if digits.count < places {
            digits.insert(contentsOf: [UInt8](repeating: 0, count: places - digits.count), at: 0)
        }
        let before = (4 - (digits.count - places) % 4) % 4
        digits.insert(contentsOf: [UInt8](repeating: 0, count: before), at: 0)
        let weight = (digits.count - places) / 4 - 1
        digits += [UInt8](repeating: 0, count: (4 - places % 4) % 4)
        var groups = stride(from: 0, to: digits.count, by: 4).map { start in
            digits[start..<start + 4].reduce(0 as UInt16) { $0 * 10 + UInt16($1) }
        }
        let leading = groups.prefix { $0 == 0 }.count
        groups.removeFirst(leading)
        while groups.last == 0 { groups.removeLast() }
        let isZero = groups.isEmpty
        let sign = isNegative && !isZero ? PostgreSQLNumericHeader.negative : PostgreSQLNumericHeader.positive
        var bytes = header(groups.count, isZero ? 0 : weight - leading, sign, places)
        for group in groups { append(group, to: &bytes) }
        return bytes
    }

    private static func header(_ count: Int, _ weight: Int, _ sign: UInt16, _ scale: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        append(UInt16(truncatingIfNeeded: count), to: &bytes)
        append(UInt16(truncatingIfNeeded: weight), to: &bytes)
        append(sign, to: &bytes)
        append(UInt16(truncatingIfNeeded: scale), to: &bytes)
        return bytes
    }

    static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
    }

    // MARK: - Intervals

    /// An interval as `P1Y2M3W4DT5H6M7.8S`, each part with a sign of its own. Nil for other text.
    static func interval(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var rest = text[...]
        guard rest.first == UInt8(ascii: "P"), rest.count > 1 else { return nil }
        rest = rest.dropFirst()
        var (months, days, time): (Int64, Int64, Int64) = (0, 0, 0)
        var isTime = false
        while let byte = rest.first {
            if byte == UInt8(ascii: "T"), !isTime, rest.count > 1 {
                isTime = true
                rest = rest.dropFirst()
                continue
            }
            guard let (whole, micros, unit, after) = part(rest) else { return nil }
            rest = after
            guard micros == 0 || (isTime && unit == UInt8(ascii: "S")) else { return nil }
            var overflow = false
            func add(_ factor: Int64, to sum: inout Int64) {
                let (product, first) = whole.multipliedReportingOverflow(by: factor)
                let (total, second) = sum.addingReportingOverflow(product)
                (sum, overflow) = (total, overflow || first || second)
            }
            switch (isTime, unit) {
            case (false, UInt8(ascii: "Y")): add(12, to: &months)
            case (false, UInt8(ascii: "M")): add(1, to: &months)
            case (false, UInt8(ascii: "W")): add(7, to: &days)
            case (false, UInt8(ascii: "D")): add(1, to: &days)
            case (true, UInt8(ascii: "H")): add(3_600_000_000, to: &time)
            case (true, UInt8(ascii: "M")): add(60_000_000, to: &time)
            case (true, UInt8(ascii: "S")):
                add(1_000_000, to: &time)
                let (total, tooFar) = time.addingReportingOverflow(micros)
                (time, overflow) = (total, overflow || tooFar)
            default: return nil
            }
            if overflow { return nil }
        }
        guard let shortDays = Int32(exactly: days), let shortMonths = Int32(exactly: months) else { return nil }
        var bytes: [UInt8] = []
        append(time, to: &bytes)
        append(shortDays, to: &bytes)
        append(shortMonths, to: &bytes)
        return bytes
    }

    /// A number of an interval: whole, microseconds behind the point, unit, and what follows.
    private static func part(
        _ text: Slice<UnsafeRawBufferPointer>
    ) -> (whole: Int64, micros: Int64, unit: UInt8, rest: Slice<UnsafeRawBufferPointer>)? {
        let number = text.prefix { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
        }
        let rest = text.dropFirst(number.count)
        guard let unit = rest.first else { return nil }
        let parts = number.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let head = parts.first, let whole = Int64(String(decoding: head, as: UTF8.self)) else { return nil }
        guard parts.count == 2 else { return (whole, 0, unit, rest.dropFirst()) }
        let digits = String(decoding: parts[1], as: UTF8.self)
        guard !digits.isEmpty, digits.utf8.count <= 6, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let fraction = Int64(digits + String(repeating: "0", count: 6 - digits.utf8.count))
        else { return nil }
        return (whole, head.first == UInt8(ascii: "-") ? -fraction : fraction, unit, rest.dropFirst())
    }
}
