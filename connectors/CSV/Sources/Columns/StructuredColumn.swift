import HeadraceColumnar
import HeadraceCore

/// Columns whose cells hold more than a plain value: JSON documents, lists and structs as JSON, binary as hexadecimal.
enum StructuredColumn {
    /// JSON text, checked and kept as it stands.
    static func decodeJSON(_ cells: ColumnCells, _ failures: inout [CellFailure]) -> ColumnVector {
        // Built before JSON is checked, so that quotes are undone once; a bad document never leaves this file.
        let text = TextColumn.decode(as: .json, cells, &failures)
        let view = text.unsafeView
        for row in 0..<text.count where view.isValid(row) && !JSONTokenizer.isDocument(view.bytes(row)) {
            failures.append(CellFailure(row: Int32(truncatingIfNeeded: row), problem: .notJSON))
        }
        return withExtendedLifetime(text) { text }
    }

    /// Lists and structs.
    static func decodeNested(_ type: DataType, _ cells: ColumnCells, _ failures: inout [CellFailure]) -> ColumnVector {
        let builder = makeBuilder(for: type, capacity: cells.rows)
        decode(cells, &failures, builder) { text in
            guard let value = try? JSONValue.parse(text) else { return .notJSON }
            guard let scalar = JSONScalar.scalar(value, type), builder.append(scalar) else { return .wrongShape }
            return nil
        }
        return builder.finish()
    }

    /// Bytes as pairs of hexadecimal digits, with or without `0x` before them.
    static func decodeBinary(_ cells: ColumnCells, _ failures: inout [CellFailure]) -> ColumnVector {
        let builder = BytesBuilder(.binary, capacity: cells.rows)
        decode(cells, &failures, builder) { text in
            guard let bytes = text.withUnsafeBytes({ HexText.bytes($0) }) else { return .notHexadecimal }
            bytes.withUnsafeBytes { builder.append($0) }
            return nil
        }
        return builder.finish()
    }

    /// Calls `append` with the text of every cell that is not null; it appends a value or gives the problem.
    private static func decode(
        _ cells: ColumnCells, _ failures: inout [CellFailure], _ builder: any ColumnBuilder,
        _ append: ([UInt8]) -> CellProblem?
    ) {
        for row in 0..<cells.rows {
            let (start, end) = (cells.start(row), cells.end(row))
            let isNull = start == end || !cells.isQuoted(start, end) && cells.isNullText(start, end)
            let problem = isNull ? (cells.isRequired ? .missing : nil) : append(cells.contents(row))
            if isNull || problem != nil { builder.appendNull() }
            if let problem { failures.append(CellFailure(row: Int32(truncatingIfNeeded: row), problem: problem)) }
        }
    }
}
