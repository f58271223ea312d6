extension ArithmeticWork {
    /// Dates, times and timestamps with each other and with whole days or microseconds.
    func temporals() -> KernelResult {
        if type == .date32 {
            let one = left.units()
            let other = right.units()
            return combine(one, other) { left, right in
                let (value, overflows) =
                    operation == .add
                    ? left.addingReportingOverflow(right) : left.subtractingReportingOverflow(right)
                let days = Int32(truncatingIfNeeded: value)
                return (days, overflows || Int64(days) != value)
            } reason: { _, _ in
                .outOfRange
            }
        }
        return combine(left.units(), right.units()) { left, right in
            let (value, overflows) =
                operation == .add
                ? left.addingReportingOverflow(right) : left.subtractingReportingOverflow(right)
            return (value, overflows)
        } reason: { _, _ in
            .outOfRange
        }
    }
}

extension Term {
    /// Days of dates, microseconds of times and timestamps, integers as they are.
    fileprivate func units() -> TermValues<Int64> {
        switch column.type {
        case .date32: TermValues(NumericReader(column.viewed(as: .int32)).words(scale: 0), isConstant)
        case .time64, .timestamp: TermValues(NumericReader(column.viewed(as: .int64)).words(scale: 0), isConstant)
        default: words(scale: 0)
        }
    }
}

extension ColumnVector {
    /// The same buffers under another type of the same layout.
    func viewed(as type: DataType) -> ColumnVector {
        precondition(type.layout == self.type.layout, "\(self.type) is not laid out as \(type)")
        return ColumnVector(
            type: type, count: count, offset: offset, nullCount: nullCount, validity: validity, values: values,
            offsets: offsets, children: children,
            dictionary: dictionary.map { $0.viewed(as: type) })
    }
}
