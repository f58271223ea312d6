import HeadraceColumnar
public import HeadraceCore
import Synchronization

/// Cuts one object of JSON into chunks of whole records and decodes them.
///
/// - Invariant (`@unchecked Sendable`): the mutable state is used by one caller of `next` or `close` at a time, as
///   `FormatReader` promises; `decode` touches the chunk and the constants only, and counts atomically.
public final class JSONFormatReader: FormatReader, @unchecked Sendable {
    private let format: JSONFormat
    private let input: FormatInput
    private let context: RunContext?
    private let schema: Schema
    /// Set by the first `next`, before any chunk is handed out.
    private var plan: DecodingPlan?
    private let ignoredMembers = Atomic<Int>(0)

    /// What the object's start looks like; known after the first `next`.
    private(set) var finding: LayoutDetector.Finding?
    private var start: StartPlace
    private var cutter: JSONStreamCutter?
    private var blanker: JSONCommentBlanker?

    /// Bytes of the object that are held, and where they begin in it.
    private var text: MutableBuffer
    private var textOffset: Int
    private var filled = 0
    /// Bytes that are to be held before they are cut.
    private var wanted: Int
    /// Bytes of the text that the cutter has passed.
    private var scanned = 0
    private var bounds: [JSONRecordBounds] = []
    private var hasEnded = false
    private var isFinished = false
    private var failure: HeadraceError?
    /// Records of the object that were cut, those before the start too.
    private var recordCount: Int
    /// Records that were handed out.
    private var handedOut = 0

    /// What is looked at to find the layout.
    private static let detectionBytes = 64 << 10

    /// Where an opened object goes on.
    private struct StartPlace {
        var position = JSONCutPosition()
        /// Records to drop first, because they were read before.
        var skipped = 0
    }

    init(
        _ format: JSONFormat, _ input: FormatInput, schema: Schema, from start: JSONValue? = nil,
        in context: RunContext? = nil
    ) throws(HeadraceError) {
        self.format = format
        self.input = input
        self.context = context
        self.schema = schema
        var layout = format.fixedLayout
        self.start = StartPlace()
        if let start {
            guard let position = JSONCutPosition(start), let kept = start["layout"]?.stringValue,
                let resumed = JSONLayout(rawValue: kept), layout == nil || layout == resumed
            else {
                throw HeadraceError(
                    .malformedInput, "the position in \(input.object.name) cannot be read",
                    hint: "start over with --restart")
            }
            layout = resumed
            self.start = StartPlace(position: position, skipped: Int(start["skip"]?.integerValue ?? 0))
        } else if layout == nil, let found = input.description?.dialect.first(where: { $0.name == "layout" }) {
            layout = JSONLayout(rawValue: found.value)
        }
        finding = layout.map { LayoutDetector.Finding(layout: $0, confidence: 1) }
        wanted = max(format.chunkBytes, layout == nil ? Self.detectionBytes : 1)
        text = MutableBuffer(capacity: wanted)
        textOffset = self.start.position.offset
        recordCount = self.start.position.ordinal + self.start.skipped
    }

    // MARK: - Cutting

    /// The next records, about 256 KiB of them.
    ///
    /// - Throws: `malformedInput` for a document that is broken around its records, with line and byte.
    public func next() throws -> FormatRead<JSONRecords> {
        if let failure { throw failure }
        while true {
            try fill()
            if cutter == nil { try begin() }
            try scan()
            if !bounds.isEmpty || hasEnded {
                if let chunk = try takeChunk() { return chunk }
                if hasEnded {
                    if let failure { throw failure }
                    return .end
                }
            }
            keepUnfinished()
        }
    }

    /// Reads until enough text is there or the object ends.
    private func fill() throws {
        while !hasEnded && filled < wanted {
            let room = UnsafeMutableRawBufferPointer(start: text.base + filled, count: wanted - filled)
            let got = try input.bytes.read(into: room)
            if got == 0 { hasEnded = true }
            filled += got
        }
    }

    private func begin() throws(HeadraceError) {
        let bytes = UnsafeRawBufferPointer(start: text.base, count: filled)
        let finding = self.finding ?? LayoutDetector(format, input.object).detect(bytes, isWhole: hasEnded && !isCut)
        self.finding = finding
        let layout = finding.layout
        cutter = try format.cutter(layout, from: start.position)
        if format.reading.allowsComments, layout != .lines { blanker = JSONCommentBlanker() }
        plan = try DecodingPlan(
            schema, options: format.reading, separator: format.flattens ? format.separator : nil,
            recordColumn: format.recordColumn, isByLine: layout == .lines, isInferred: input.description != nil)
    }

    /// Whether the bytes end before the object does.
    private var isCut: Bool { (input.bytes as? LimitedReader)?.isCut ?? false }

    /// Passes the bytes that are new, and at the end of the object ends the cutter.
    private func scan() throws(HeadraceError) {
        guard var cutter else { return }
        do throws(JSONError) {
            let fresh = UnsafeMutableRawBufferPointer(start: text.base + scanned, count: filled - scanned)
            try blanker?.blank(fresh)
            try cutter.scan(UnsafeRawBufferPointer(fresh), into: &bounds)
            scanned = filled
            self.cutter = cutter
        } catch {
            throw fail(error)
        }
        guard hasEnded, !isFinished, !isCut else { return }
        isFinished = true
        // What was cut before a truncated end is handed out first.
        do throws(JSONError) {
            try blanker?.finish()
            try cutter.finish(into: &bounds)
            self.cutter = cutter
        } catch {
            failure = fail(error)
        }
    }

    private func fail(_ error: JSONError) -> HeadraceError {
        let failure = JSONFailure.error(error, in: input.object.name)
        self.failure = failure
        return failure
    }

    /// The records that were cut, without those read before and lines of comments; nil if none are left.
    private func takeChunk() throws(HeadraceError) -> FormatRead<JSONRecords>? {
        if start.skipped > 0 {
            let dropped = min(start.skipped, bounds.count)
            bounds.removeFirst(dropped)
            start.skipped -= dropped
        }
        if format.reading.allowsComments, finding?.layout == .lines { bounds.removeAll { isComment($0) } }
        guard !bounds.isEmpty else { return nil }
        // A short record before much white space may have been given up before its end was seen.
        for index in bounds.indices where bounds[index].offset < textOffset { bounds[index].isOversized = true }
        let taken = bounds
        let before = handedOut
        bounds = []
        recordCount += taken.count
        handedOut += taken.count
        let resume = position()
        let text = takeText()
        return .chunk(
            JSONRecords(text: text.bytes, textOffset: text.offset, bounds: taken, recordsBefore: before),
            resume: resume, rows: taken.count)
    }

    /// Hands over the text up to the record that is not over, which is kept for the next chunk.
    private func takeText() -> (bytes: Buffer, offset: Int) {
        let cut = firstUnfinished
        let rest = filled - cut
        wanted = max(format.chunkBytes, rest * 2)
        var other = MutableBuffer(capacity: wanted)
        other.base.copyMemory(from: text.base + cut, byteCount: rest)
        swap(&other, &text)
        advance(cut, rest)
        return (other.finish(byteCount: cut), textOffset - cut)
    }

    /// Where in the text the record that is not over begins.
    private var firstUnfinished: Int { max((cutter?.retainedFrom ?? textOffset) - textOffset, 0) }

    /// The text begins `cut` bytes later now and holds `rest`.
    private func advance(_ cut: Int, _ rest: Int) {
        textOffset += cut
        filled = rest
        scanned -= cut
    }

    /// Without a record to hand out: forgets what is not needed, or makes room for the rest of a long record.
    private func keepUnfinished() {
        let cut = firstUnfinished
        let rest = filled - cut
        if cut > 0 {
            text.base.copyMemory(from: text.base + cut, byteCount: rest)
            advance(cut, rest)
        }
        guard filled > wanted / 2 else { return }
        wanted *= 2
        text.reserve(wanted, keeping: filled)
    }

    /// Whether a record is a line that holds comments and nothing else.
    private func isComment(_ bounds: JSONRecordBounds) -> Bool {
        guard !bounds.isOversized, bounds.offset >= textOffset else { return false }
        let start = text.base + (bounds.offset - textOffset)
        guard bounds.length > 1, start.load(as: UInt8.self) == UInt8(ascii: "/") else { return false }
        var line = JSONCommentBlanker()
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bounds.length + 1, alignment: 8)
        defer { copy.deallocate() }
        copy.copyMemory(from: UnsafeRawBufferPointer(start: start, count: bounds.length))
        copy[bounds.length] = 0x0A
        guard (try? line.blank(copy)) != nil, (try? line.finish()) != nil else { return false }
        return copy.allSatisfy { $0 == 0x20 || $0 == 0x0A || $0 == 0x09 || $0 == 0x0D }
    }

    // MARK: - Positions

    /// Where to go on after the records cut so far.
    ///
    /// Along the way to records, where no cutter can begin, it is the object's start and the number of records to drop.
    private func position() -> JSONValue {
        var position = JSONCutPosition()
        var skipped = recordCount
        if var place = cutter?.position {
            // A comment that is not over must be begun again.
            if let comment = blanker?.openComment, start.position.offset + comment.offset < place.offset {
                place.offset = start.position.offset + comment.offset
                place.line = start.position.line + comment.line - 1
            }
            position = place
            skipped = 0
        }
        position.ordinal = skipped == 0 ? recordCount : 0
        var json = position.json
        json["layout"] = .string((finding?.layout ?? .document).rawValue)
        if skipped > 0 { json["skip"] = .integer(skipped) }
        return json
    }

    // MARK: - Decoding

    /// The rows of a chunk, with a reject for every record that is none.
    ///
    /// - Throws: `malformedInput` for a record that is no JSON where it is part of a document.
    public func decode(_ chunk: JSONRecords, sequence: UInt64) throws -> Batch {
        guard let plan else { preconditionFailure("a chunk decoded before one was cut") }
        let origin = JSONOrigin(
            chunk, source: input.source, file: input.object.name, rowsBefore: input.rowsBefore)
        let decoder = RowDecoder(plan, chunk, origin, predicts: format.predicts)
        let (batch, ignored) = try decoder.decode(stream: input.stream, sequence: sequence)
        if ignored > 0 { ignoredMembers.wrappingAdd(ignored, ordering: .relaxed) }
        return batch
    }

    /// Lets go of the bytes and logs how many members no column took.
    public func close() {
        input.bytes.close()
        let ignored = ignoredMembers.exchange(0, ordering: .relaxed)
        if ignored > 0 {
            context?.log.info(
                "members of \(input.object.name) that no column takes were ignored", [("members", "\(ignored)")])
        }
    }
}
