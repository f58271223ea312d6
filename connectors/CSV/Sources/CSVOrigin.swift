import HeadraceColumnar
import HeadraceCore
import Synchronization

/// Knows the places of a chunk's records; lines are counted when somebody asks.
final class CSVOrigin: Origin {
    private let chunk: CSVChunk
    private let source: String
    private let file: String
    /// The last place asked for with its line, since rejects ask in order.
    private let last: Mutex<(offset: Int, line: Int)>

    init(_ chunk: CSVChunk, source: String, file: String) {
        self.chunk = chunk
        self.source = source
        self.file = file
        last = Mutex((0, chunk.firstLine))
    }

    func place(of row: Int) -> Place {
        let start = chunk.extent(of: row).lowerBound
        return Place(
            source: source, file: file, line: line(at: start), byteOffset: chunk.byteOffset + start,
            row: chunk.recordsBefore + row + 1)
    }

    func original(of row: Int) -> [UInt8]? {
        let extent = chunk.extent(of: row)
        return chunk.text.withBytes { Array($0[extent.lowerBound..<min(extent.upperBound, $0.count)]) }
    }

    func write(_ places: PlaceColumns, of rows: [Int32]?) -> Bool {
        let firstOrdinal = chunk.recordsBefore &+ 1
        var counted = (offset: 0, line: chunk.firstLine)
        for index in 0..<places.count {
            let row = rows.map { Int($0[index]) } ?? index
            let start = chunk.extent(of: row).lowerBound
            places.ordinals[index] = Int64(truncatingIfNeeded: firstOrdinal &+ row)
            places.byteOffsets[index] = Int64(truncatingIfNeeded: chunk.byteOffset &+ start)
            if let firstRecordLine = chunk.firstRecordLine {
                places.lines[index] = Int64(truncatingIfNeeded: firstRecordLine &+ row)
            } else {
                if start < counted.offset { counted = (0, chunk.firstLine) }
                counted.line += StructuralIndex.lineEnds(chunk.text.base, from: counted.offset, to: start)
                counted.offset = start
                places.lines[index] = Int64(truncatingIfNeeded: counted.line)
            }
        }
        return true
    }

    private func line(at offset: Int) -> Int {
        last.withLock { last in
            if offset < last.offset { last = (0, chunk.firstLine) }
            last.line += StructuralIndex.lineEnds(chunk.text.base, from: last.offset, to: offset)
            last.offset = offset
            return last.line
        }
    }
}
