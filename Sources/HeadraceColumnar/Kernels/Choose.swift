extension Kernels {
    /// The first value of each row that is not null, over `columns` of one type; there must be at least one column.
    public static func coalesce(_ columns: [ColumnVector]) -> ColumnVector {
        guard let first = columns.first else { preconditionFailure("coalesce needs at least one column") }
        check(columns, count: first.count)
        if first.nullCount == 0 { return first }
        return choose(columns, count: first.count) { row in
            columns.firstIndex { $0.isValid(row) } ?? -1
        }
    }

    /// CASE WHEN: in each row the value of the first of `cases` whose condition is true, else that of `otherwise`, null without it.
    ///
    /// Conditions are columns of booleans, null counting as false; all values have one type. There must be at least one case.
    public static func ifElse(
        _ cases: [(condition: ColumnVector, value: ColumnVector)], otherwise: ColumnVector? = nil
    ) -> ColumnVector {
        guard let first = cases.first else { preconditionFailure("ifElse needs at least one case") }
        let values = cases.map(\.value) + (otherwise.map { [$0] } ?? [])
        check(values, count: first.value.count)
        let conditions = cases.map { decoded($0.condition) }
        precondition(
            conditions.allSatisfy { $0.type == .bool && $0.count == first.value.count },
            "a condition is a column of booleans, as long as the values")
        let fallback = otherwise == nil ? -1 : cases.count
        let views = conditions.map(\.unsafeView)
        defer { withExtendedLifetime(conditions) {} }
        return choose(values, count: first.value.count) { row in
            views.firstIndex { $0.isValid(row) && $0.bool(row) } ?? fallback
        }
    }

    private static func check(_ columns: [ColumnVector], count: Int) {
        precondition(
            columns.allSatisfy { $0.count == count && $0.type == columns[0].type },
            "a choice between columns of different types or lengths")
    }

    /// One column from the rows of several in place: `source` names the column of each row, -1 for null.
    private static func choose(_ columns: [ColumnVector], count: Int, _ source: (Int) -> Int) -> ColumnVector {
        let picks = MutableBuffer(capacity: count &* 4)
        let sources = picks.values(as: Int32.self)
        var hasNulls = false
        for row in 0..<count {
            let pick = source(row)
            sources[row] = Int32(truncatingIfNeeded: pick)
            hasNulls = hasNulls || pick < 0
        }
        let rows = RowSelection(all: count)
        var from = columns
        if hasNulls {
            from.append(.nulls(columns[0].type, count: count))
            for row in 0..<count where sources[row] < 0 { sources[row] = Int32(truncatingIfNeeded: columns.count) }
        }
        let result = rows.withIndices {
            interleave(from, sources: UnsafeBufferPointer(start: sources, count: count), rows: $0)
        }
        _ = consume picks
        return result
    }
}

extension Kernels {
    /// The least value of each row over `columns` of one type, nulls left out; null where all are null.
    public static func least(_ columns: [ColumnVector]) -> ColumnVector { extreme(columns) { $0 < 0 } }

    /// The greatest value of each row over `columns` of one type, nulls left out; null where all are null.
    public static func greatest(_ columns: [ColumnVector]) -> ColumnVector { extreme(columns) { $0 > 0 } }

    private static func extreme(_ columns: [ColumnVector], _ wins: (Int) -> Bool) -> ColumnVector {
        guard let first = columns.first else { preconditionFailure("a choice needs at least one column") }
        check(columns, count: first.count)
        // Pair `i * count + j` compares column i with column j.
        let pairs = columns.flatMap { one in columns.map { ColumnPair(one, $0) } }
        let result = choose(columns, count: first.count) { row in
            var best = -1
            for index in columns.indices where columns[index].isValid(row) {
                if best < 0 || wins(pairs[index * columns.count + best].compare(row, row)) { best = index }
            }
            return best
        }
        withExtendedLifetime(columns) {}
        return result
    }
}
