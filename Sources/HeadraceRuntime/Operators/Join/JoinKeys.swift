import HeadraceColumnar
import HeadraceCore

/// The key columns of one side of a join, brought to the types in which both sides are compared.
struct JoinKeys: Sendable {
    /// Positions of the key columns.
    let columns: [Int]
    /// The type in which each is compared.
    let types: [DataType]

    /// The keys of both sides.
    ///
    /// Integers are compared with integers and decimals by value, whatever their widths and scales, floats with floats, text
    /// with JSON by bytes; other types with themselves.
    /// - Throws: `schemaMismatch` when a column is missing or two keys are not comparable.
    static func both(
        _ specification: JoinSpecification, left: Schema, right: Schema
    ) throws -> (left: JoinKeys, right: JoinKeys) {
        let leftCheck = SchemaCheck(step: specification.step, schema: left, role: "left input")
        let rightCheck = SchemaCheck(step: specification.step, schema: right, role: "right input")
        guard specification.leftKeys.count == specification.rightKeys.count, !specification.leftKeys.isEmpty else {
            throw HeadraceError(
                .schemaMismatch,
                "step \(specification.step) joins \(specification.leftKeys.count) left keys with "
                    + "\(specification.rightKeys.count) right keys",
                hint: "name as many keys on the right as on the left, at least one")
        }
        let leftColumns = try leftCheck.positions(of: specification.leftKeys, for: "a key")
        let rightColumns = try rightCheck.positions(of: specification.rightKeys, for: "a key")
        var leftTypes: [DataType] = []
        var rightTypes: [DataType] = []
        for (one, other) in zip(leftColumns, rightColumns) {
            let leftField = left.fields[one]
            let rightField = right.fields[other]
            guard let (leftType, rightType) = common(leftField.type, rightField.type) else {
                throw HeadraceError(
                    .schemaMismatch,
                    "step \(specification.step) cannot compare left key \"\(leftField.name)\" (\(leftField.type)) with "
                        + "right key \"\(rightField.name)\" (\(rightField.type))",
                    hint: "cast one of them before the step")
            }
            leftTypes.append(leftType)
            rightTypes.append(rightType)
        }
        return (JoinKeys(columns: leftColumns, types: leftTypes), JoinKeys(columns: rightColumns, types: rightTypes))
    }

    /// The types to which a left and a right key are cast, nil when they are not comparable.
    private static func common(_ left: DataType, _ right: DataType) -> (DataType, DataType)? {
        if left == right { return (left, right) }
        switch (left, right) {
        case (.timestamp(let one), .timestamp(let other)): return (one == nil) == (other == nil) ? (left, right) : nil
        case (.float32, .float64), (.float64, .float32): return (.float64, .float64)
        case _ where left.isText && right.isText: return (left, right)
        case _ where left.isInteger && right.isInteger && left != .uint64 && right != .uint64:
            return (.int64, .int64)
        default:
            guard left.integerDigits != nil, right.integerDigits != nil else { return nil }
            // A value that has too many digits for this scale equals none of the other side.
            let type = DataType.decimal(precision: 38, scale: max(left.fractionDigits, right.fractionDigits))
            return (type, type)
        }
    }

    /// The key values of rows, by the columns of the rows; those that have no equal on the other side are null.
    func values(_ all: [ColumnVector]) -> [ColumnVector] {
        zip(columns, types).map { index, type in
            guard all[index].type != type else { return all[index] }
            guard let result = try? Kernels.cast(all[index], to: type) else {
                preconditionFailure("a join key became another type than the one it was checked for")
            }
            return result.column
        }
    }

    /// The rows without a null in `values`; nil when that is all of them.
    static func complete(_ values: [ColumnVector]) -> [Int32]? {
        let nullable = values.filter { $0.nullCount > 0 }
        if nullable.isEmpty { return nil }
        let views = nullable.map(\.unsafeView)
        var rows: [Int32] = []
        for row in 0..<values[0].count where views.allSatisfy({ $0.isValid(row) }) {
            rows.append(Int32(truncatingIfNeeded: row))
        }
        return withExtendedLifetime(nullable) { rows }
    }
}
