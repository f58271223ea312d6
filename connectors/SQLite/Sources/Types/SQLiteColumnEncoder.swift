import HeadraceColumnar
import HeadraceCore

/// A row that a column cannot hold, found before SQLite sees it.
struct SQLiteMisfit: Sendable {
    let row: Int
    let code: String
    let message: String
}

/// Turns one column of every batch into what SQLite stores for it. Used by many workers at once.
struct SQLiteColumnEncoder: Sendable {
    let source: DataType
    /// The type that the values have in the table.
    let target: DataType
    let affinity: SQLiteAffinity
    let declared: String

    init(_ source: DataType, into column: SQLiteColumnType) {
        self.source = source
        target = column.type ?? SQLiteColumnType.readBack(source)
        affinity = column.affinity
        declared = column.declared
    }

    /// The column as SQLite takes it; rows that do not fit are added to `misfits` and hold null.
    func encode(_ column: ColumnVector, misfits: inout [SQLiteMisfit]) -> SQLiteColumn {
        let values = source == target ? column : coerced(column, &misfits)
        switch target {
        case .bool: return SQLiteColumn(Self.integers(values) { $0.bool($1) ? 1 : 0 })
        case .int8: return SQLiteColumn(Self.widened(values, Int8.self))
        case .int16: return SQLiteColumn(Self.widened(values, Int16.self))
        case .int32: return SQLiteColumn(Self.widened(values, Int32.self))
        case .int64: return SQLiteColumn(values)
        case .uint8: return SQLiteColumn(Self.widened(values, UInt8.self))
        case .uint16: return SQLiteColumn(Self.widened(values, UInt16.self))
        case .uint32: return SQLiteColumn(Self.widened(values, UInt32.self))
        case .uint64: return unsigned(values, &misfits)
        case .float32: return Self.doubles(Self.widenedFloats(values))
        case .float64: return Self.doubles(values)
        case .decimal(let precision, let scale): return decimals(values, precision, scale, &misfits)
        case .utf8, .json: return text(values, &misfits)
        case .binary: return SQLiteColumn(values)
        case .date32:
            return Self.formatted(values, capacity: DateText.capacity) {
                DateText.format($0.values(as: Int32.self)[$1], into: $2)
            }
        case .time64:
            return Self.formatted(values, capacity: TimeText.capacity) {
                TimeText.format($0.values(as: Int64.self)[$1], into: $2)
            }
        case .timestamp(let zone):
            return Self.formatted(values, capacity: TimestampText.capacity) {
                TimestampText.format($0.values(as: Int64.self)[$1], hasZone: zone != nil, into: $2)
            }
        case .list, .struct: preconditionFailure("a table has no \(target) column")
        }
    }

    /// Values of another type than the column's.
    private func coerced(_ column: ColumnVector, _ misfits: inout [SQLiteMisfit]) -> ColumnVector {
        func misfit(_ row: Int) -> SQLiteMisfit {
            SQLiteMisfit(
                row: row, code: "doesNotFit", message: "the value does not fit \(target) (declared \(declared))")
        }
        if let result = try? Kernels.cast(column, to: target) {
            misfits += result.failures.map { misfit(Int($0.row)) }
            return result.column
        }
        let builder = makeBuilder(for: target, capacity: column.count)
        for row in 0..<column.count {
            let converted = SQLiteCoercion.convert(column.scalar(at: row), from: source, into: target)
            if let converted, builder.append(converted) { continue }
            builder.appendNull()
            misfits.append(misfit(row))
        }
        return builder.finish()
    }

    // MARK: - Numbers

    private static func integers(_ column: ColumnVector, _ value: (UnsafeColumnView, Int) -> Int64) -> ColumnVector {
        let view = column.unsafeView
        let builder = PrimitiveBuilder<Int64>(.int64, capacity: column.count)
        for row in 0..<column.count {
            if view.isValid(row) { builder.append(value(view, row)) } else { builder.appendNull() }
        }
        return withExtendedLifetime(column) { builder.finish() }
    }

    private static func widened<Value: FixedWidthInteger & BitwiseCopyable>(
        _ column: ColumnVector, _ type: Value.Type
    ) -> ColumnVector {
        integers(column) { Int64(truncatingIfNeeded: $0.values(as: Value.self)[$1]) }
    }

    private static func widenedFloats(_ column: ColumnVector) -> ColumnVector {
        let view = column.unsafeView
        let builder = PrimitiveBuilder<Double>(.float64, capacity: column.count)
        for row in 0..<column.count {
            if view.isValid(row) {
                builder.append(Double(view.values(as: Float.self)[row]))
            } else {
                builder.appendNull()
            }
        }
        return withExtendedLifetime(column) { builder.finish() }
    }

    /// The same memory read as `type`, which must be as wide.
    private static func reinterpreted(_ column: ColumnVector, as type: DataType) -> ColumnVector {
        ColumnVector(
            type: type, count: column.count, offset: column.offset, nullCount: column.nullCount,
            validity: column.validity, values: column.values)
    }

    /// NaN is null to SQLite and stands as text instead; infinities are numbers.
    private static func doubles(_ column: ColumnVector) -> SQLiteColumn {
        let view = column.unsafeView
        return withExtendedLifetime(column) {
            let numbers = view.values(as: Double.self)
            guard (0..<column.count).contains(where: { numbers[$0].isNaN && view.isValid($0) }) else {
                return SQLiteColumn(column)
            }
            let instead = BytesBuilder(.utf8, capacity: column.count)
            for row in 0..<column.count {
                if numbers[row].isNaN && view.isValid(row) { instead.append("NaN") } else { instead.appendNull() }
            }
            return SQLiteColumn(column, instead: instead.finish())
        }
    }

    /// Numbers beyond SQLite's integers are stored as text, in columns that leave text alone.
    private func unsigned(_ column: ColumnVector, _ misfits: inout [SQLiteMisfit]) -> SQLiteColumn {
        let view = column.unsafeView
        let signed = Self.reinterpreted(column, as: .int64)
        return withExtendedLifetime(column) {
            let numbers = view.values(as: UInt64.self)
            func isLarge(_ row: Int) -> Bool { numbers[row] > UInt64(Int64.max) && view.isValid(row) }
            guard (0..<column.count).contains(where: isLarge) else { return SQLiteColumn(signed) }
            let instead = BytesBuilder(.utf8, capacity: column.count)
            for row in 0..<column.count {
                guard isLarge(row) else {
                    instead.appendNull()
                    continue
                }
                instead.append(String(numbers[row]))
                if affinity.turnsTextIntoNumbers {
                    misfits.append(
                        SQLiteMisfit(
                            row: row, code: "outOfRange",
                            message: "\(declared) holds integers up to 9223372036854775807 in SQLite"))
                }
            }
            return SQLiteColumn(signed, instead: instead.finish())
        }
    }

    // MARK: - Decimals

    /// Exact either way: as text where the column leaves text alone, as numbers of at most 15 digits elsewhere.
    private func decimals(
        _ column: ColumnVector, _ precision: Int, _ scale: Int, _ misfits: inout [SQLiteMisfit]
    ) -> SQLiteColumn {
        let isWide = precision > SQLiteColumnType.exactDigits
        guard affinity.turnsTextIntoNumbers || (affinity == .none && !isWide) else {
            return Self.formatted(column, capacity: DecimalText.capacity(scale: scale)) { view, row, into in
                precision <= 18
                    ? DecimalText.format(view.values(as: Int64.self)[row], scale: scale, into: into)
                    : DecimalText.format(view.values(as: Int128.self)[row], scale: scale, into: into)
            }
        }
        if isWide { return wideDecimals(column, precision, scale, &misfits) }
        if scale == 0 { return SQLiteColumn(Self.reinterpreted(column, as: .int64)) }
        let view = column.unsafeView
        let divisor = Double(DecimalMath.powerOfTen(scale))
        let builder = PrimitiveBuilder<Double>(.float64, capacity: column.count)
        for row in 0..<column.count {
            // Both are exact doubles, so the quotient is the double nearest to the decimal.
            if view.isValid(row) {
                builder.append(Double(view.values(as: Int64.self)[row]) / divisor)
            } else {
                builder.appendNull()
            }
        }
        return withExtendedLifetime(column) { SQLiteColumn(builder.finish()) }
    }

    /// Decimals of more than 15 digits in a column that turns text into numbers: those that a number tells apart.
    private func wideDecimals(
        _ column: ColumnVector, _ precision: Int, _ scale: Int, _ misfits: inout [SQLiteMisfit]
    ) -> SQLiteColumn {
        let numbers = PrimitiveBuilder<Double>(.float64, capacity: column.count)
        let instead = BytesBuilder(.utf8, capacity: column.count)
        for row in 0..<column.count {
            guard case .decimal(let value) = column.scalar(at: row) else {
                numbers.appendNull()
                instead.appendNull()
                continue
            }
            let reduced = value.reduced()
            if reduced.precision <= SQLiteColumnType.exactDigits {
                numbers.append(Double(value))
                instead.appendNull()
            } else if let whole = value.exactCoefficient(precision: 38, scale: 0), let short = Int64(exactly: whole) {
                // Text that is an integer of 64 bits becomes that integer.
                numbers.append(0)
                instead.append(String(short))
            } else {
                numbers.appendNull()
                instead.appendNull()
                misfits.append(
                    SQLiteMisfit(
                        row: row, code: "tooManyDigits",
                        message: "\(declared) holds 15 digits in SQLite; DECIMAL TEXT(\(precision),\(scale)) holds all")
                )
            }
        }
        return SQLiteColumn(numbers.finish(), instead: instead.finish())
    }

    // MARK: - Text

    /// Text as it is, unless the column would turn it into a number.
    private func text(_ column: ColumnVector, _ misfits: inout [SQLiteMisfit]) -> SQLiteColumn {
        guard affinity.turnsTextIntoNumbers else { return SQLiteColumn(column) }
        let plain = Kernels.decoded(column)
        let view = plain.unsafeView
        withExtendedLifetime(plain) {
            for row in 0..<column.count where view.isValid(row) && Self.looksNumeric(view.bytes(row)) {
                misfits.append(
                    SQLiteMisfit(
                        row: row, code: "doesNotFit",
                        message: "SQLite would turn this text into a number in a column declared \(declared)"))
            }
        }
        return SQLiteColumn(column)
    }

    private static func looksNumeric(_ bytes: UnsafeRawBufferPointer) -> Bool {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (9...13).contains(byte) }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return false }
        guard let base = bytes.baseAddress else { return false }
        let parsed = DoubleText.parse(base + first, count: last - first + 1)
        return parsed.isValid || parsed.problem == .outOfRange
    }

    private static func formatted(
        _ column: ColumnVector, capacity: Int, _ format: (UnsafeColumnView, Int, UnsafeMutableRawPointer) -> Int
    ) -> SQLiteColumn {
        let view = column.unsafeView
        let builder = BytesBuilder(.utf8, capacity: column.count, bytesPerValue: 24)
        for row in 0..<column.count {
            guard view.isValid(row) else {
                builder.appendNull()
                continue
            }
            builder.commit(format(view, row, builder.reserve(capacity)))
        }
        return withExtendedLifetime(column) { SQLiteColumn(builder.finish()) }
    }
}
