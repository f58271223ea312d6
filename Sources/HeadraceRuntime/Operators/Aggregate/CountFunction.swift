import HeadraceColumnar

/// Counts rows, or values that are not null.
struct CountFunction: AggregateFunction {
    let stateTypes: [DataType] = [.int64]
    let result: Field
    /// Rows start at zero: their number comes from elsewhere, as that of different values does.
    var startsAtZero = false

    init(_ name: String, startsAtZero: Bool = false) {
        result = Field(name, .int64, nullable: false)
        self.startsAtZero = startsAtZero
    }

    func initial(_ rows: AggregateRows) -> [ColumnVector] {
        if startsAtZero { return empty(rows.count) }
        let counts = GroupValues<Int64>(rows.count, repeating: 1)
        if let view = rows.column?.unsafeView, view.hasNulls {
            for row in 0..<rows.count where !view.isValid(row) { counts.values[row] = 0 }
        }
        return [counts.column(.int64, count: rows.count)]
    }

    func empty(_ count: Int) -> [ColumnVector] {
        [GroupValues<Int64>(count, repeating: 0).column(.int64, count: count)]
    }

    func merge(_ states: [ColumnVector], _ groups: KeyGroups) -> [ColumnVector] {
        let counts = states[0].unsafeView.values(as: Int64.self)
        let sums = GroupValues<Int64>(groups.count, repeating: 0)
        let ids = groups.ids
        for row in 0..<groups.rows { sums.values[Int(ids[row])] &+= counts[row] }
        withExtendedLifetime((states, groups)) {}
        return [sums.column(.int64, count: groups.count)]
    }

    func finish(_ states: [ColumnVector], failures: inout [AggregateFailure]) -> ColumnVector { states[0] }
}

/// Whether any, or all, of the values are true; null when all are null.
struct TruthFunction: AggregateFunction {
    let stateTypes: [DataType] = [.bool]
    let result: Field
    /// True decides for `any`, false for `all`.
    let decisive: Bool

    func initial(_ rows: AggregateRows) -> [ColumnVector] { [rows.column ?? .nulls(.bool, count: rows.count)] }

    func merge(_ states: [ColumnVector], _ groups: KeyGroups) -> [ColumnVector] {
        let view = states[0].unsafeView
        // 0 is no value yet, 1 an undecided one, 2 decided.
        let found = GroupValues<UInt8>(groups.count, repeating: 0)
        let ids = groups.ids
        for row in 0..<groups.rows where view.isValid(row) {
            found.values[Int(ids[row])] |= view.bool(row) == decisive ? 3 : 1
        }
        withExtendedLifetime((states, groups)) {}
        let builder = BooleanBuilder(capacity: groups.count)
        for group in 0..<groups.count {
            switch found.values[group] {
            case 0: builder.appendNull()
            case 1: builder.append(!decisive)
            default: builder.append(decisive)
            }
        }
        _ = consume found
        return [builder.finish()]
    }

    func finish(_ states: [ColumnVector], failures: inout [AggregateFailure]) -> ColumnVector { states[0] }
}
