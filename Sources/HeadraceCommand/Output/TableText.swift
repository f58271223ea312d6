import HeadraceColumnar
import HeadraceCore

/// Rows as an aligned table of text.
enum TableText {
    /// Columns wider than this many characters are cut with an ellipsis.
    static let widest = 40

    static func render(header: [String], rows: [[String]], rightAligned: Set<Int> = []) -> String {
        let cells = ([header] + rows).map { row in row.map(shown) }
        let widths = header.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        let lines = cells.map { row in
            row.enumerated().map { index, cell in
                let padding = String(repeating: " ", count: widths[index] - cell.count)
                return rightAligned.contains(index) ? padding + cell : cell + padding
            }.joined(separator: "  ").trimmingTrailingSpaces
        }
        let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
        return ([lines[0], rule] + lines.dropFirst()).joined(separator: "\n") + "\n"
    }

    /// The rows of a batch, numbers to the right.
    static func render(_ records: RecordBatch) -> String {
        let numeric = records.schema.fields.enumerated().filter { $0.element.type.isNumeric }.map(\.offset)
        return render(
            header: records.schema.names, rows: (0..<records.count).map { records.row(at: $0).map(\.description) },
            rightAligned: Set(numeric))
    }

    private static func shown(_ cell: String) -> String {
        let line = String(cell.unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) })
        return line.count <= widest ? line : String(line.prefix(widest - 1)) + "…"
    }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        var end = endIndex
        while end > startIndex, self[index(before: end)] == " " { end = index(before: end) }
        return String(self[..<end])
    }
}
