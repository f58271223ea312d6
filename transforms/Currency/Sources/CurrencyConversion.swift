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
