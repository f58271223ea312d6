import HeadraceColumnar
import HeadraceCore

/// The header of a `numeric` on the wire: digits to the base 10000, most significant first.
struct PostgreSQLNumericHeader {
    static let positive: UInt16 = 0x0000
    static let negative: UInt16 = 0x4000
    static let notANumber: UInt16 = 0xC000
    static let infinity: UInt16 = 0xD000
    static let negativeInfinity: UInt16 = 0xF000

    let digits: Int
    /// The power of 10000 of the first digit.
    let weight: Int
    let sign: UInt16
    /// Decimal places that the number shows.
    let scale: Int

    /// Nil for bytes that are no numeric.
    @inline(__always)
    init?(_ start: UnsafeRawPointer, _ length: Int) {
        guard length >= 8 else { return nil }
        let head = UInt64(bigEndian: start.loadUnaligned(as: UInt64.self))
        digits = Int(UInt16(truncatingIfNeeded: head &>> 48))
        weight = Int(Int16(truncatingIfNeeded: head &>> 32))
        sign = UInt16(truncatingIfNeeded: head &>> 16)
        scale = Int(UInt16(truncatingIfNeeded: head)) & 0x3fff
        guard length == 8 &+ 2 &* digits else { return nil }
    }

    /// The word for a value that is no number, nil for numbers.
    var special: StaticString? {
        switch sign {
        case Self.notANumber: "NaN"
        case Self.infinity: "Infinity"
        case Self.negativeInfinity: "-Infinity"
        default: nil
        }
    }
}

extension PostgreSQLDecoder {
    /// Coefficients at the column's scale, exactly.
    @inline(__always)
    func decimals<Value: FixedWidthInteger & BitwiseCopyable>(
        _ cells: PostgreSQLCells, _: Value.Type, _ precision: Int, _ scale: Int, _ misfits: inout [PostgreSQLMisfit]
    ) throws -> ColumnVector {
        let stride = MemoryLayout<Value>.stride
        let values = MutableBuffer(capacity: max(cells.count, 1) * stride)
        let out = values.base.assumingMemoryBound(to: Value.self)
        var validity = PostgreSQLValidity(count: cells.count)
        for row in 0..<cells.count {
            let length = cells.length(row)
            out[row] = 0
            guard length >= 0 else {
                validity.setNull(row)
                continue
            }
            let start = cells.start(row)
            guard let header = PostgreSQLNumericHeader(start, length) else { throw malformed }
            if let coefficient = Self.coefficient(header, start + 8, precision, scale) {
                out[row] = Value(truncatingIfNeeded: coefficient)
                continue
            }
            validity.setNull(row)
            misfits.append(Self.misfit(row, header, UnsafeRawBufferPointer(start: start, count: length), dataType))
        }
        let (bits, nulls) = validity.finish()
        return ColumnVector(
            type: dataType, count: cells.count, nullCount: nulls, validity: bits,
            values: values.finish(byteCount: cells.count * stride))
    }

    private static func misfit(
        _ row: Int, _ header: PostgreSQLNumericHeader, _ bytes: UnsafeRawBufferPointer, _ type: DataType
    ) -> PostgreSQLMisfit {
        let text = withUnsafeTemporaryAllocation(byteCount: textSize(header), alignment: 8) { out in
            guard let base = out.baseAddress, let count = format(bytes, base) else { return "" }
            return String(decoding: UnsafeRawBufferPointer(start: base, count: count), as: UTF8.self)
        }
        guard header.special == nil else {
            return PostgreSQLMisfit(
                row: row, code: "notANumber",
                message: "\(text) has no place in \(type); read the column as text in a query: column::text",
                value: text)
        }
        return PostgreSQLMisfit(row: row, code: "doesNotFit", message: "\(text) does not fit \(type)", value: text)
    }

    /// The coefficient at `scale`, nil for what is no number and what does not fit.
    @inline(__always)
    static func coefficient(
        _ header: PostgreSQLNumericHeader, _ digits: UnsafeRawPointer, _ precision: Int, _ scale: Int
    ) -> Int128? {
        guard header.sign & 0x8000 == 0 else { return nil }
        if header.digits == 0 { return 0 }
        // Decimal places by which the digits taken as one number must be shifted.
        let shift = 4 &* (header.weight &- header.digits &+ 1) &+ scale
        if header.digits <= 3, shift <= 6, shift > -4 {
            var word: UInt64 = 0
            for index in 0..<header.digits { word = word &* 10_000 &+ digit(digits, index) }
            if shift >= 0 {
                word = word &* powers[shift]
            } else {
                let (quotient, rest) = word.quotientAndRemainder(dividingBy: powers[-shift])
                guard rest == 0 else { return nil }
                word = quotient
            }
            if precision <= 18 && word >= DecimalLimit.power64(precision) { return nil }
            return header.sign == PostgreSQLNumericHeader.negative ? -Int128(word) : Int128(word)
        }
        return wideCoefficient(header, digits, precision, shift)
    }

    @inline(__always)
    private static func digit(_ digits: UnsafeRawPointer, _ index: Int) -> UInt64 {
        UInt64(UInt16(bigEndian: (digits + 2 &* index).loadUnaligned(as: UInt16.self)))
    }

    private static let powers: [UInt64] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]

    @inline(never)
    private static func wideCoefficient(
        _ header: PostgreSQLNumericHeader, _ digits: UnsafeRawPointer, _ precision: Int, _ shift: Int
    ) -> Int128? {
        let limit = DecimalLimit.power(precision)
        var word: UInt128 = 0
        var left = shift
        for index in 0..<header.digits {
            let next = UInt128(digit(digits, index))
            // The last digits may end in zeros that lie below the scale.
            let lower = 4 &* (header.digits &- 1 &- index) &+ shift
            if lower <= -4 {
                guard next == 0 else { return nil }
                continue
            }
            if lower < 0 {
                let (quotient, rest) = next.quotientAndRemainder(dividingBy: UInt128(powers[-lower]))
                guard rest == 0, word < limit else { return nil }
                word = word &* UInt128(powers[4 &+ lower]) &+ quotient
                left = 0
            } else {
                guard word < limit else { return nil }
                word = word &* 10_000 &+ next
                left = lower
            }
        }
        if left > 0, word > 0 {
            guard left <= 38 else { return nil }
            let (product, overflow) = word.multipliedReportingOverflow(by: DecimalLimit.power(left))
            guard !overflow else { return nil }
            word = product
        }
        guard word < limit else { return nil }
        return header.sign == PostgreSQLNumericHeader.negative ? -Int128(word) : Int128(word)
    }

    // MARK: - As text

    /// Numbers of any width as the server prints them, with all decimal places that they show.
    func numericText(_ cells: PostgreSQLCells) throws -> ColumnVector {
        let builder = BytesBuilder(.utf8, capacity: cells.count)
        for row in 0..<cells.count {
            let length = cells.length(row)
            guard length >= 0 else {
                builder.appendNull()
                continue
            }
            guard let header = PostgreSQLNumericHeader(cells.start(row), length) else { throw malformed }
            let bytes = UnsafeRawBufferPointer(start: cells.start(row), count: length)
            guard let count = Self.format(bytes, builder.reserve(Self.textSize(header))) else { throw malformed }
            builder.commit(count)
        }
        return builder.finish()
    }

    static func textSize(_ header: PostgreSQLNumericHeader) -> Int { 32 + 4 * max(header.weight + 1, 1) + header.scale }

    /// Writes a numeric as the server prints it; nil for bytes that are no numeric.
    static func format(_ bytes: UnsafeRawBufferPointer, _ out: UnsafeMutableRawPointer) -> Int? {
        guard let start = bytes.baseAddress, let header = PostgreSQLNumericHeader(start, bytes.count) else {
            return nil
        }
        if let word = header.special {
            out.copyMemory(from: word.utf8Start, byteCount: word.utf8CodeUnitCount)
            return word.utf8CodeUnitCount
        }
        var length = 0
        func write(_ byte: UInt8) {
            out.storeBytes(of: byte, toByteOffset: length, as: UInt8.self)
            length += 1
        }
        func fourDigits(_ place: Int) -> UInt64 {
            place >= 0 && place < header.digits ? digit(start + 8, place) : 0
        }
        if header.sign == PostgreSQLNumericHeader.negative { write(UInt8(ascii: "-")) }
        if header.weight < 0 {
            write(UInt8(ascii: "0"))
        } else {
            for place in 0...header.weight {
                let number = fourDigits(place)
                for (power, rank) in zip([1000, 100, 10, 1] as [UInt64], 0...) {
                    // Leading zeros of the first digit are not printed.
                    if place == 0, rank < 3, number < power { continue }
                    write(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number / power % 10))
                }
            }
        }
        guard header.scale > 0 else { return length }
        write(UInt8(ascii: "."))
        for decimal in 0..<header.scale {
            let number = fourDigits(header.weight + 1 + decimal / 4)
            let power = powers[3 - decimal % 4]
            write(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number / power % 10))
        }
        return length
    }
}

/// Powers of ten that bound coefficients.
enum DecimalLimit {
    static func power(_ exponent: Int) -> UInt128 { table[exponent] }
    static func power64(_ exponent: Int) -> UInt64 { UInt64(truncatingIfNeeded: table[exponent]) }

    /// 10 to the power of 0 … 38.
    private static let table: [UInt128] = (0...38).map { exponent in
        (0..<exponent).reduce(1 as UInt128) { product, _ in product * 10 }
    }
}
