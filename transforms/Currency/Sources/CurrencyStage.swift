import HeadraceColumnar
public import HeadraceCore

/// Converts the amounts of batches; each pair of currency and day is looked up once.
public final class CurrencyStage: Stage {
    private let transform: CurrencyConversion
    private let output: Schema
    private let type: DataType
    private var rates: RateLookup

    init(_ transform: CurrencyConversion, output: Schema, type: DataType) {
        self.transform = transform
        self.output = output
        self.type = type
        rates = RateLookup(transform.rates, to: transform.target)
    }

    /// Adds the converted amounts and, where asked for, rate and day of the rate.
    ///
    /// Rows whose currency or day is null, whose currency is unknown, for whose day there is no rate or whose result
    /// is too large for its column leave as rejects; the others keep their order.
    /// - Throws: `schemaMismatch` when the batch lacks the columns of amount or currency.
    public func process(_ batch: Batch) throws -> StageResult {
        guard let amounts = batch.records[transform.amount], let codes = batch.records[transform.currency] else {
            throw HeadraceError(.schemaMismatch, "the columns of amount and currency are not there")
        }
        let found = rates.find(codes, try days(of: batch))
        var refused: [(row: Int, code: String, message: String)] = []
        let hasRate = rates.outcomes.map(\.hasRate)
        for row in 0..<batch.count where found.index(row) < 0 || !hasRate[found.index(row)] {
            let (code, message) = rates.refusal(found.index(row))
            refused.append((row, code, message))
        }
        let converted =
            DecimalMath.maximumShortPrecision >= (type.precision ?? 0)
            ? convert(amounts, found, as: Int64.self, &refused) : convert(amounts, found, as: Int128.self, &refused)
        var made = [converted]
        if transform.audit != nil { made += audit(amounts, found) }
        var result = batch.with(columns(batch.records, made))
        if refused.isEmpty { return StageResult(result) }
        refused.sort { $0.row < $1.row }
        let gone = Set(refused.map(\.row))
        let kept = (0..<Int32(batch.count)).filter { !gone.contains(Int($0)) }
        result = kept.withUnsafeBufferPointer { result.taking($0) }
        result.rejects += refused.map { row, code, message in
            batch.reject(row: row, rule: transform.name, code: code, field: transform.currency, message: message)
        }
        return StageResult(result)
    }

    private func columns(_ records: RecordBatch, _ made: [ColumnVector]) -> RecordBatch {
        let names = [transform.result] + (transform.audit.map { [$0.rate, $0.day] } ?? [])
        let columns = output.fields.map { field in
            names.firstIndex(of: field.name).map { made[$0] } ?? records[field.name]
                ?? .nulls(field.type, count: records.count)
        }
        return RecordBatch(schema: output, columns: columns, count: records.count)
    }

    /// The day of each row: one for all, or a column.
    private func days(of batch: Batch) throws -> RateLookup.Days {
        switch transform.day {
        case .fixed(let day): return .same(day)
        case .column(let name):
            guard let column = batch.records[name] else { return .column(.nulls(.date32, count: batch.count)) }
            if column.type == .date32 { return .column(column) }
            return .column(try Kernels.cast(column, to: .date32, rounding: .floor).column)
        }
    }

    // MARK: - Amounts

    /// The converted amounts, null where the amount is null or refused; adds the rows whose amount cannot be converted.
    private func convert<Value: FixedWidthInteger & BitwiseCopyable>(
        _ amounts: ColumnVector, _ found: RateLookup.Found, as: Value.Type,
        _ refused: inout [(row: Int, code: String, message: String)]
    ) -> ColumnVector {
        let rows = amounts.count
        let memory = MutableBuffer(capacity: rows &* MemoryLayout<Value>.stride)
        let target = memory.base.assumingMemoryBound(to: Value.self)
        let bits = MutableBuffer(capacity: Bitmap.byteCount(rows))
        bits.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: Bitmap.byteCount(rows))
        var nulls = 0
        let scale = transform.target.minorUnitDigits
        let outcomes = rates.outcomes
        let factors = outcomes.map { $0.factor(from: amounts.type.scale, to: scale) }
        let hasRate = outcomes.map(\.hasRate)
        let isShort = amounts.dictionary == nil && amounts.type.isShortNumber
        let limit = DecimalMath.widePowerOfTen(type.precision ?? DecimalMath.maximumPrecision)
        let view = amounts.unsafeView
        let words = view.values(as: Int64.self)
        for row in 0..<rows {
            let index = found.index(row)
            guard index >= 0, hasRate[index], view.isValid(row) else {
                target[row] = 0
                Bitmap.set(bits.base, row, false)
                nulls &+= 1
                continue
            }
            var value: Int128?
            if isShort, let factor = factors[index],
                let word = DecimalMath.multiply(
                    words[row], factor.multiplier, dropping: factor.digits, transform.rounding)
            {
                value = Int128(word)
            } else {
                // What passes 64 bits on the way, and cross rates, which have a divisor.
                value = slowly(amounts.scalar(at: row), outcomes[index], scale)
            }
            if let value, value > -limit, value < limit {
                target[row] = Value(truncatingIfNeeded: value)
            } else {
                target[row] = 0
                Bitmap.set(bits.base, row, false)
                nulls &+= 1
                refused.append((row, "outOfRange", "the converted amount does not fit \(type)"))
            }
        }
        withExtendedLifetime((amounts, found)) {}
        return ColumnVector(
            type: type, count: rows, nullCount: nulls, validity: bits.finish(byteCount: Bitmap.byteCount(rows)),
            values: memory.finish(byteCount: rows &* MemoryLayout<Value>.stride))
    }

    private func slowly(_ amount: Scalar, _ outcome: RateLookup.Outcome, _ scale: Int) -> Int128? {
        let exact: DecimalValue
        switch amount {
        case .decimal(let value): exact = value
        case .integer(let value): exact = DecimalValue(coefficient: value, scale: 0)
        default: return nil
        }
        guard case .conversion(let conversion, _) = outcome else { return nil }
        return Self.value(exact, conversion, scale, transform.rounding)?
            .exactCoefficient(precision: DecimalMath.maximumPrecision, scale: scale)
    }

    /// An amount converted and rounded once; nil when it has more digits than a decimal can have.
    static func value(
        _ amount: DecimalValue, _ conversion: RateTable.Conversion, _ scale: Int, _ rounding: RoundingMode
    ) -> DecimalValue? {
        if conversion.denominator == 1 { return amount.multiplied(by: conversion.numerator, scale: scale, rounding) }
        return amount.multiplied(by: conversion.numerator)?.divided(by: conversion.denominator, scale: scale, rounding)
    }

    /// The rate of each row and its day, null where the amount is.
    private func audit(_ amounts: ColumnVector, _ found: RateLookup.Found) -> [ColumnVector] {
        let used = PrimitiveBuilder<Int128>(.decimal(precision: 28, scale: 10), capacity: amounts.count)
        let usedDays = PrimitiveBuilder<Int32>(.date32, capacity: amounts.count)
        for row in 0..<amounts.count {
            let index = found.index(row)
            guard index >= 0, amounts.isValid(row), case .conversion(let conversion, let rate) = rates.outcomes[index]
            else {
                used.appendNull()
                usedDays.appendNull()
                continue
            }
            if let coefficient = rate.exactCoefficient(precision: 28, scale: 10) {
                used.append(coefficient)
            } else {
                used.appendNull()
            }
            usedDays.append(conversion.day ?? rates.day(index))
        }
        return [used.finish(), usedDays.finish()]
    }
}

extension DataType {
    /// The digits of a decimal.
    fileprivate var precision: Int? {
        if case .decimal(let precision, _) = self { return precision }
        return nil
    }

    /// The digits after the point, none of an integer.
    fileprivate var scale: Int {
        if case .decimal(_, let scale) = self { return scale }
        return 0
    }

    /// Whether values are stored as 64-bit coefficients.
    fileprivate var isShortNumber: Bool {
        switch self {
        case .int64: true
        case .decimal(let precision, _): precision <= DecimalMath.maximumShortPrecision
        default: false
        }
    }
}
