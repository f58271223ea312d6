internal import Glibc

/// Where records begin and end.
extension JSONStreamCutter {
    /// Cuts lines; a chunk's last one waits for its line feed.
    mutating func cutLines(_ chunk: JSONChunk, _ start: Int, _ records: inout [JSONRecordBounds]) -> Int {
        var i = start
        while i < chunk.count {
            if recordStart < 0 {
                i = beginRecord(chunk, from: i, to: chunk.count)
                if recordStart < 0 { return chunk.count }
            }
            guard let found = memchr(chunk.base + i, 0x0A, chunk.count &- i) else { return chunk.count }
            let end = UnsafeRawPointer(found) - chunk.base
            endRecord(at: trimmedEnd(chunk, end), &records)
            // A line holds no other line feed, and those before it have been counted.
            line &+= 1
            countedTo = chunk.start &+ end &+ 1
            i = end &+ 1
        }
        return i
    }

    /// Cuts the elements of the array that is open, until its bracket; whatever stands between two commas outside
    /// strings and inner brackets is one.
    mutating func cutElements(
        _ chunk: JSONChunk, _ start: Int, _ records: inout [JSONRecordBounds]
    ) throws(JSONError) -> Int {
        var depth = skipper.depth
        var strings = skipper.strings
        var unsought = start
        var i = start
        while i < chunk.count {
            let count = min(64, chunk.count &- i)
            let block = count == 64 ? JSONBlock(chunk.base + i) : JSONBlock(chunk.base + i, count: count)
            let outside = strings.outside(block, count: count)
            let brackets = block.brackets
            let openers = brackets.openers & outside
            let closers = brackets.closers & outside
            let closing = closers.nonzeroBitCount
            if depth > closing &+ 1 {
                depth &+= openers.nonzeroBitCount &- closing
                i &+= count
                continue
            }
            let inner = openers | closers
            let all = inner | block.commas & outside
            var rest = ~UInt64(0)
            while true {
                let candidates = (depth == 1 ? all : inner) & rest
                if candidates == 0 { break }
                let bit = candidates & (0 &- candidates)
                rest = ~(bit | (bit &- 1))
                if openers & bit != 0 {
                    depth &+= 1
                    continue
                }
                let place = i &+ bit.trailingZeroBitCount
                let isClosing = closers & bit != 0
                if isClosing {
                    depth &-= 1
                    if depth > 0 { continue }
                    guard chunk[place] == 0x5D else {
                        throw fail(chunk, place, expected: "',' or ']' after an element")
                    }
                }
                try endElement(chunk, from: unsought, at: place, isLast: isClosing, &records)
                unsought = place &+ 1
                if isClosing {
                    skipper = JSONContainerSkipper()
                    valueEnded()
                    return place &+ 1
                }
            }
            i &+= count
        }
        skipper.depth = depth
        skipper.strings = strings
        if recordStart < 0 { _ = beginRecord(chunk, from: unsought, to: chunk.count) }
        return chunk.count
    }

    private mutating func endElement(
        _ chunk: JSONChunk, from start: Int, at end: Int, isLast: Bool, _ records: inout [JSONRecordBounds]
    ) throws(JSONError) {
        if recordStart < 0 { _ = beginRecord(chunk, from: start, to: end) }
        if recordStart < 0 {
            guard isLast, !hasElements || allowsTrailingCommas else { throw fail(chunk, end, expected: "a value") }
            return
        }
        hasElements = true
        endRecord(at: trimmedEnd(chunk, end), &records)
    }

    /// Begins a record at the first byte that is not white space (nor, before a line, a record separator), if there is
    /// one, and returns where it stopped.
    @inline(__always)
    mutating func beginRecord(_ chunk: JSONChunk, from start: Int, to end: Int) -> Int {
        var i = start
        while i < end, JSONBytes.isBlank(chunk[i]) || (chunk[i] == 0x1E && phase == .line) { i &+= 1 }
        if i < end {
            countLines(chunk, upTo: chunk.start &+ i)
            recordStart = chunk.start &+ i
            recordLine = line
        }
        return i
    }

    /// Reports the record begun, which ends before an offset of the stream.
    @inline(__always)
    mutating func endRecord(at end: Int, _ records: inout [JSONRecordBounds]) {
        let length = end &- recordStart
        records.append(
            JSONRecordBounds(
                offset: recordStart, length: length, line: recordLine, ordinal: recordCount,
                isOversized: length > maximumRecordBytes))
        recordCount &+= 1
        recordStart = -1
    }

    /// The stream's offset after the record's last byte before `end` that is not white space.
    @inline(__always)
    func trimmedEnd(_ chunk: JSONChunk, _ end: Int) -> Int {
        let low = max(recordStart &- chunk.start, 0)
        var i = end
        while i > low, JSONBytes.isBlank(chunk[i &- 1]) { i &-= 1 }
        return i > low ? chunk.start &+ i : recordEnd
    }

    /// Counts the line feeds before an offset of the stream that have not been counted.
    @inline(__always)
    mutating func countLines(_ chunk: JSONChunk, upTo end: Int) {
        let first = countedTo &- chunk.start
        let limit = end &- chunk.start
        guard first < limit else { return }
        line &+= JSONBytes.count(0x0A, chunk.base + first, limit &- first)
        countedTo = end
    }
}
