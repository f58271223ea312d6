import HeadraceColumnar

/// The least or greatest value of any type; nulls do not take part.
struct ExtremeFunction: AggregateFunction {
    let result: Field
    let isMinimum: Bool
    var stateTypes: [DataType] { [result.type] }

    func initial(_ rows: AggregateRows) -> [ColumnVector] { [rows.column ?? .nulls(result.type, count: rows.count)] }

    func merge(_ states: [ColumnVector], _ groups: KeyGroups) -> [ColumnVector] {
        let column = states[0]
        let best = GroupValues<Int32>(groups.count, repeating: -1)
        switch column.type {
        case .int32, .date32: choose(column, groups, best.values, Int32.self)
        case .int64, .time64, .timestamp: choose(column, groups, best.values, Int64.self)
        case .decimal(let precision, _):
            if precision <= 18 {
                choose(column, groups, best.values, Int64.self)
            } else {
                choose(column, groups, best.values, Int128.self)
            }
        default:
            let order = RowOrder([column], [column], orders: [isMinimum ? .ascending : .descending])
            GroupChoice.choose(column.unsafeView, groups, best.values) { order.compare($0, $1) < 0 }
        }
        withExtendedLifetime((column, groups)) {}
        let rows = UnsafeBufferPointer(start: best.values, count: groups.count)
        let chosen = Kernels.takeNullable(column, indices: rows)
        _ = consume best
        return [chosen]
    }

    @inline(__always)
    private func choose<T: Comparable & BitwiseCopyable>(
        _ column: ColumnVector, _ groups: KeyGroups, _ best: UnsafeMutablePointer<Int32>, _: T.Type
    ) {
        let view = column.unsafeView
        let values = view.values(as: T.self)
        if isMinimum {
            GroupChoice.choose(view, groups, best) { values[$0] < values[$1] }
        } else {
            GroupChoice.choose(view, groups, best) { values[$0] > values[$1] }
        }
    }

    func finish(_ states: [ColumnVector], failures: inout [AggregateFailure]) -> ColumnVector { states[0] }
}

/// The value of the first or last row in source order, null included.
///
/// Of several rows with one ordinal the one with the least (for the last: greatest) value counts, null being greatest.
struct EdgeFunction: AggregateFunction {
    let result: Field
    let isFirst: Bool
    /// Source index and ordinal of the row, null when there is none; its value.
    var stateTypes: [DataType] { [.int64, result.type] }

    func initial(_ rows: AggregateRows) -> [ColumnVector] {
        [rows.ordinals, rows.column ?? .nulls(result.type, count: rows.count)]
    }

    func merge(_ states: [ColumnVector], _ groups: KeyGroups) -> [ColumnVector] {
        let best = GroupValues<Int32>(groups.count, repeating: -1)
        let sort = SortOrder(ascending: isFirst)
        let order = RowOrder(states, states, orders: [sort, sort])
        let ordinals = states[0].unsafeView.values(as: Int64.self)
        GroupChoice.choose(states[0].unsafeView, groups, best.values) { row, known in
            if ordinals[row] != ordinals[known] { return (ordinals[row] < ordinals[known]) == isFirst }
            return order.compare(row, known) < 0
        }
        withExtendedLifetime((states, groups)) {}
        let rows = UnsafeBufferPointer(start: best.values, count: groups.count)
        let chosen = states.map { Kernels.takeNullable($0, indices: rows) }
        _ = consume best
        return chosen
    }

    func finish(_ states: [ColumnVector], failures: inout [AggregateFailure]) -> ColumnVector { states[1] }
}

/// Chooses one row of each group.
enum GroupChoice {
    /// Writes the valid row of each group that comes before all others to `best`, which starts at -1.
    @inline(__always)
    static func choose(
        _ view: UnsafeColumnView, _ groups: KeyGroups, _ best: UnsafeMutablePointer<Int32>,
        _ precedes: (_ row: Int, _ known: Int) -> Bool
    ) {
        let ids = groups.ids
        for row in 0..<groups.rows where view.isValid(row) {
            let group = Int(ids[row])
            let known = best[group]
            if known < 0 || precedes(row, Int(known)) { best[group] = Int32(truncatingIfNeeded: row) }
        }
    }
}
