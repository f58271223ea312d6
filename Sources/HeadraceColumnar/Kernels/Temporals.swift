extension Kernels {
    /// A part of a date or timestamp.
    public enum TemporalPart: String, Sendable, Hashable, CaseIterable {
        /// Of dates and timestamps, as the calendar counts them.
        case year, month, day
        /// Monday is 1, Sunday 7.
        case weekday
        /// Of timestamps and times of day only.
        case hour, minute, second
    }

    /// A part of each date, timestamp or time as an `int64`; null stays null. Timestamps with a zone are read in UTC.
    /// - Throws: `KernelError` when the type has no such part.
    public static func extract(_ part: TemporalPart, _ column: ColumnVector) throws(KernelError) -> ColumnVector {
        let ofDay: (@Sendable (Int32) -> Int)? =
            switch part {
            case .year: { Temporal.year(ofDay: $0) }
            case .month: { Temporal.month(ofDay: $0) }
            case .day: { Temporal.dayOfMonth(ofDay: $0) }
            case .weekday: { Temporal.weekday(ofDay: $0) }
            case .hour, .minute, .second: nil
            }
        let ofTime: @Sendable (Int64) -> Int =
            switch part {
            case .hour: { Temporal.hour(ofTime: $0) }
            case .minute: { Temporal.minute(ofTime: $0) }
            default: { Temporal.second(ofTime: $0) }
            }
        let plain = decoded(column)
        defer { withExtendedLifetime(plain) {} }
        switch (column.type, ofDay) {
        case (.date32, .some(let ofDay)):
            return map(plain, .int64) { (days: Int32) in (Int64(ofDay(days)), nil) }.column
        case (.timestamp, .some(let ofDay)):
            return map(plain, .int64) { (micros: Int64) in (Int64(ofDay(Temporal.day(ofTimestamp: micros))), nil) }
                .column
        case (.timestamp, nil):
            return map(plain, .int64) { (micros: Int64) in
                (Int64(ofTime(Temporal.timeOfDay(ofTimestamp: micros))), nil)
            }.column
        case (.time64, nil): return map(plain, .int64) { (micros: Int64) in (Int64(ofTime(micros)), nil) }.column
        default: throw KernelError(part.rawValue, unsupported: [column.type])
        }
    }

    /// The day of each timestamp, in UTC where it has a zone; a date is its own day, null stays null.
    /// - Throws: `KernelError` unless the column is of dates or timestamps.
    public static func toDate(_ column: ColumnVector) throws(KernelError) -> ColumnVector {
        switch column.type {
        case .date32: return column
        case .timestamp:
            let plain = decoded(column)
            defer { withExtendedLifetime(plain) {} }
            return map(plain, .date32) { (micros: Int64) in (Temporal.day(ofTimestamp: micros), nil) }.column
        default: throw KernelError("toDate", unsupported: [column.type])
        }
    }
}
