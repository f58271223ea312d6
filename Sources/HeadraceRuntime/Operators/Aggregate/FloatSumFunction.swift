import HeadraceColumnar

/// The sum, or the mean, of floating-point numbers as the nearest float64 to the exact sum; null of no values.
///
/// The sum does not depend on the order of the rows. NaN makes it NaN, infinities of both signs too. A mean is the rounded sum
/// divided by the count; it is a float64 and not rounded to a scale.
struct FloatSumFunction: AggregateFunction {
    let result: Field
    let isMean: Bool
    /// A single value as it is; several as specials, first word and the words from there; how many they are.
    let stateTypes: [DataType] = [.float64, .binary, .int64]

    init(_ name: String, isMean: Bool, nullable: Bool) {
        result = Field(name, .float64, nullable: nullable)
        self.isMean = isMean
    }

    func initial(_ rows: AggregateRows) -> [ColumnVector] {
        let column = rows.column.flatMap { try? Kernels.cast($0, to: .float64).column }
        return [column ?? .nulls(.float64, count: rows.count), .nulls(.binary, count: rows.count)]
            + CountFunction("").initial(AggregateRows(column: column, ordinals: rows.ordinals))
    }

    func empty(_ count: Int) -> [ColumnVector] {
        [.nulls(.float64, count: count), .nulls(.binary, count: count)] + CountFunction("").empty(count)
    }

    func merge(_ states: [ColumnVector], _ groups: KeyGroups) -> [ColumnVector] {
        let single = states[0].unsafeView
        let several = states[1].unsafeView
        let ids = groups.ids
        // The row of groups with one state, and a place among the sums for those with more.
        let only = GroupValues<Int32>(groups.count, repeating: -1)
        let place = GroupValues<Int32>(groups.count, repeating: -1)
        var sums: Int32 = 0
        for row in 0..<groups.rows where single.isValid(row) || several.isValid(row) {
            let group = Int(ids[row])
            if only.values[group] < 0 {
                only.values[group] = Int32(truncatingIfNeeded: row)
            } else if place.values[group] < 0 {
                place.values[group] = sums
                sums += 1
            }
        }
        let memory = GroupValues<Int64>(Int(sums) * ExactFloatSum.words, repeating: 0)
        let specials = GroupValues<UInt8>(Int(sums), repeating: 0)
        for row in 0..<groups.rows where single.isValid(row) || several.isValid(row) {
            let index = Int(place.values[Int(ids[row])])
            if index < 0 { continue }
            let sum = ExactFloatSum(base: memory.values + index * ExactFloatSum.words)
            if single.isValid(row) {
                Self.add(single.values(as: Double.self)[row], to: sum, &specials.values[index])
            } else {
                Self.add(several.bytes(row), to: sum, &specials.values[index])
            }
        }
        let values = PrimitiveBuilder<Double>(.float64, capacity: groups.count)
        let words = BytesBuilder(.binary, capacity: groups.count)
        for group in 0..<groups.count {
            let row = Int(only.values[group])
            let index = Int(place.values[group])
            if index >= 0 {
                values.appendNull()
                let sum = ExactFloatSum(base: memory.values + index * ExactFloatSum.words)
                Self.append(sum, specials.values[index], to: words)
            } else if row >= 0, several.isValid(row) {
                values.appendNull()
                words.append(several.bytes(row))
            } else {
                if row >= 0 { values.append(single.values(as: Double.self)[row]) } else { values.appendNull() }
                words.appendNull()
            }
        }
        _ = consume memory
        _ = consume specials
        _ = consume only
        _ = consume place
        withExtendedLifetime((states, groups)) {}
        return [values.finish(), words.finish()] + CountFunction("").merge([states[2]], groups)
    }

    func finish(_ states: [ColumnVector], failures: inout [AggregateFailure]) -> ColumnVector {
        let single = states[0].unsafeView
        let several = states[1].unsafeView
        let counts = states[2].unsafeView.values(as: Int64.self)
        let builder = PrimitiveBuilder<Double>(.float64, capacity: states[0].count)
        let memory = GroupValues<Int64>(ExactFloatSum.words, repeating: 0)
        for row in 0..<states[0].count {
            var sum = 0.0
            if single.isValid(row) {
                sum = single.values(as: Double.self)[row]
            } else if several.isValid(row) {
                memory.values.update(repeating: 0, count: ExactFloatSum.words)
                var specials: UInt8 = 0
                Self.add(several.bytes(row), to: ExactFloatSum(base: memory.values), &specials)
                sum = Self.value(ExactFloatSum(base: memory.values), ExactFloatSum.Specials(rawValue: specials))
            } else {
                builder.appendNull()
                continue
            }
            builder.append(isMean ? sum / Double(counts[row]) : sum)
        }
        _ = consume memory
        withExtendedLifetime(states) {}
        return builder.finish()
    }

    private static func add(_ value: Double, to sum: ExactFloatSum, _ specials: inout UInt8) {
        if value.isFinite { return sum.add(value) }
        let special: ExactFloatSum.Specials =
            value.isNaN ? .nan : value > 0 ? .positiveInfinity : .negativeInfinity
        specials |= special.rawValue
    }

    private static func value(_ sum: ExactFloatSum, _ specials: ExactFloatSum.Specials) -> Double {
        if specials.contains(.nan) || specials.isSuperset(of: [.positiveInfinity, .negativeInfinity]) { return .nan }
        if specials.contains(.positiveInfinity) { return .infinity }
        if specials.contains(.negativeInfinity) { return -.infinity }
        return sum.rounded()
    }

    /// Eight bytes of specials and first word, then the words.
    private static func append(_ sum: ExactFloatSum, _ specials: UInt8, to builder: BytesBuilder) {
        sum.normalize()
        let used = sum.used
        let target = builder.reserve(8 + used.count * 8)
        target.storeBytes(of: UInt64(specials) | UInt64(used.lowerBound) << 8, as: UInt64.self)
        (target + 8).copyMemory(from: sum.base + used.lowerBound, byteCount: used.count * 8)
        builder.commit(8 + used.count * 8)
    }

    private static func add(_ bytes: UnsafeRawBufferPointer, to sum: ExactFloatSum, _ specials: inout UInt8) {
        let header = bytes.loadUnaligned(as: UInt64.self)
        specials |= UInt8(truncatingIfNeeded: header)
        let first = Int(header >> 8)
        for index in 0..<bytes.count / 8 - 1 {
            sum.base[first + index] &+= bytes.loadUnaligned(fromByteOffset: 8 + index * 8, as: Int64.self)
        }
    }
}
