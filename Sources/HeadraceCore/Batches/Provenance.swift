public import HeadraceColumnar

/// Where the rows of a batch came from, kept through filters and operators.
public struct Provenance: Sendable {
    private enum Storage: Sendable {
        case unknown(source: String)
        case chunk(any Origin, selection: Selection?)
        case columns(FileTable, rows: ColumnVector, lines: ColumnVector, offsets: ColumnVector)
    }

    /// The chunk's row of each row of the batch, after filters.
    private final class Selection: Sendable {
        let rows: [Int32]
        init(_ rows: [Int32]) { self.rows = rows }
    }

    private let storage: Storage
    /// The position of the source among the job's sources; the first part of every tie.
    public let sourceIndex: Int

    /// Rows of a chunk, in the chunk's order.
    public init(_ origin: any Origin, sourceIndex: Int = 0) {
        storage = .chunk(origin, selection: nil)
        self.sourceIndex = sourceIndex
    }

    /// Rows that no source row stands for: aggregates, generated rows.
    public static func derived(_ step: String) -> Provenance { Provenance(.unknown(source: step), sourceIndex: 0) }

    private init(_ storage: Storage, sourceIndex: Int) {
        self.storage = storage
        self.sourceIndex = sourceIndex
    }

    /// The same rows as belonging to source number `index` of the job.
    public func inSource(_ index: Int) -> Provenance { Provenance(storage, sourceIndex: index) }

    /// The place of row `row` of the batch.
    public func place(of row: Int) -> Place {
        switch storage {
        case .unknown(let source): return Place(source: source, row: row + 1)
        case .chunk(let origin, let selection): return origin.place(of: selection.map { Int($0.rows[row]) } ?? row)
        case .columns(let table, let rows, let lines, let offsets):
            let key = rows.unsafeView.values(as: Int64.self)[row]
            let line = lines.unsafeView.values(as: Int64.self)[row]
            let offset = offsets.unsafeView.values(as: Int64.self)[row]
            let (source, file) = table[Int(line >> 40)]
            let number = Int(line & 0xff_ffff_ffff)
            return Place(
                source: source, file: file, line: number == 0 ? nil : number,
                byteOffset: offset < 0 ? nil : Int(offset),
                row: Int(key & 0x7_ffff_ffff_ffff))
        }
    }

    /// The original record of row `row`, nil when the source does not keep it or a stateful operator lies between.
    public func original(of row: Int) -> [UInt8]? {
        guard case .chunk(let origin, let selection) = storage else { return nil }
        return origin.original(of: selection.map { Int($0.rows[row]) } ?? row)
    }

    /// The provenance of the rows `indices` of this batch, in that order.
    public func selecting(_ indices: UnsafeBufferPointer<Int32>) -> Provenance {
        switch storage {
        case .unknown: return self
        case .chunk(let origin, let selection):
            var rows = Array(indices)
            if let known = selection?.rows { for place in rows.indices { rows[place] = known[Int(rows[place])] } }
            return Provenance(.chunk(origin, selection: Selection(rows)), sourceIndex: sourceIndex)
        case .columns(let table, let rows, let lines, let offsets):
            func taken(_ column: ColumnVector) -> ColumnVector { Kernels.take(column, indices: indices) }
            return Provenance(
                .columns(table, rows: taken(rows), lines: taken(lines), offsets: taken(offsets)),
                sourceIndex: sourceIndex)
        }
    }

    // MARK: - Columns for stateful operators

    /// The names of the hidden columns that carry provenance through stateful operators.
    public static let columnNames = ["_headrace_row", "_headrace_line", "_headrace_offset"]
    /// The fields of the hidden columns.
    public static var fields: [Field] { columnNames.map { Field($0, .int64, nullable: false) } }

    /// The provenance of `count` rows as three int64 columns: source and ordinal (the tie rule: compare as integers),
    /// file and line, byte offset.
    public func columns(count: Int, files: FileTable) -> [ColumnVector] {
        if case .columns(_, let rows, let lines, let offsets) = storage { return [rows, lines, offsets] }
        let memory = (0..<3).map { _ in MutableColumn(count: count) }
        let (rows, lines, offsets) = (memory[0].values, memory[1].values, memory[2].values)
        let places = PlaceColumns(ordinals: rows, lines: lines, byteOffsets: offsets, count: count)
        if case .chunk(let origin, let selection) = storage, count > 0, origin.write(places, of: selection?.rows) {
            let first = place(of: 0)
            let file = Int64(files.index(source: first.source, file: first.file)) << 40
            let source = Int64(sourceIndex) << 51
            for row in 0..<count {
                rows[row] |= source
                lines[row] |= file
            }
        } else {
            var last: (source: String, file: String?, index: Int)?
            for row in 0..<count {
                let place = place(of: row)
                if last == nil || last?.file != place.file || last?.source != place.source {
                    last = (place.source, place.file, files.index(source: place.source, file: place.file))
                }
                rows[row] = Int64(sourceIndex) << 51 | Int64(place.row)
                lines[row] = Int64(last?.index ?? 0) << 40 | Int64(place.line ?? 0)
                offsets[row] = Int64(place.byteOffset ?? -1)
            }
        }
        return memory.map { $0.finish() }
    }

    /// An int64 column that is written through a pointer.
    private final class MutableColumn {
        let values: UnsafeMutablePointer<Int64>
        private let count: Int
        private var memory: MutableBuffer?

        init(count: Int) {
            let fresh = MutableBuffer(capacity: count &* 8)
            values = fresh.base.assumingMemoryBound(to: Int64.self)
            memory = consume fresh
            self.count = count
        }

        func finish() -> ColumnVector {
            guard let full = memory.take() else { preconditionFailure("a column is finished once") }
            return ColumnVector(type: .int64, count: count, nullCount: 0, values: full.finish(byteCount: count &* 8))
        }
    }

    /// Provenance read back from the columns that `columns(count:files:)` made.
    public init(columns: [ColumnVector], files: FileTable) {
        precondition(columns.count == 3, "provenance has three columns")
        storage = .columns(files, rows: columns[0], lines: columns[1], offsets: columns[2])
        sourceIndex = 0
    }
}
