import HeadraceColumnar
import HeadraceCore

/// A row that a column cannot hold, found before the server sees it.
struct MySQLMisfit: Sendable {
    let row: Int
    let code: String
    let message: String
}

/// Turns one column of every batch into the text that the server reads. Used by many workers at once.
struct MySQLColumnEncoder: Sendable {
    let source: DataType
    let target: MySQLColumnType
    let isNullable: Bool

    init(_ source: DataType, into column: MySQLColumnType, isNullable: Bool) {
        self.source = source
        target = column
        self.isNullable = isNullable
    }

    /// How the text of a value becomes the value; `?` stands for the text.
    enum Form: Sendable { case plain, hexadecimal, number }

    var form: Form {
        switch target.kind {
        case .bytes: .hexadecimal
        case .bits: .number
        default: target.type == .binary ? .hexadecimal : .plain
        }
    }

    /// Whether the text may hold characters that separate values.
    var needsEscapes: Bool {
        switch target.type {
        case .utf8, .json: true
        default: false
        }
    }

    /// The column as text or bytes; rows that do not fit are added to `misfits` and hold null.
    func encode(_ column: ColumnVector, misfits: inout [MySQLMisfit]) -> ColumnVector {
        let values = source == target.type ? column : coerced(column, &misfits)
        if !isNullable, values.nullCount > 0 {
            let known = Set(misfits.map(\.row))
            for row in 0..<values.count where !values.isValid(row) && !known.contains(row) {
                misfits.append(MySQLMisfit(row: row, code: "missing", message: "the column takes no nulls"))
            }
        }
        return format(values, &misfits)
    }

    private func misfit(_ row: Int) -> MySQLMisfit {
        MySQLMisfit(row: row, code: "doesNotFit", message: "the value does not fit \(target.declared)")
    }

    /// Values of another type than the column's.
    private func coerced(_ column: ColumnVector, _ misfits: inout [MySQLMisfit]) -> ColumnVector {
        if let result = try? Kernels.cast(column, to: target.type) {
            misfits += result.failures.map { misfit(Int($0.row)) }
            return result.column
        }
        let builder = makeBuilder(for: target.type, capacity: column.count)
        for row in 0..<column.count {
            let converted = MySQLCoercion.convert(column.scalar(at: row), from: source, into: target.type)
            if let converted, builder.append(converted) { continue }
            builder.appendNull()
            misfits.append(misfit(row))
        }
        return builder.finish()
    }

    private func format(_ column: ColumnVector, _ misfits: inout [MySQLMisfit]) -> ColumnVector {
        switch target.type {
        case .bool:
            return text(column, 1, &misfits) { view, row, into in
                into.storeBytes(of: view.bool(row) ? 0x31 : 0x30, as: UInt8.self)
                return 1
            }
        case .int8: return integers(column, Int8.self, &misfits)
        case .int16: return integers(column, Int16.self, &misfits)
        case .int32: return integers(column, Int32.self, &misfits)
        case .int64: return integers(column, Int64.self, &misfits)
        case .uint8: return integers(column, UInt8.self, &misfits)
        case .uint16: return integers(column, UInt16.self, &misfits)
        case .uint32: return integers(column, UInt32.self, &misfits)
        case .uint64: return integers(column, UInt64.self, &misfits)
        case .float32:
            return text(column, DoubleText.capacity, &misfits) { view, row, into in
                let value = Double(view.values(as: Float.self)[row])
                return value.isFinite ? DoubleText.format(value, into: into) : nil
            }
        case .float64:
            return text(column, DoubleText.capacity, &misfits) { view, row, into in
                let value = view.values(as: Double.self)[row]
                return value.isFinite ? DoubleText.format(value, into: into) : nil
            }
        case .decimal(let precision, let scale):
            return text(column, DecimalText.capacity(scale: scale), &misfits) { view, row, into in
                precision <= 18
                    ? DecimalText.format(view.values(as: Int64.self)[row], scale: scale, into: into)
                    : DecimalText.format(view.values(as: Int128.self)[row], scale: scale, into: into)
            }
        case .date32:
            return text(column, DateText.capacity, &misfits) { view, row, into in
                let day = view.values(as: Int32.self)[row]
                return Self.days.contains(day) ? DateText.format(day, into: into) : nil
            }
        case .time64:
            return text(column, TimeText.capacity, &misfits) { view, row, into in
                let value = view.values(as: Int64.self)[row]
                return value % unit == 0 ? TimeText.format(value, into: into) : nil
            }
        case .timestamp:
            return text(column, TimestampText.capacity, &misfits) { view, row, into in
                let value = view.values(as: Int64.self)[row]
                guard value % unit == 0, Self.days.contains(Temporal.day(ofTimestamp: value)) else { return nil }
                return TimestampText.format(value, hasZone: false, into: into)
            }
        case .utf8, .json: return words(Kernels.decoded(column), &misfits)
        case .binary: return hexadecimal(column, &misfits)
        case .list, .struct: preconditionFailure("a table has no \(target.type) column")
        }
    }

    /// Years 1 to 9999.
    private static let days: ClosedRange<Int32> = -719_162...2_932_896

    /// The microseconds of the last digit that the column keeps.
    private var unit: Int64 {
        guard case .temporal(let digits) = target.kind else { return 1 }
        return DecimalMath.powerOfTen(6 - min(max(digits, 0), 6))
    }

    private func text(
        _ column: ColumnVector, _ capacity: Int, _ misfits: inout [MySQLMisfit],
        _ format: (UnsafeColumnView, Int, UnsafeMutableRawPointer) -> Int?
    ) -> ColumnVector {
        let view = column.unsafeView
        let builder = BytesBuilder(.utf8, capacity: column.count, bytesPerValue: 24)
        for row in 0..<column.count {
            guard view.isValid(row) else {
                builder.appendNull()
                continue
            }
            if let count = format(view, row, builder.reserve(capacity)) {
                builder.commit(count)
            } else {
                builder.appendNull()
                misfits.append(misfit(row))
            }
        }
        return withExtendedLifetime(column) { builder.finish() }
    }

    private func integers<Value: FixedWidthInteger & BitwiseCopyable>(
        _ column: ColumnVector, _ type: Value.Type, _ misfits: inout [MySQLMisfit]
    ) -> ColumnVector {
        // The server takes 1 to 99 for years of two digits, and sets the bits that it has room for.
        let allowed: ((Value) -> Bool)? =
            switch target.kind {
            case .year: { $0 == 0 || (1901...2155).contains(Int($0)) }
            case .bits(let count) where count < 64: { UInt64(truncatingIfNeeded: $0) >> UInt64(count) == 0 }
            default: nil
            }
        return text(column, 24, &misfits) { view, row, into in
            let value = view.values(as: Value.self)[row]
            if let allowed, !allowed(value) { return nil }
            if value == 0, target.kind == .year {
                // One zero would be the year 2000.
                into.copyMemory(from: [0x30, 0x30, 0x30, 0x30] as [UInt8], byteCount: 4)
                return 4
            }
            return IntegerText.format(value, into: into)
        }
    }

    /// Text as it is, where the column keeps it as it is.
    private func words(_ column: ColumnVector, _ misfits: inout [MySQLMisfit]) -> ColumnVector {
        let fits: (UnsafeRawBufferPointer) -> Bool
        switch target.kind {
        case .characters(let limit):
            // Blanks at the end of a CHAR are not kept.
            let isPadded = target.declared.lowercased().hasPrefix("char")
            fits = { bytes in
                if isPadded, bytes.last == 0x20 { return false }
                if bytes.count <= limit { return true }
                return bytes.reduce(0) { $0 + ($1 & 0xc0 == 0x80 ? 0 : 1) } <= limit
            }
        case .wideDecimal(let precision, let scale):
            fits = { Self.isDecimal($0, whole: precision - scale, fraction: scale) }
        case .word:
            // Digits that are no member of an enumeration would be taken for the number of one.
            let members = target.declared
            fits = { bytes in
                guard !bytes.isEmpty, bytes.allSatisfy({ (0x30...0x39).contains($0) }) else { return true }
                return members.contains("'\(String(decoding: bytes, as: UTF8.self))'")
            }
        default: return column
        }
        let view = column.unsafeView
        var failed: [Int] = []
        withExtendedLifetime(column) {
            for row in 0..<column.count where view.isValid(row) && !fits(view.bytes(row)) { failed.append(row) }
        }
        misfits += failed.map { misfit($0) }
        return column
    }

    private static func isDecimal(_ text: UnsafeRawBufferPointer, whole: Int, fraction: Int) -> Bool {
        var digits = text[...]
        if let sign = digits.first, sign == 0x2d || sign == 0x2b { digits = digits.dropFirst() }
        let parts = digits.split(separator: 0x2e, maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, digits.count > parts.count - 1,
            parts.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) } })
        else { return false }
        guard first.drop(while: { $0 == 0x30 }).count <= whole else { return false }
        guard parts.count == 2 else { return true }
        return parts[1].count - parts[1].reversed().prefix { $0 == 0x30 }.count <= fraction
    }

    private static let digits: [UInt8] = Array("0123456789ABCDEF".utf8)

    private func hexadecimal(_ column: ColumnVector, _ misfits: inout [MySQLMisfit]) -> ColumnVector {
        guard case .bytes(let limit) = target.kind else { preconditionFailure("\(target.declared) is not written") }
        // A BINARY is filled up with zeros.
        let isPadded = target.declared.lowercased().hasPrefix("binary")
        let view = column.unsafeView
        let builder = BytesBuilder(.utf8, capacity: column.count, bytesPerValue: 32)
        for row in 0..<column.count {
            guard view.isValid(row) else {
                builder.appendNull()
                continue
            }
            let bytes = view.bytes(row)
            guard bytes.count <= limit, !isPadded || bytes.count == limit else {
                builder.appendNull()
                misfits.append(misfit(row))
                continue
            }
            let into = builder.reserve(bytes.count * 2)
            for (index, byte) in bytes.enumerated() {
                into.storeBytes(of: Self.digits[Int(byte >> 4)], toByteOffset: index * 2, as: UInt8.self)
                into.storeBytes(of: Self.digits[Int(byte & 15)], toByteOffset: index * 2 + 1, as: UInt8.self)
            }
            builder.commit(bytes.count * 2)
        }
        return withExtendedLifetime(column) { builder.finish() }
    }
}
