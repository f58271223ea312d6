import HeadraceColumnar

extension FormulaEvaluation {
    /// The result of a function of the catalog.
    mutating func call(_ function: Function, _ arguments: [Formula]) throws -> ColumnVector {
        try check(function, arguments)
        switch function {
        case .equal: return try compare(.equal, arguments)
        case .notEqual: return try compare(.notEqual, arguments)
        case .less: return try compare(.less, arguments)
        case .lessOrEqual: return try compare(.lessOrEqual, arguments)
        case .greater: return try compare(.greater, arguments)
        case .greaterOrEqual: return try compare(.greaterOrEqual, arguments)
        case .isDistinct: return try compare(.distinct, arguments)
        case .and: return try Kernels.and(try column(arguments[0]), try column(arguments[1]))
        case .or: return try Kernels.or(try column(arguments[0]), try column(arguments[1]))
        case .not: return try Kernels.not(try column(arguments[0]))
        case .isNull: return Kernels.isNull(try column(arguments[0]))
        case .isNotNull: return Kernels.isNotNull(try column(arguments[0]))
        case .coalesce: return try coalesce(arguments)
        case .add: return try arithmetic(.add, arguments)
        case .subtract: return try arithmetic(.subtract, arguments)
        case .multiply: return try arithmetic(.multiply, arguments)
        case .divide: return try arithmetic(.divide, arguments)
        case .remainder: return try arithmetic(.remainder, arguments)
        case .negate: return take(try Kernels.negate(try column(arguments[0])))
        case .absolute: return take(try Kernels.absolute(try column(arguments[0])))
        case .round(let scale, let mode): return take(try Kernels.round(try column(arguments[0]), toScale: scale, mode))
        case .least: return try extreme(.less, arguments)
        case .greatest: return try extreme(.greater, arguments)
        case .year: return try datePart(arguments[0]) { Int64(Temporal.year(ofDay: $0)) }
        case .month: return try datePart(arguments[0]) { Int64(Temporal.month(ofDay: $0)) }
        case .day: return try datePart(arguments[0]) { Int64(Temporal.dayOfMonth(ofDay: $0)) }
        case .toDate: return take(try Kernels.cast(try column(arguments[0]), to: .date32))
        case .jsonObject(let names): return try jsonObject(names, arguments)
        case .upper, .lower, .trim, .collapseWhitespace, .length, .concatenate, .contains, .startsWith, .endsWith,
            .replace,
            .substring, .matches:
            return try text(function, arguments)
        }
    }

    /// How many arguments a function takes.
    private func check(_ function: Function, _ arguments: [Formula]) throws {
        let count: ClosedRange<Int> =
            switch function {
            case .not, .isNull, .isNotNull, .negate, .absolute, .round, .upper, .lower, .trim, .collapseWhitespace,
                .length,
                .substring, .matches, .year, .month, .day, .toDate:
                1...1
            case .coalesce, .concatenate, .least, .greatest: 1...Int.max
            case .replace: 3...3
            case .jsonObject(let names): names.count...names.count
            default: 2...2
            }
        guard count.contains(arguments.count) else {
            throw HeadraceError(
                .schemaMismatch, "\(function) does not take \(arguments.count) arguments",
                fields: [("takes", "\(count)")])
        }
    }

    private mutating func compare(_ comparison: Comparison, _ arguments: [Formula]) throws -> ColumnVector {
        switch (try operand(arguments[0]), try operand(arguments[1])) {
        case (.column(let left), .column(let right)): return try Kernels.compare(left, comparison, right)
        case (.column(let left), .value(let right, let type)):
            try comparable(left.type, type)
            return try Kernels.compare(left, comparison, right)
        case (.value(let left, let type), .column(let right)):
            try comparable(type, right.type)
            return try Kernels.compare(right, comparison.flipped, left)
        case (.value, .value):
            return try Kernels.compare(try column(arguments[0]), comparison, try column(arguments[1]))
        }
    }

    private func comparable(_ left: DataType, _ right: DataType) throws {
        guard Kernels.areComparable(left, right) else {
            throw HeadraceError(
                .schemaMismatch, "\(left) and \(right) cannot be compared", hint: "cast one side to the other's type")
        }
    }

    private mutating func arithmetic(_ operation: Arithmetic, _ arguments: [Formula]) throws -> ColumnVector {
        switch (try operand(arguments[0]), try operand(arguments[1])) {
        case (.value, .value):
            return take(try Kernels.arithmetic(try column(arguments[0]), operation, try column(arguments[1])))
        case (let left, let right): return take(try Kernels.arithmetic(left, operation, right))
        }
    }

    /// The arguments as columns of one type: the first one's.
    private mutating func alike(_ arguments: [Formula]) throws -> [ColumnVector] {
        var columns: [ColumnVector] = []
        for argument in arguments {
            let column = try column(argument)
            guard let first = columns.first, column.type != first.type else {
                columns.append(column)
                continue
            }
            columns.append(take(try Kernels.cast(column, to: first.type)))
        }
        return columns
    }

    /// The least or greatest of the arguments that are not null.
    private mutating func extreme(_ comparison: Comparison, _ arguments: [Formula]) throws -> ColumnVector {
        let columns = try alike(arguments)
        var best = columns[0]
        for next in columns.dropFirst() {
            let wins = try Kernels.or(try Kernels.compare(next, comparison, best), Kernels.isNull(best))
            let known = try Kernels.and(wins, Kernels.isNotNull(next))
            best = Kernels.ifElse([(known, next)], otherwise: best)
        }
        return best
    }

    private mutating func datePart(_ argument: Formula, _ part: (Int32) -> Int64) throws -> ColumnVector {
        let days = take(try Kernels.cast(try column(argument), to: .date32))
        let view = days.unsafeView
        let builder = PrimitiveBuilder<Int64>(.int64, capacity: days.count)
        for row in 0..<days.count {
            if view.isValid(row) {
                builder.append(part(view.values(as: Int32.self)[row]))
            } else {
                builder.appendNull()
            }
        }
        return withExtendedLifetime(days) { builder.finish() }
    }

    /// One JSON object a row, members in the order given.
    private mutating func jsonObject(_ names: [String], _ arguments: [Formula]) throws -> ColumnVector {
        let columns = try arguments.map { try column($0) }
        let fields = zip(names, columns).map { Field($0, $1.type) }
        guard let schema = Schema(unique: fields) else {
            throw HeadraceError(.schemaMismatch, "a JSON object names a member twice")
        }
        let records = RecordBatch(schema: schema, columns: columns, count: batch.count)
        let builder = BytesBuilder(.json, capacity: batch.count, bytesPerValue: 64)
        for row in 0..<batch.count { builder.append(RowText.json(records, row: row)) }
        return builder.finish()
    }
}
