import HeadraceColumnar
import HeadraceCore

/// The rows of a `MemoryTable`, and what each mode does to them.
struct KeyedRows: Sendable {
    /// A mode for rows of one schema.
    struct Mode: Sendable {
        let mode: SinkMode
        let fault: MemoryTable.Fault?
        /// The columns that the rows fill, as the table calls them.
        let columns: [String]
        private let keys: [Int]
        /// Where rows say since when they hold; nil where the run dates them.
        let time: Int?
        /// The time of the run, in microseconds since 1970.
        let now: Int64

        init(_ mode: SinkMode, _ schema: Schema, now: Int64, fault: MemoryTable.Fault?) throws {
            self.mode = mode
            self.fault = fault
            self.now = now
            keys = mode.keys.compactMap { schema.index(of: $0) }
            guard !keys.isEmpty, keys.count == mode.keys.count else {
                throw HeadraceError(.unsupported, "a table in memory is written by keys, not by \(mode.name)")
            }
            if case .history(let keys, let history) = mode {
                columns = try history.renaming(schema, keys: keys).names
                time = history.effective.flatMap { schema.index(of: $0) }
            } else {
                columns = schema.names
                time = nil
            }
        }

        var isMirror: Bool { if case .mirror = mode { true } else { false } }

        /// The values that a row is found by.
        func key(_ row: [Scalar]) -> [Scalar] { keys.map { row[$0] } }
    }

    private(set) var columns: [String] = []
    /// The values, in the order of `columns`; those of a mode's rows come first.
    private var rows: [[Scalar]] = []

    func rows(_ names: [String]) -> [[Scalar]] {
        let places = names.map { columns.firstIndex(of: $0) }
        return rows.map { row in places.map { $0.map { row[$0] } ?? .null } }
    }

    /// Deletes the rows with other keys, and counts them.
    @discardableResult
    mutating func delete(but keys: Set<[Scalar]>, _ mode: Mode) -> Int {
        let kept = rows.filter { keys.contains(mode.key($0)) }
        let count = rows.count - kept.count
        if mode.fault != .deletesNothing { rows = kept }
        return count
    }

    mutating func apply(_ new: [[Scalar]], _ mode: Mode) -> WriteCounts {
        if case .history(_, let history) = mode.mode {
            let dated = mode.time == nil ? [history.from] : []
            if columns.isEmpty { columns = mode.columns + dated + [history.until, history.current] }
        } else if columns.isEmpty {
            columns = mode.columns
        }
        return new.reduce(WriteCounts()) { counts, row in
            if case .history = mode.mode { return counts + version(row, mode) }
            return counts + put(row, mode)
        }
    }

    private mutating func put(_ row: [Scalar], _ mode: Mode) -> WriteCounts {
        guard let place = rows.firstIndex(where: { mode.key($0) == mode.key(row) }) else {
            rows.append(row)
            return WriteCounts(inserted: 1)
        }
        if case .insert = mode.mode, mode.fault != .overwritesInserted { return WriteCounts(unchanged: 1) }
        let isSame = rows[place] == row
        if mode.fault != .leavesOldValues { rows[place] = row }
        if case .insert = mode.mode { return WriteCounts(unchanged: 1) }
        return isSame && mode.fault != .countsUnchangedAsUpdated ? WriteCounts(unchanged: 1) : WriteCounts(updated: 1)
    }

    // MARK: - Versions

    /// Lets a row take effect at its time: the columns `until` and `current` are the table's last two.
    private mutating func version(_ row: [Scalar], _ mode: Mode) -> WriteCounts {
        let from = mode.time ?? row.count
        let (until, current) = (columns.count - 2, columns.count - 1)
        var new = row + (mode.time == nil ? [.timestamp(mode.now)] : []) + [.null, .bool(true)]
        func values(_ version: [Scalar]) -> [Scalar] { row.indices.filter { $0 != from }.map { version[$0] } }
        let others = rows.indices.filter { mode.key(rows[$0]) == mode.key(row) }
        if let same = others.first(where: { rows[$0][from] == new[from] }) {
            guard values(rows[same]) != values(new) else { return WriteCounts(unchanged: 1) }
            for place in row.indices { rows[same][place] = row[place] }
            return WriteCounts(updated: 1)
        }
        let time = mode.fault == .ignoresTimes ? Int128.max : Self.number(new[from])
        let holding = others.first { place in
            Self.number(rows[place][from]) < time
                && (rows[place][until].isNull || Self.number(rows[place][until]) > time)
        }
        if let holding, values(rows[holding]) == values(new), mode.fault != .beginsEqualVersions {
            return WriteCounts(unchanged: 1)
        }
        let next = others.map { rows[$0][from] }.filter { Self.number($0) > time }.min {
            Self.number($0) < Self.number($1)
        }
        new[until] = holding.map { rows[$0][until] } ?? next ?? .null
        new[current] = .bool(new[until].isNull)
        if let holding, mode.fault != .leavesVersionsOpen {
            rows[holding][until] = new[from]
            rows[holding][current] = .bool(mode.fault == .marksAllCurrent)
        }
        rows.append(new)
        return WriteCounts(inserted: 1)
    }

    private static func number(_ time: Scalar) -> Int128 {
        switch time {
        case .integer(let value): value
        case .date(let value): Int128(value)
        case .timestamp(let value): Int128(value)
        default: 0
        }
    }
}
