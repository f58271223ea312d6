import HeadraceColumnar
import HeadraceCore

/// Finds the conversion of each row by its currency and day; every pair is looked up in the table once.
struct RateLookup {
    /// What is known of a currency on a day.
    enum Outcome {
        case conversion(RateTable.Conversion, rate: DecimalValue)
        case unknownCurrency
        case noRate

        var hasRate: Bool {
            if case .conversion = self { return true }
            return false
        }

        /// What a coefficient of scale `from` is multiplied with, and how many digits its product then has too many for
        /// scale `to`. Nil where a divisor is needed or 64 bits are not enough.
        func factor(from: Int, to: Int) -> (multiplier: Int64, digits: Int)? {
            guard case .conversion(let conversion, _) = self, conversion.denominator == 1,
                let multiplier = Int64(exactly: conversion.numerator.coefficient)
            else { return nil }
            let digits = from + conversion.numerator.scale - to
            return (0...18).contains(digits) ? (multiplier, digits) : nil
        }
    }

    /// The days of a batch's rows.
    enum Days {
        case same(Int32)
        case column(ColumnVector)
    }

    /// The number of each row's outcome, negative where the row lacks a currency or a day.
    struct Found {
        static let noCurrency: Int32 = -1
        static let noDay: Int32 = -2
        fileprivate let numbers: Buffer

        @inline(__always) func index(_ row: Int) -> Int {
            Int(numbers.base.load(fromByteOffset: row &* 4, as: Int32.self))
        }
    }

    private struct Key: Hashable {
        let currency: String
        let day: Int32
    }

    /// A pair seen before, by the bytes of a code of up to seven bytes with its length on top.
    private struct Recent {
        var code: UInt64 = .max
        var day: Int32 = 0
        var number: Int32 = 0
    }

    private let table: RateTable
    private let target: Currency
    private(set) var outcomes: [Outcome] = []
    private var keys: [Key] = []
    private var numbers: [Key: Int32] = [:]
    private var recent = [Recent](repeating: Recent(), count: 256)

    init(_ table: RateTable, to target: Currency) {
        self.table = table
        self.target = target
    }

    /// The day that outcome `number` was asked for.
    func day(_ number: Int) -> Int32 { keys[number].day }

    /// Why the rows of outcome `number`, or of a negative one, are refused.
    func refusal(_ number: Int) -> (code: String, message: String) {
        if number == Int(Found.noDay) { return ("missing", "the day of the rate is missing") }
        if number < 0 { return ("missing", "the currency is missing") }
        let key = keys[number]
        if case .unknownCurrency = outcomes[number] {
            return ("unknownCurrency", "there is no rate of currency \(key.currency)")
        }
        return ("noRate", "there is no rate of \(key.currency) for \(Temporal.formatDate(key.day))")
    }

    /// The outcomes of rows with the currencies `codes`, text with or without a dictionary.
    mutating func find(_ codes: ColumnVector, _ days: Days) -> Found {
        let memory = MutableBuffer(capacity: codes.count &* 4)
        let result = memory.base.assumingMemoryBound(to: Int32.self)
        let view = codes.unsafeView
        let texts = (codes.dictionary ?? codes).unsafeView
        let isEncoded = codes.dictionary != nil
        var day: Int32 = 0
        var dayView: UnsafeColumnView?
        switch days {
        case .same(let same): day = same
        case .column(let column): dayView = column.unsafeView
        }
        for row in 0..<codes.count {
            guard view.isValid(row) else {
                result[row] = Found.noCurrency
                continue
            }
            if let dayView {
                guard dayView.isValid(row) else {
                    result[row] = Found.noDay
                    continue
                }
                day = dayView.values(as: Int32.self)[row]
            }
            let code = texts.bytes(isEncoded ? view.key(row) : row)
            guard code.count < 8 else {
                result[row] = number(code, day)
                continue
            }
            var word = UInt64(truncatingIfNeeded: code.count) &<< 56
            for index in 0..<code.count { word |= UInt64(code[index]) &<< UInt64(index &* 8) }
            let mixed = (word ^ UInt64(truncatingIfNeeded: day)) &* 0x9e37_79b9_7f4a_7c15
            let slot = Int(truncatingIfNeeded: mixed &>> 56)
            let last = recent[slot]
            if last.code == word, last.day == day {
                result[row] = last.number
            } else {
                let number = number(code, day)
                recent[slot] = Recent(code: word, day: day, number: number)
                result[row] = number
            }
        }
        withExtendedLifetime((codes, days)) {}
        return Found(numbers: memory.finish(byteCount: codes.count &* 4))
    }

    private mutating func number(_ code: UnsafeRawBufferPointer, _ day: Int32) -> Int32 {
        let key = Key(currency: String(decoding: code, as: UTF8.self), day: day)
        if let known = numbers[key] { return known }
        let outcome: Outcome
        if let conversion = table.conversion(from: key.currency, to: target.code, on: day), let rate = conversion.rate {
            outcome = .conversion(conversion, rate: rate)
        } else {
            outcome = table.knows(key.currency) ? .noRate : .unknownCurrency
        }
        let number = Int32(outcomes.count)
        outcomes.append(outcome)
        keys.append(key)
        numbers[key] = number
        return number
    }
}
