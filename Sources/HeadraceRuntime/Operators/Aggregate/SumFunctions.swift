import HeadraceColumnar

/// The exact sum of integers or decimals: int64 of integers, decimal(38,s) of decimals; null of no values.
///
/// Sums are kept in 192 bits, so that only a result can pass its type's range, never a sum on the way, whatever the order.
/// A uint64 column sums to uint64.
struct SumFunction: AggregateFunction {
    let result: Field
    private let scale: Int
    /// The upper and lower part of the sum; both null when there are no values.
    let stateTypes: [DataType]

    init(_ name: String, argument: DataType, nullable: Bool) {
        scale = argument.fractionDigits
        stateTypes = [.int64, .decimal(precision: 38, scale: argument.fractionDigits)]
        let type: DataType =
            switch argument {
            case .decimal(_, let scale): .decimal(precision: 38, scale: scale)
            case .uint64: .uint64
            default: .int64
            }
        result = Field(name, type, nullable: nullable)
    }

    func initial(_ rows: AggregateRows) -> [ColumnVector] {
        guard let column = rows.column, let cast = try? Kernels.cast(column, to: stateTypes[1]) else {
            preconditionFailure("a sum's argument became another type than the one it was checked for")
        }
        let wide = cast.column
        let low = wide.unsafeView.values(as: Int128.self)
        let high = MutableBuffer(capacity: rows.count &* 8)
        let target = high.base.assumingMemoryBound(to: Int64.self)
        for row in 0..<rows.count { target[row] = low[row] < 0 ? -1 : 0 }
        withExtendedLifetime(wide) {}
        // Only the lower part tells nulls.
        return [
            ColumnVector(
                type: .int64, count: rows.count, nullCount: 0, values: high.finish(byteCount: rows.count &* 8)),
            wide,
        ]
    }

    func empty(_ count: Int) -> [ColumnVector] {
        [GroupValues<Int64>(count, repeating: 0).column(.int64, count: count), .nulls(stateTypes[1], count: count)]
    }

    func merge(_ states: [ColumnVector], _ groups: KeyGroups) -> [ColumnVector] {
        let high = states[0].unsafeView.values(as: Int64.self)
        let low = states[1].unsafeView.values(as: Int128.self)
        let view = states[1].unsafeView
        let highs = GroupValues<Int64>(groups.count, repeating: 0)
        let lows = GroupValues<Int128>(groups.count, repeating: 0)
        let isValid = GroupValues<UInt8>(groups.count, repeating: 0)
        let ids = groups.ids
        for row in 0..<groups.rows where view.isValid(row) {
            let group = Int(ids[row])
            var sum = WideSum(high: highs.values[group], low: UInt128(truncatingIfNeeded: lows.values[group]))
            sum.add(WideSum(high: high[row], low: UInt128(truncatingIfNeeded: low[row])))
            highs.values[group] = sum.high
            lows.values[group] = Int128(truncatingIfNeeded: sum.low)
            isValid.values[group] = 1
        }
        withExtendedLifetime((states, groups)) {}
        let merged = [
            highs.column(.int64, count: groups.count),
            lows.column(stateTypes[1], count: groups.count, isValid: isValid.values),
        ]
        _ = consume isValid
        return merged
    }

    func finish(_ states: [ColumnVector], failures: inout [AggregateFailure]) -> ColumnVector {
        var results = NumberColumn(result.type, count: states[0].count)
        forEach(states) { row, sum in
            guard let sum else { return }
            if results.set(row, sum.narrow) { return }
            failures.append(
                AggregateFailure(
                    row: row, field: result.name, message: "the sum \(result.name) does not fit \(result.type)"))
        }
        return results.finish()
    }

    /// The sum of each state, nil where there are no values.
    func forEach(_ states: [ColumnVector], _ body: (_ row: Int, _ sum: WideSum?) -> Void) {
        let high = states[0].unsafeView.values(as: Int64.self)
        let view = states[1].unsafeView
        let low = view.values(as: Int128.self)
        for row in 0..<states[0].count {
            body(row, view.isValid(row) ? WideSum(high: high[row], low: UInt128(truncatingIfNeeded: low[row])) : nil)
        }
        withExtendedLifetime(states) {}
    }
}

/// The exact mean of integers or decimals, rounded half-even once to `scale` digits after the point; null of no values.
///
/// Its type has as many digits before the point as the argument's, one more when rounding can carry, and at most 38 in all.
struct MeanFunction: AggregateFunction {
    let result: Field
    private let scale: Int
    private let argumentScale: Int
    private let sum: SumFunction
    private let count: CountFunction

    init(_ name: String, argument: DataType, scale: Int, nullable: Bool) {
        self.scale = scale
        argumentScale = argument.fractionDigits
        let digits = (argument.integerDigits ?? 38) + scale + (scale < argument.fractionDigits ? 1 : 0)
        result = Field(name, .decimal(precision: max(1, min(38, digits)), scale: scale), nullable: nullable)
        sum = SumFunction(name, argument: argument, nullable: nullable)
        count = CountFunction(name)
    }

    var stateTypes: [DataType] { sum.stateTypes + count.stateTypes }

    func initial(_ rows: AggregateRows) -> [ColumnVector] { sum.initial(rows) + count.initial(rows) }

    func empty(_ count: Int) -> [ColumnVector] { sum.empty(count) + self.count.empty(count) }

    func merge(_ states: [ColumnVector], _ groups: KeyGroups) -> [ColumnVector] {
        sum.merge(Array(states.prefix(2)), groups) + count.merge([states[2]], groups)
    }

    func finish(_ states: [ColumnVector], failures: inout [AggregateFailure]) -> ColumnVector {
        let counts = states[2].unsafeView.values(as: Int64.self)
        var results = NumberColumn(result.type, count: states[0].count)
        sum.forEach(states) { row, sum in
            guard let sum else { return }
            if results.set(row, sum.mean(of: counts[row], from: argumentScale, to: scale)) { return }
            failures.append(
                AggregateFailure(
                    row: row, field: result.name, message: "the mean \(result.name) does not fit \(result.type)"))
        }
        return results.finish()
    }
}
