import Glibc
import HeadraceColumnar
import HeadraceCore

/// A batch as lines that the server reads, made by a worker, with the rows that no column of the table can hold.
public struct MySQLEncodedBatch: Sendable {
    let batch: Batch
    /// One line a row, values with tabs between them; empty for fact loads.
    let lines: [UInt8]
    /// Where each line ends, its line feed included.
    let ends: [Int]
    /// The batch's row of each line.
    let rows: [Int]
    let rejects: [Reject]
    /// For a mirror: the keys of all rows, of those that are refused too.
    let keys: Keys?
    /// For a mirror: how many rows have no key that the table could hold, so that nobody knows which row they were.
    var unknownKeys: Int { keys.map { batch.count - $0.lines.count } ?? 0 }

    /// Keys as lines of their own.
    final class Keys: Sendable {
        let lines: MySQLEncodedBatch
        init(_ lines: MySQLEncodedBatch) { self.lines = lines }
    }

    /// A batch for a fact load, which looks at the rows itself.
    init(facts batch: Batch) {
        self.batch = batch
        (lines, ends, rows, rejects) = ([], [], [], [])
        keys = nil
    }

    /// Encodes the columns of a batch as a plan says.
    init(_ batch: Batch, plan: MySQLTablePlan) {
        var misfits: [Int: (column: Int, misfit: MySQLMisfit)] = [:]
        let columns = plan.encoders.enumerated().map { index, encoder in
            var found: [MySQLMisfit] = []
            let column = encoder.encode(batch.records.columns[plan.fields[index]], misfits: &found)
            for misfit in found where misfits[misfit.row] == nil { misfits[misfit.row] = (index, misfit) }
            return column
        }
        for place in plan.required {
            let column = batch.records.columns[plan.fields[place]]
            for row in 0..<(column.nullCount > 0 ? batch.count : 0) where !column.isValid(row) && misfits[row] == nil {
                let what = place == plan.begin ? "the column that dates the row" : "a key column"
                misfits[row] = (place, MySQLMisfit(row: row, code: "missing", message: "\(what) is null"))
            }
        }
        self.batch = batch
        rows = misfits.isEmpty ? Array(0..<batch.count) : (0..<batch.count).filter { misfits[$0] == nil }
        (lines, ends) = Self.join(
            columns, escaped: plan.encoders.map(\.needsEscapes), rows: rows, numbered: plan.isStaged)
        rejects = misfits.sorted { $0.key < $1.key }.map { row, found in
            batch.reject(
                row: row, rule: "column \(plan.columns[found.column].text)", code: found.misfit.code,
                field: batch.records.schema.fields[plan.fields[found.column]].name, message: found.misfit.message)
        }
        keys = plan.mode.isMirror ? Keys(MySQLEncodedBatch(batch, plan: MySQLSeenKeys(plan).keyPlan)) : nil
    }

    /// How many lines there are.
    var count: Int { ends.count }

    func range(of line: Int) -> Range<Int> { (line == 0 ? 0 : ends[line - 1])..<ends[line] }

    /// Joins lines that follow each other.
    func pieces(of selected: [Int]) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        for line in selected {
            let range = range(of: line)
            if let last = pieces.last, last.upperBound == range.lowerBound {
                pieces[pieces.count - 1] = last.lowerBound..<range.upperBound
            } else {
                pieces.append(range)
            }
        }
        return pieces
    }

    private static func join(
        _ columns: [ColumnVector], escaped: [Bool], rows: [Int], numbered: Bool
    ) -> (lines: [UInt8], ends: [Int]) {
        let views = columns.map(\.unsafeView)
        // A backslash at most before each byte, and a tab or line feed after each value.
        var most = rows.count * (columns.count * 3 + 24)
        for (index, column) in columns.enumerated() {
            var bytes = 0
            for row in rows where views[index].isValid(row) { bytes += views[index].bytes(row).count }
            most += escaped[index] ? bytes * 2 : bytes
            withExtendedLifetime(column) {}
        }
        var ends = [Int](repeating: 0, count: rows.count)
        let lines = [UInt8](unsafeUninitializedCapacity: most) { buffer, used in
            guard var out = buffer.baseAddress else { return }
            let start = out
            for (line, row) in rows.enumerated() {
                if numbered {
                    out += IntegerText.format(Int64(line), into: UnsafeMutableRawPointer(out))
                    out.pointee = 0x09
                    out += 1
                }
                for index in views.indices {
                    if index > 0 {
                        out.pointee = 0x09
                        out += 1
                    }
                    guard views[index].isValid(row) else {
                        out[0] = 0x5c
                        out[1] = 0x4e
                        out += 2
                        continue
                    }
                    let bytes = views[index].bytes(row)
                    guard escaped[index] else {
                        if let base = bytes.baseAddress { memcpy(out, base, bytes.count) }
                        out += bytes.count
                        continue
                    }
                    for byte in bytes {
                        switch byte {
                        case 0x5c, 0x09, 0x0a, 0x0d, 0x00:
                            out[0] = 0x5c
                            out[1] =
                                switch byte {
                                case 0x09: 0x74
                                case 0x0a: 0x6e
                                case 0x0d: 0x72
                                case 0x00: 0x30
                                default: byte
                                }
                            out += 2
                        default:
                            out.pointee = byte
                            out += 1
                        }
                    }
                }
                out.pointee = 0x0a
                out += 1
                ends[line] = out - start
            }
            used = out - start
            withExtendedLifetime(columns) {}
        }
        return (lines, ends)
    }

    /// The values of a line as they were before they were escaped, nil for null; for prepared statements.
    func values(of line: Int) -> [[UInt8]?] {
        let range = range(of: line)
        var values: [[UInt8]?] = []
        var value: [UInt8] = []
        var isNull = false
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = lines[index]
            index += 1
            switch byte {
            case 0x09, 0x0a:
                values.append(isNull ? nil : value)
                (value, isNull) = ([], false)
            case 0x5c:
                let next = lines[index]
                index += 1
                switch next {
                case 0x4e: isNull = true
                case 0x74: value.append(0x09)
                case 0x6e: value.append(0x0a)
                case 0x72: value.append(0x0d)
                case 0x30: value.append(0x00)
                default: value.append(next)
                }
            default: value.append(byte)
            }
        }
        return values
    }
}
