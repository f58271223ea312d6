extension Kernels {
    /// The same values as another type; null stays null.
    ///
    /// Nothing is lost silently: a value that the type does not hold exactly fails its row. With a rounding mode, decimals and floats
    /// may lose digits on the way to integers and decimals, numbers become the nearest float, and a timestamp the day it lies on. Text
    /// is read and written as `IntegerText`, `DecimalText`, `DoubleText`, `BooleanText`, `DateText`, `TimeText` and
    /// `TimestampText` say; spaces around it are not trimmed. Between floats and decimals the shortest decimal that names the float
    /// counts (0.1 is 0.1), between floats and integers the exact value.
    /// Booleans are the integers 0 and 1, dates the timestamps at midnight, binary values the UTF-8 text they hold. A list
    /// or struct fails when a value inside does.
    ///
    /// Text keeps its dictionary; other types are computed once per dictionary entry and come out plain.
    /// - Throws: `KernelError` when `canCast` says no.
    public static func cast(
        _ column: ColumnVector, to type: DataType, rounding: RoundingMode? = nil
    ) throws(KernelError) -> KernelResult {
        if column.type == type { return KernelResult(column: column, failures: []) }
        guard canCast(column.type, to: type) else {
            throw KernelError("a cast", unsupported: [column.type, type])
        }
        return casted(column, type, rounding)
    }

    /// Whether `cast` is defined from the one type to the other, whatever the values.
    public static func canCast(_ source: DataType, to target: DataType) -> Bool {
        if source == target { return true }
        switch (source, target) {
        case (.list(let one), .list(let other)): return canCast(one.type, to: other.type)
        case (.struct(let one), .struct(let other)):
            return one.count == other.count && zip(one, other).allSatisfy { canCast($0.type, to: $1.type) }
        case (.list, _), (.struct, _), (_, .list), (_, .struct): return false
        case (_, .json): return false
        case (.json, _): return target == .utf8 || target == .binary
        case (.utf8, _), (_, .utf8): return true
        case (.binary, _), (_, .binary): return false
        case (.timestamp(let one), .timestamp(let other)):
            return (one == nil) == (other == nil) || (one ?? "UTC") == (other ?? "UTC")
        case (.date32, .timestamp(let zone)), (.timestamp(let zone), .date32): return zone ?? "UTC" == "UTC"
        case (.bool, _): return target.isInteger
        case (_, .bool): return source.isInteger
        default: return source.isNumeric && target.isNumeric
        }
    }

    private static func casted(_ column: ColumnVector, _ type: DataType, _ rounding: RoundingMode?) -> KernelResult {
        if column.type == type { return KernelResult(column: column, failures: []) }
        if let dictionary = column.dictionary {
            if type == .binary || (column.type == .json && type == .utf8) {
                return KernelResult(column: column.viewed(as: type), failures: [])
            }
            if dictionary.count <= column.count { return spread(casted(dictionary, type, rounding), over: column) }
            return casted(decoded(column), type, rounding)
        }
        switch (column.type, type) {
        case (_, .binary), (.json, .utf8): return KernelResult(column: column.viewed(as: type), failures: [])
        case (_, .utf8): return CastToText(column: column).run()
        case (.utf8, _): return CastFromText(column: column, type: type).run()
        case (.bool, _): return casted(bytes(ofBooleans: column), type, rounding)
        case (_, .bool): return booleans(ofIntegers: column)
        case (.timestamp, .timestamp): return KernelResult(column: column.viewed(as: type), failures: [])
        case (.date32, .timestamp): return midnights(column, type)
        case (.timestamp, .date32): return days(column, rounding)
        case (.list(_), .list(let element)): return lists(column, element, rounding)
        case (.struct(_), .struct(let fields)): return structs(column, fields, rounding)
        default: return CastNumbers(column: column, type: type, rounding: rounding).run()
        }
    }

    /// The results for dictionary entries at the rows that have these entries.
    private static func spread(_ entries: KernelResult, over column: ColumnVector) -> KernelResult {
        let view = column.unsafeView
        let rows = MutableBuffer(capacity: column.count &* 4)
        let target = rows.values(as: Int32.self)
        for row in 0..<column.count { target[row] = view.isValid(row) ? Int32(truncatingIfNeeded: view.key(row)) : -1 }
        let result = takeNullable(
            entries.column, indices: UnsafeBufferPointer(start: target, count: column.count))
        var failures: [RowFailure] = []
        if !entries.failures.isEmpty {
            var reasons = [RowFailure.Reason?](repeating: nil, count: entries.column.count)
            for failure in entries.failures { reasons[Int(failure.row)] = failure.reason }
            for row in 0..<column.count where target[row] >= 0 {
                guard let reason = reasons[Int(target[row])] else { continue }
                failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: reason))
            }
        }
        _ = consume rows
        return KernelResult(column: result, failures: failures)
    }

    private static func bytes(ofBooleans column: ColumnVector) -> ColumnVector {
        let view = column.unsafeView
        let out = MutableBuffer(capacity: column.count)
        let target = out.values(as: UInt8.self)
        for row in 0..<column.count { target[row] = view.bool(row) ? 1 : 0 }
        let validity = Validity(column)
        return ColumnVector(
            type: .uint8, count: column.count, nullCount: validity.nullCount, validity: validity.buffer,
            values: out.finish(byteCount: column.count))
    }

    private static func booleans(ofIntegers column: ColumnVector) -> KernelResult {
        let values = NumericReader(column).wides(scale: 0)
        let source = values.base.assumingMemoryBound(to: Int128.self)
        var failures: [RowFailure] = []
        let bits = Bitmap.build(column.count) { source[$0] == 1 }
        for row in 0..<column.count where source[row] &>> 1 != 0 && column.isValid(row) {
            failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: .outOfRange))
        }
        withExtendedLifetime(values) {}
        return result(.bool, column, bits, failures)
    }

    private static func midnights(_ column: ColumnVector, _ type: DataType) -> KernelResult {
        map(column, type) { (days: Int32) in
            guard let start = Temporal.timestamp(ofDay: days) else { return (Int64(0), .outOfRange) }
            return (start, nil)
        }
    }

    private static func days(_ column: ColumnVector, _ rounding: RoundingMode?) -> KernelResult {
        map(column, .date32) { (microseconds: Int64) in
            let day = Temporal.day(ofTimestamp: microseconds)
            if rounding == nil && Temporal.timeOfDay(ofTimestamp: microseconds) != 0 { return (day, .inexact) }
            return (day, nil)
        }
    }

    private static func lists(_ column: ColumnVector, _ element: Field, _ rounding: RoundingMode?) -> KernelResult {
        let inner = casted(column.children[0], element.type, rounding)
        let view = column.unsafeView
        var failures: [RowFailure] = []
        var next = 0
        for row in 0..<column.count where !inner.failures.isEmpty && view.isValid(row) {
            // Lists lie one after the other, and so do the failures.
            while next < inner.failures.count && inner.failures[next].row < view.textOffset(row) { next += 1 }
            guard next < inner.failures.count, inner.failures[next].row < view.textOffset(row + 1) else { continue }
            failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: inner.failures[next].reason))
        }
        return nested(column, .list(element), [inner.column], failures)
    }

    private static func structs(_ column: ColumnVector, _ fields: [Field], _ rounding: RoundingMode?) -> KernelResult {
        var reasons: [Int32: RowFailure.Reason] = [:]
        let children = zip(column.children, fields).map { child, field in
            let inner = casted(child, field.type, rounding)
            for failure in inner.failures where reasons[failure.row] == nil { reasons[failure.row] = failure.reason }
            return inner.column
        }
        let failures = (0..<column.count).compactMap { row -> RowFailure? in
            guard column.isValid(row), let reason = reasons[Int32(truncatingIfNeeded: column.offset + row)] else {
                return nil
            }
            return RowFailure(row: Int32(truncatingIfNeeded: row), reason: reason)
        }
        return nested(column, .struct(fields), children, failures)
    }

    private static func nested(
        _ column: ColumnVector, _ type: DataType, _ children: [ColumnVector], _ failures: [RowFailure]
    ) -> KernelResult {
        if failures.isEmpty {
            let same = ColumnVector(
                type: type, count: column.count, offset: column.offset, nullCount: column.nullCount,
                validity: column.validity, offsets: column.offsets, children: children)
            return KernelResult(column: same, failures: [])
        }
        let validity = Validity(column).removing(failures, count: column.count)
        // The result starts at bit 0 of its validity, so that everything else has to as well.
        let whole = ColumnVector(
            type: type, count: column.offset + column.count, nullCount: 0, offsets: column.offsets, children: children)
        let moved = take(
            whole, RowSelection((0..<column.count).map { Int32(truncatingIfNeeded: column.offset + $0) }))
        let result = ColumnVector(
            type: type, count: column.count, nullCount: validity.nullCount, validity: validity.buffer,
            offsets: moved.offsets, children: moved.children)
        return KernelResult(column: result, failures: failures)
    }

    /// Converts fixed-width values one by one; a reason makes a valid row fail.
    @inline(__always)
    static func map<In: BitwiseCopyable, Out: BitwiseCopyable>(
        _ column: ColumnVector, _ type: DataType, _ convert: (In) -> (Out, RowFailure.Reason?)
    ) -> KernelResult {
        let source = column.unsafeView.values(as: In.self)
        let out = MutableBuffer(capacity: column.count &* MemoryLayout<Out>.stride)
        let target = out.values(as: Out.self)
        var failures: [RowFailure] = []
        for row in 0..<column.count {
            let (value, reason) = convert(source[row])
            target[row] = value
            if let reason, column.isValid(row) {
                failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: reason))
            }
        }
        return result(type, column, out.finish(byteCount: column.count &* MemoryLayout<Out>.stride), failures)
    }

    /// A column of `values` with the nulls of `column` and of the failures.
    static func result(
        _ type: DataType, _ column: ColumnVector, _ values: Buffer, _ failures: [RowFailure]
    ) -> KernelResult {
        let validity = Validity(column).removing(failures, count: column.count)
        return KernelResult(
            column: ColumnVector(
                type: type, count: column.count, nullCount: validity.nullCount, validity: validity.buffer,
                values: values),
            failures: failures)
    }
}
