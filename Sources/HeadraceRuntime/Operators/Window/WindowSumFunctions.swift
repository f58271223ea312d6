import HeadraceColumnar

/// The exact sum or mean of integers or decimals in the frame; null when the frame has no values.
///
/// Types and rounding are those of the aggregates of the same name.
struct WindowSumFunction: WindowFunction {
    let result: Field
    let column: Int
    let frame: WindowFrame
    /// The scale to which a mean is rounded, nil for a sum.
    let meanScale: Int?
    private let scale: Int

    init(_ name: String, column: Int, argument: Field, meanScale: Int?, frame: WindowFrame) {
        self.column = column
        self.frame = frame
        self.meanScale = meanScale
        scale = argument.type.fractionDigits
        if let meanScale {
            result =
                MeanFunction(name, argument: argument.type, scale: meanScale, nullable: argument.isNullable).result
        } else {
            result = SumFunction(name, argument: argument.type, nullable: argument.isNullable).result
        }
    }

    func compute(_ rows: WindowRows, failures: inout [AggregateFailure]) -> ColumnVector {
        let wideType = DataType.decimal(precision: 38, scale: scale)
        guard let wide = try? Kernels.cast(rows.block.columns[column], to: wideType).column else {
            preconditionFailure("a window's argument became another type than the one it was checked for")
        }
        let view = wide.unsafeView
        let values = view.values(as: Int128.self)
        var results = NumberColumn(result.type, count: rows.block.count)
        var failed: [AggregateFailure] = []
        rows.forEachPartition { range in
            var sum = WideSum(0)
            var count: Int64 = 0
            var start = range.lowerBound
            for row in range {
                if view.isValid(row) {
                    sum.add(WideSum(values[row]))
                    count += 1
                }
                let first = frame.start(row, in: range)
                while start < first {
                    if view.isValid(start) {
                        sum.subtract(WideSum(values[start]))
                        count -= 1
                    }
                    start += 1
                }
                if count == 0 || results.set(row, value(sum, count)) { continue }
                failed.append(
                    AggregateFailure(
                        row: row, field: result.name,
                        message: "the \(meanScale == nil ? "sum" : "mean") \(result.name) does not fit \(result.type)"))
            }
        }
        failures += failed
        withExtendedLifetime(wide) {}
        return results.finish()
    }

    private func value(_ sum: WideSum, _ count: Int64) -> Int128? {
        meanScale.map { sum.mean(of: count, from: scale, to: $0) } ?? sum.narrow
    }
}

/// The sum or mean of floating-point numbers in the frame, nearest to the exact sum; null when the frame has no values.
struct WindowFloatSumFunction: WindowFunction {
    let result: Field
    let column: Int
    let isMean: Bool
    let frame: WindowFrame

    init(_ name: String, column: Int, argument: Field, isMean: Bool, frame: WindowFrame) {
        result = Field(name, .float64, nullable: argument.isNullable)
        self.column = column
        self.isMean = isMean
        self.frame = frame
    }

    func compute(_ rows: WindowRows, failures: inout [AggregateFailure]) -> ColumnVector {
        guard let doubles = try? Kernels.cast(rows.block.columns[column], to: .float64).column else {
            preconditionFailure("a window's argument became another type than the one it was checked for")
        }
        let view = doubles.unsafeView
        let values = view.values(as: Double.self)
        let builder = PrimitiveBuilder<Double>(.float64, capacity: rows.block.count)
        let memory = GroupValues<Int64>(2 * ExactFloatSum.words, repeating: 0)
        let exact = ExactFloatSum(base: memory.values)
        let copy = ExactFloatSum(base: memory.values + ExactFloatSum.words)
        rows.forEachPartition { range in
            memory.values.update(repeating: 0, count: ExactFloatSum.words)
            var specials = SpecialCounts()
            var count = 0
            var changes = 0
            var start = range.lowerBound
            func change(_ row: Int, by sign: Int) {
                guard view.isValid(row) else { return }
                let value = values[row]
                count += sign
                if value.isFinite {
                    exact.add(sign > 0 ? value : -value)
                } else {
                    specials.count(value, by: sign)
                }
                changes += 1
                if changes & 0xfff_ffff == 0 { exact.normalize() }
            }
            for row in range {
                change(row, by: 1)
                let first = frame.start(row, in: range)
                while start < first {
                    change(start, by: -1)
                    start += 1
                }
                if count == 0 {
                    builder.appendNull()
                    continue
                }
                copy.base.update(from: exact.base, count: ExactFloatSum.words)
                let sum = specials.value ?? copy.rounded()
                builder.append(isMean ? sum / Double(count) : sum)
            }
        }
        _ = consume memory
        return withExtendedLifetime(doubles) { builder.finish() }
    }

    /// How many NaNs and infinities are in the frame.
    private struct SpecialCounts {
        private var nans = 0
        private var positive = 0
        private var negative = 0

        mutating func count(_ value: Double, by sign: Int) {
            if value.isNaN {
                nans += sign
            } else if value > 0 {
                positive += sign
            } else {
                negative += sign
            }
        }

        /// The sum when it is decided by special values.
        var value: Double? {
            if nans > 0 || (positive > 0 && negative > 0) { return .nan }
            if positive > 0 { return .infinity }
            return negative > 0 ? -.infinity : nil
        }
    }
}
