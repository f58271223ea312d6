/// Cuts a stream of JSON into records as its chunks arrive.
///
/// A chunk may end at any byte. The cutter keeps no bytes, only its state: it reports where records lie in the stream,
/// and ``retainedFrom`` says from where its caller has to keep bytes for the record that is not over yet. It looks at
/// structure only (strings, brackets, commas, and the names along a record path): what a record holds is checked by
/// who reads it, and what lies outside the records is not checked beyond that. A stream that ends inside a container
/// is an error. After an error the cutter is spent.
///
/// Comments are not understood: pass the chunks through ``JSONCommentBlanker`` first where they are allowed.
package struct JSONStreamCutter: Sendable {
    /// How records lie in the stream.
    package enum Layout: Sendable, Hashable {
        /// One per line (NDJSON, JSON Lines); blank lines are none. A broken record harms no other.
        case lines
        /// Documents one after the other, with or without white space or record separators (RFC 7464) between them.
        case documents
        /// One document, with records where a path leads.
        case records(at: JSONRecordPath)
    }

    enum Phase: Sendable {
        case byteOrderMark, line, value, skippedValue, memberOrEnd, member, name, colon, elementOrEnd, element,
            afterValue, records, container, string, scalar, done
    }

    /// A container along the record path that is open.
    struct Frame: Sendable {
        var isObject: Bool
        var index = 0
    }

    let layout: Layout
    let path: JSONRecordPath
    let allowsTrailingCommas: Bool
    let maximumRecordBytes: Int

    var phase: Phase
    var markBytes = 0
    var frames: [Frame] = []
    var skipper = JSONContainerSkipper()
    /// Whether the container, string or scalar being passed is a record.
    var isRecord = false
    /// Whether the next byte of a name or string is escaped.
    var isEscaped = false
    var name: [UInt8] = []
    var nameMatches = false
    /// Whether the array of records that is open has had an element.
    var hasElements = false
    /// How many steps of the path have been met at most, and whether all have.
    var deepest = 0
    var isFound = false

    /// Where the record begun lies, -1 when none is.
    var recordStart = -1
    var recordLine = 1
    /// After the record's last byte so far that is not white space; for bytes of earlier chunks.
    var recordEnd = 0
    /// The line at the offset up to which lines have been counted.
    var line: Int
    var countedTo: Int

    /// Bytes of the stream that have been passed.
    package internal(set) var offset: Int
    /// Records reported so far.
    package internal(set) var recordCount: Int

    /// Creates a cutter at the start of a stream, or at a position that another one reported for the same stream; the
    /// first chunk begins at that offset then.
    ///
    /// A record of more than `maximumRecordBytes` is reported with ``JSONRecordBounds/isOversized``.
    package init(
        _ layout: Layout, from position: JSONCutPosition = JSONCutPosition(), allowsTrailingCommas: Bool = false,
        maximumRecordBytes: Int = 64 << 20
    ) {
        self.layout = layout
        if case .records(let path) = layout { self.path = path } else { path = .root }
        self.allowsTrailingCommas = allowsTrailingCommas
        self.maximumRecordBytes = maximumRecordBytes
        offset = position.offset
        countedTo = position.offset
        line = position.line
        recordCount = position.ordinal
        phase = layout == .lines ? .line : .value
        if position.offset == 0 { phase = .byteOrderMark }
        if let trail = position.trail {
            frames = trail.map { Frame(isObject: $0 < 0, index: max($0, 0)) }
            phase = .records
            isFound = true
            hasElements = position.hasElements
        }
        if position.isComplete {
            phase = .done
            isFound = true
        }
    }

    /// The offset from which the stream's bytes are still needed; ``offset`` when none are.
    package var retainedFrom: Int {
        if phase == .byteOrderMark { return offset &- markBytes }
        guard recordStart >= 0, offset &- recordStart <= maximumRecordBytes else { return offset }
        return recordStart
    }

    /// Where another cutter can go on: before the record that is not over, else here. Nil along the way to the
    /// records, between two arrays of them for instance.
    package var position: JSONCutPosition? {
        if phase == .byteOrderMark { return JSONCutPosition() }
        let start = recordStart >= 0 ? recordStart : offset
        var position = JSONCutPosition(
            offset: start, line: recordStart >= 0 ? recordLine : line, ordinal: recordCount)
        guard case .records = layout else { return position }
        switch phase {
        case .records:
            position.trail = frames.map { $0.isObject ? -1 : $0.index }
            position.hasElements = hasElements
        case .done: position.isComplete = true
        default: return nil
        }
        return position
    }

    /// Whether any number of records may follow, none too.
    private var isOpenEnded: Bool {
        if case .records = layout { return false }
        return true
    }

    /// Passes the next bytes of the stream and appends the records that end in them.
    ///
    /// - Throws: ``JSONError`` with offset and line in the stream; records that ended before have been appended.
    package mutating func scan(
        _ bytes: UnsafeRawBufferPointer, into records: inout [JSONRecordBounds]
    ) throws(JSONError) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        let chunk = JSONChunk(base: base, count: bytes.count, start: offset)
        var i = 0
        while i < chunk.count {
            switch phase {
            case .byteOrderMark: i = try passByteOrderMark(chunk, i)
            case .line: i = cutLines(chunk, i, &records)
            case .records: i = try cutElements(chunk, i, &records)
            case .container: i = passContainer(chunk, i, &records)
            case .string: i = passString(chunk, i, &records)
            case .scalar: i = passScalar(chunk, i, &records)
            case .name: i = passName(chunk, i)
            default: i = try navigate(chunk, i)
            }
        }
        if recordStart >= 0 { recordEnd = trimmedEnd(chunk, chunk.count) }
        countLines(chunk, upTo: chunk.end)
        offset = chunk.end
    }

    /// Ends the stream: a line or number at its very end is a record, and whatever is open is an error.
    ///
    /// - Throws: ``JSONError`` with code `unexpectedEnd` when the stream stops inside a value, or with
    ///   `recordPathNotFound` when the document has nothing at the record path.
    package mutating func finish(into records: inout [JSONRecordBounds]) throws(JSONError) {
        switch phase {
        case .byteOrderMark where markBytes > 0 && isOpenEnded:
            recordStart = 0
            endRecord(at: markBytes, &records)
        case .line where recordStart >= 0: endRecord(at: recordEnd, &records)
        case .scalar where frames.isEmpty:
            if isRecord { endRecord(at: recordEnd, &records) }
            phase = .done
        default: break
        }
        if isOpenEnded {
            guard phase == .container || phase == .string else { return }
            throw failEnd()
        }
        guard phase == .done else { throw failEnd() }
        guard isFound else {
            let missing = path.prefix(deepest + 1)
            throw JSONError(
                .recordPathNotFound, "record path \(path.text) leads to nothing, the document has no \(missing)",
                offset: offset, line: line, column: nil)
        }
    }

    private mutating func passByteOrderMark(_ chunk: JSONChunk, _ start: Int) throws(JSONError) -> Int {
        let mark: [3 of UInt8] = [0xEF, 0xBB, 0xBF]
        var i = start
        while i < chunk.count, markBytes < 3, chunk[i] == mark[markBytes] {
            markBytes += 1
            i += 1
        }
        guard i < chunk.count || markBytes == 3 else { return i }
        phase = layout == .lines ? .line : .value
        if markBytes == 0, chunk[i] == 0 || chunk[i] >= 0xFE {
            throw failure(.wrongEncoding, "the stream looks like UTF-16 or UTF-32, JSON is read as UTF-8", chunk, i)
        }
        if markBytes == 1 || markBytes == 2 { try beginBrokenMark(chunk, i) }
        return i
    }

    /// What began like a byte order mark is the beginning of a broken record, where there can be one.
    private mutating func beginBrokenMark(_ chunk: JSONChunk, _ i: Int) throws(JSONError) {
        if case .records = layout {
            throw failure(.invalidUTF8, "expected a value or a byte order mark, found a part of a mark", chunk, i)
        }
        recordStart = 0
        recordEnd = markBytes
        isRecord = true
        if layout == .documents { phase = .scalar }
    }
}

/// The bytes that are being passed, and where they lie in the stream.
struct JSONChunk {
    let base: UnsafeRawPointer
    let count: Int
    let start: Int

    @inline(__always) var end: Int { start &+ count }

    @inline(__always)
    subscript(index: Int) -> UInt8 { base.load(fromByteOffset: index, as: UInt8.self) }
}
