extension ArithmeticWork {
    /// Integers with integers.
    func integers() -> KernelResult {
        if left.column.type == .uint64 || right.column.type == .uint64 {
            return narrow(wideIntegers(), from: Int128.self)
        }
        let result = wordIntegers()
        return type == .int64 ? result : narrow(result, from: Int64.self)
    }

    private func wordIntegers() -> KernelResult {
        let one = left.words(scale: 0)
        let other = right.words(scale: 0)
        switch operation {
        case .add: return exact(one, other) { $0.addingReportingOverflow($1) }
        case .subtract: return exact(one, other) { $0.subtractingReportingOverflow($1) }
        case .multiply: return exact(one, other) { $0.multipliedReportingOverflow(by: $1) }
        case .divide: return exact(one, other) { $0.dividedReportingOverflow(by: $1) }
        case .remainder: return exact(one, other) { Self.remainder($0, $1) }
        }
    }

    private func wideIntegers() -> KernelResult {
        let one = left.wides(scale: 0)
        let other = right.wides(scale: 0)
        switch operation {
        case .add: return exact(one, other) { $0.addingReportingOverflow($1) }
        case .subtract: return exact(one, other) { $0.subtractingReportingOverflow($1) }
        case .multiply: return exact(one, other) { $0.multipliedReportingOverflow(by: $1) }
        case .divide: return exact(one, other) { $0.dividedReportingOverflow(by: $1) }
        case .remainder: return exact(one, other) { Self.remainder($0, $1) }
        }
    }

    /// The remainder by -1 is 0 for the lowest integer too, where the machine reports an overflow.
    @inline(__always)
    static func remainder<T: FixedWidthInteger & SignedInteger>(_ left: T, _ right: T) -> (T, Bool) {
        if right == -1 { return (0, false) }
        let (value, overflows) = left.remainderReportingOverflow(dividingBy: right)
        return (value, overflows)
    }

    @inline(__always)
    private func exact<T: FixedWidthInteger & BitwiseCopyable>(
        _ one: TermValues<T>, _ other: TermValues<T>, _ compute: (T, T) -> (partialValue: T, overflow: Bool)
    ) -> KernelResult {
        let divides = operation == .divide || operation == .remainder
        return combine(one, other) { left, right in
            let (value, overflows) = compute(left, right)
            return (value, overflows)
        } reason: {
            divides && $1 == 0 ? .divisionByZero : .outOfRange
        }
    }

    /// The same results in the type of this operation; those that it does not hold fail too.
    ///
    /// `result` has the width of `T`, whatever the type of its column says.
    private func narrow<T: FixedWidthInteger & BitwiseCopyable>(_ result: KernelResult, from: T.Type) -> KernelResult {
        switch type.physical {
        case .int8: narrow(result, from, Int8.self)
        case .int16: narrow(result, from, Int16.self)
        case .int32: narrow(result, from, Int32.self)
        case .uint8: narrow(result, from, UInt8.self)
        case .uint16: narrow(result, from, UInt16.self)
        case .uint32: narrow(result, from, UInt32.self)
        case .uint64: narrow(result, from, UInt64.self)
        default: narrow(result, from, Int64.self)
        }
    }

    @inline(__always)
    private func narrow<T: FixedWidthInteger & BitwiseCopyable, R: FixedWidthInteger & BitwiseCopyable>(
        _ result: KernelResult, _: T.Type, _: R.Type
    ) -> KernelResult {
        let column = result.column
        let source = column.unsafeView.values(as: T.self)
        let out = MutableBuffer(capacity: count &* MemoryLayout<R>.stride)
        let target = out.values(as: R.self)
        var fails = false
        for row in 0..<count {
            let value = source[row]
            target[row] = R(truncatingIfNeeded: value)
            fails = fails || T(truncatingIfNeeded: target[row]) != value || (value < 0) != (target[row] < 0)
        }
        var failures = result.failures
        if fails {
            for row in 0..<count where column.isValid(row) && R(exactly: source[row]) == nil {
                failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: .outOfRange))
            }
            failures.sort { $0.row < $1.row }
        }
        withExtendedLifetime(column) {}
        return finish(out.finish(byteCount: count &* MemoryLayout<R>.stride), Validity(column), failures)
    }
}
