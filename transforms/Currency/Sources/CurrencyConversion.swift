public import HeadraceColumnar
public import HeadraceCore

/// Converts amounts into one currency by a dated rate table, exactly, rounded once to the minor unit.
///
/// Rows of an unknown currency and rows for whose day there is no rate are rejects. The rate and its day stay behind in
/// two columns for audit. A null amount stays null.
public struct CurrencyConversion: RowTransform {
    /// The day whose rate counts.
    public enum Day: Sendable, Hashable {
        /// The same for all rows, in days since 1970-01-01.
        case fixed(Int32)
        /// The day in a `date32` or timestamp column.
        case column(String)
    }

    public let name: String
    /// The decimal or integer column of amounts; any other type is a `schemaMismatch`, floats included.
    public let amount: String
    /// The `utf8` column of ISO 4217 codes, one a row; a null code refuses its row.
    public let currency: String
    /// The currency of the results, whose minor unit sets their scale. The rate table must know it.
    public let target: Currency
    /// Where rates are looked up, by the row's currency and day.
    public let rates: RateTable
    /// The day whose rate counts; a row whose day is null is a reject.
    public let day: Day
    /// How the exact product is rounded, once, to the minor unit of `target`.
    public let rounding: RoundingMode
    /// The column that gets the converted amount.
    public let result: String
    /// The columns that get the rate (`decimal(28,10)`) and its day (`date32`); nil leaves them out.
    public let audit: (rate: String, day: String)?

    /// - Parameters:
    ///   - amount: a decimal or integer column.
    ///   - currency: the column of ISO 4217 codes.
    ///   - result: the column of converted amounts, `decimal(p, minor unit)`; by default `amount` itself.
    public init(
        _ amount: String, from currency: String, to target: Currency, rates: RateTable, on day: Day,
        rounding: RoundingMode = .halfEven, into result: String? = nil,
        audit: (rate: String, day: String)? = ("exchange_rate", "rate_date"), name: String = "convert currency"
    ) {
        self.amount = amount
        self.currency = currency
        self.target = target
        self.rates = rates
        self.day = day
        self.rounding = rounding
        self.result = result ?? amount
        self.audit = audit
        self.name = name
    }

    /// The type of converted amounts: wide enough that the same digits before the point fit with eight more.
    func resultType(_ input: Schema) throws -> DataType {
        switch input[amount]?.type {
        case .decimal(let precision, let scale)?:
            return .decimal(
                precision: min(38, max(precision - scale + 8, 10) + target.minorUnitDigits),
                scale: target.minorUnitDigits)
        case let type? where type.isInteger: return .decimal(precision: 28, scale: target.minorUnitDigits)
        default:
            throw HeadraceError(
                .schemaMismatch, "column \"\(amount)\" holds no exact amounts",
                fields: [("type", input[amount]?.type.description ?? "not there")], hint: "money is a decimal: cast it")
        }
    }

    public func schema(from input: Schema) throws -> Schema {
        guard input[currency]?.type == .utf8 else {
            throw HeadraceError(
                .schemaMismatch, "column \"\(currency)\" holds no currency codes",
                fields: [("columns", input.names.joined(separator: ", "))])
        }
        if case .column(let name) = day {
            switch input[name]?.type {
            case .date32?, .timestamp?: break
            default: throw HeadraceError(.schemaMismatch, "column \"\(name)\" holds no days for the rates")
            }
        }
        guard rates.knows(target.code) else {
            throw HeadraceError(.badOption, "the rate table has no rate of \(target.code)")
        }
        var added = [Field(result, try resultType(input))]
        if let audit { added += [Field(audit.rate, .decimal(precision: 28, scale: 10)), Field(audit.day, .date32)] }
        var fields = input.fields
        for field in added {
            if let index = fields.firstIndex(where: { $0.name == field.name }) {
                fields[index] = field
            } else {
                fields.append(field)
            }
        }
        return Schema(fields)
    }

    public func makeStage(for input: Schema, in context: RunContext) throws -> CurrencyStage {
        CurrencyStage(self, output: try schema(from: input), type: try resultType(input))
    }
}

extension Transform where Self == CurrencyConversion {
    /// Converts amounts into one currency by a dated rate table.
    public static func convertCurrency(
        _ amount: String, from currency: String, to target: Currency, rates: RateTable, on day: CurrencyConversion.Day,
        into result: String? = nil
    ) -> CurrencyConversion {
        CurrencyConversion(amount, from: currency, to: target, rates: rates, on: day, into: result)
    }
}

/// Converts the amounts of batches; each pair of currency and day is looked up once.
public final class CurrencyStage: Stage {
    private struct Key: Hashable {
        let currency: String
        let day: Int32
    }
    private enum Outcome {
        case conversion(RateTable.Conversion, rate: DecimalValue)
        case unknownCurrency
        case noRate
    }

    private let transform: CurrencyConversion
    private let output: Schema
    private let type: DataType
    private var known: [Key: Outcome] = [:]

    init(_ transform: CurrencyConversion, output: Schema, type: DataType) {
        self.transform = transform
        self.output = output
        self.type = type
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
        let days = try dayColumn(batch)
        let converted = makeBuilder(for: type, capacity: batch.count)
        let rates = makeBuilder(for: .decimal(precision: 28, scale: 10), capacity: batch.count)
        let rateDays = makeBuilder(for: .date32, capacity: batch.count)
        var kept: [Int32] = []
        kept.reserveCapacity(batch.count)
        var rejects: [Reject] = []
        for row in 0..<batch.count {
            switch try convert(row, amounts, codes, days, converted, rates, rateDays) {
            case nil: kept.append(Int32(row))
            case let (code, message)?:
                rejects.append(
                    batch.reject(
                        row: row, rule: transform.name, code: code, field: transform.currency, message: message))
            }
        }
        var result = kept.count == batch.count ? batch : kept.withUnsafeBufferPointer { batch.taking($0) }
        result = result.with(
            columns(
                result.records,
                [converted.finish()] + (transform.audit == nil ? [] : [rates.finish(), rateDays.finish()])))
        result.rejects += rejects
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

    private func dayColumn(_ batch: Batch) throws -> ColumnVector? {
        guard case .column(let name) = transform.day, let column = batch.records[name] else { return nil }
        return column.type == .date32 ? column : try Kernels.cast(column, to: .date32, rounding: .floor).column
    }

    /// Converts one row into the builders, or says why it cannot be.
    private func convert(
        _ row: Int, _ amounts: ColumnVector, _ codes: ColumnVector, _ days: ColumnVector?,
        _ converted: any ColumnBuilder,
        _ rates: any ColumnBuilder, _ rateDays: any ColumnBuilder
    ) throws -> (String, String)? {
        guard case .utf8(let code) = codes.scalar(at: row) else { return ("missing", "the currency is missing") }
        let day: Int32
        switch (transform.day, days?.scalar(at: row)) {
        case (.fixed(let fixed), _): day = fixed
        case (.column, .date(let own)?): day = own
        case (.column, _): return ("missing", "the day of the rate is missing")
        }
        let conversion: RateTable.Conversion
        let rate: DecimalValue
        switch outcome(Key(currency: code, day: day)) {
        case .conversion(let found, let factor): (conversion, rate) = (found, factor)
        case .unknownCurrency: return ("unknownCurrency", "there is no rate of currency \(code)")
        case .noRate: return ("noRate", "there is no rate of \(code) for \(Temporal.formatDate(day))")
        }
        let amount: DecimalValue
        switch amounts.scalar(at: row) {
        case .null:
            converted.appendNull()
            rates.appendNull()
            rateDays.appendNull()
            return nil
        case .decimal(let value): amount = value
        case .integer(let value): amount = DecimalValue(coefficient: value, scale: 0)
        default: return ("notADecimal", "the amount is no number")
        }
        guard let value = Self.value(amount, conversion, transform.target.minorUnitDigits, transform.rounding),
            converted.append(.decimal(value))
        else { return ("outOfRange", "the converted amount does not fit \(type)") }
        _ = rates.append(.decimal(rate))
        _ = rateDays.append(.date(conversion.day ?? day))
        return nil
    }

    static func value(
        _ amount: DecimalValue, _ conversion: RateTable.Conversion, _ scale: Int, _ rounding: RoundingMode
    ) -> DecimalValue? {
        if conversion.denominator == 1 { return amount.multiplied(by: conversion.numerator, scale: scale, rounding) }
        return amount.multiplied(by: conversion.numerator)?.divided(by: conversion.denominator, scale: scale, rounding)
    }

    private func outcome(_ key: Key) -> Outcome {
        if let found = known[key] { return found }
        let outcome: Outcome
        if let conversion = transform.rates.conversion(from: key.currency, to: transform.target.code, on: key.day),
            let rate = conversion.rate
        {
            outcome = .conversion(conversion, rate: rate)
        } else {
            outcome = transform.rates.knows(key.currency) ? .noRate : .unknownCurrency
        }
        known[key] = outcome
        return outcome
    }
}
