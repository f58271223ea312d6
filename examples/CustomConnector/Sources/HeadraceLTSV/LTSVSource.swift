import HeadraceColumnar
import HeadraceCore
import HeadraceFiles

/// The lines of a file of labeled tab-separated values (ltsv.org), as web servers write their logs.
///
/// The file may grow: a run of a job reads on where the one before ended. A last line that has no line end yet is left for
/// the next run, and the log says so. A label that a line lacks is null there, one without a value the empty text.
public struct LTSVSource: IncrementalSource {
    let path: String
    let declared: Schema?
    let chunkSize: Int

    /// The file at `path`. Without a schema every label of the first chunk is a field of text.
    public init(at path: String, schema: Schema? = nil, chunkSize: Int = 256 << 10) {
        (self.path, declared, self.chunkSize) = (path, schema, chunkSize)
    }

    /// The path, under which positions are kept too.
    public var name: String { path }

    /// The fields as declared, else as found.
    public func schema(in context: RunContext) async throws -> Schema {
        if let declared { return declared }
        let reader = try await openReader(for: Schema([]), from: nil, in: context)
        defer { reader.bytes.close() }
        guard case .chunk(let chunk, _) = try await reader.next() else { return Schema([]) }
        var labels: [String] = []
        for field in chunk.lines.flatMap({ $0.split(separator: tab) }) {
            guard let end = field.firstIndex(of: colon) else { continue }
            let label = String(decoding: field[..<end], as: UTF8.self)
            if !labels.contains(label) { labels.append(label) }
        }
        return Schema(labels.map { Field($0, .utf8) })
    }

    public func openReader(
        for schema: Schema, from position: Position?, in context: RunContext
    ) async throws -> LTSVReader {
        try await BlockingWork.run { try LTSVReader(self, schema, from: position, in: context) }
    }
}

let (tab, lineFeed, carriageReturn, colon) = (
    UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: ":")
)

/// Whole lines of a file, not yet decoded, which know where they stand there.
public final class LTSVChunk: Origin {
    let lines: [ArraySlice<UInt8>]
    private let (path, offset, line): (String, Int, Int)

    init(_ bytes: [UInt8], of path: String, offset: Int, line: Int) {
        lines = bytes.dropLast().split(separator: lineFeed, omittingEmptySubsequences: false).map {
            $0.last == carriageReturn ? $0.dropLast() : $0
        }
        (self.path, self.offset, self.line) = (path, offset, line)
    }

    public func place(of row: Int) -> Place {
        Place(source: path, line: line + row, byteOffset: offset + lines[row].startIndex, row: line + row)
    }

    public func original(of row: Int) -> [UInt8]? { Array(lines[row]) }
}

/// - Invariant (`@unchecked Sendable`): what changes is touched by `nextNow` alone, which has one caller at a time.
public final class LTSVReader: SynchronousSourceReader, @unchecked Sendable {
    let bytes: any ByteReader
    private let (source, schema, context): (LTSVSource, Schema, RunContext)
    private var (offset, line): (Int, Int)
    private var begun: [UInt8] = []

    init(_ source: LTSVSource, _ schema: Schema, from position: Position?, in context: RunContext) throws {
        (self.source, self.schema, self.context) = (source, schema, context)
        offset = Int(position?.value["offset"]?.integerValue ?? 0)
        line = Int(position?.value["line"]?.integerValue ?? 1)
        let file = ByteObject(name: source.path, byteCount: nil, identity: "")
        bytes = try LocalFiles(at: source.path).open(file, at: max(0, offset - 1), in: context)
        // The byte before a position ends a line; in a file that is another by now it hardly ever does.
        var last = lineFeed
        if offset > 0, try withUnsafeMutableBytes(of: &last, bytes.read) == 0 || last != lineFeed {
            bytes.close()
            throw HeadraceError(
                .notFound, "\(source.path) is not the file that was read up to byte \(offset)",
                hint: "it was rotated or shortened: start over with --restart")
        }
    }

    public func nextNow() throws -> Read<LTSVChunk> {
        while true {
            try context.cancellation.check()
            let kept = begun.count
            begun += [UInt8](repeating: 0, count: source.chunkSize)
            let count = try begun.withUnsafeMutableBytes { try bytes.read(into: .init(rebasing: $0[kept...])) }
            begun.removeLast(source.chunkSize - count)
            if count == 0 {
                if !begun.isEmpty { context.log.warning("the last line has no end yet and is left for later") }
                return .end
            }
            guard let end = begun[kept...].lastIndex(of: lineFeed) else { continue }
            let chunk = LTSVChunk(Array(begun[...end]), of: source.path, offset: offset, line: line)
            begun.removeFirst(end + 1)
            (offset, line) = (offset + end + 1, line + chunk.lines.count)
            return .chunk(chunk, Position(.object([("offset", .integer(offset)), ("line", .integer(line))])))
        }
    }

    public func decode(_ chunk: LTSVChunk, sequence: UInt64) throws -> Batch {
        var rejects: [Int: Reject] = [:]
        func refuse(_ row: Int, _ code: String, _ label: String, _ problem: String, _ value: Scalar = .null) {
            rejects[row] =
                rejects[row]
                ?? Reject(
                    rule: "decode", code: code, field: label, value: value.isNull ? nil : value.description,
                    message: "\"\(label)\" \(problem)", place: chunk.place(of: row), original: chunk.original(of: row))
        }
        let builders = schema.fields.map { _ in BytesBuilder(.binary, capacity: chunk.lines.count) }
        for (row, line) in chunk.lines.enumerated() {
            var values = [ArraySlice<UInt8>?](repeating: nil, count: schema.count)
            for field in line.split(separator: tab) {
                let parts = field.split(separator: colon, maxSplits: 1, omittingEmptySubsequences: false)
                let label = String(decoding: parts[0], as: UTF8.self)
                if parts.count == 2, let index = schema.index(of: label), values[index] == nil {
                    values[index] = parts[1]
                } else {
                    refuse(row, "badLabel", label, parts.count < 2 ? "has no colon" : "is no field, or there twice")
                }
            }
            for (value, builder) in zip(values, builders) {
                if let value { value.withUnsafeBytes { builder.append($0) } } else { builder.appendNull() }
            }
        }
        let columns = try zip(schema.fields, builders).map { field, builder in
            let text = try Kernels.cast(builder.finish(), to: .utf8)
            let typed = try Kernels.cast(text.column, to: field.type)
            for failure in text.failures + typed.failures {
                let row = Int(failure.row)
                refuse(row, "badValue", field.name, "is no \(field.type)", text.column.scalar(at: row))
            }
            for row in chunk.lines.indices where !field.isNullable && !typed.column.isValid(row) {
                refuse(row, "missing", field.name, "is missing")
            }
            return typed.column
        }
        var batch = Batch(
            RecordBatch(schema: schema, columns: columns, count: chunk.lines.count), provenance: Provenance(chunk),
            stream: source.stream, sequence: sequence, recordsRead: chunk.lines.count)
        guard !rejects.isEmpty else { return batch }
        let good = chunk.lines.indices.filter { rejects[$0] == nil }.map { Int32($0) }
        batch = good.withUnsafeBufferPointer { batch.taking($0) }
        batch.rejects = rejects.sorted { $0.key < $1.key }.map(\.value)
        return batch
    }

    public func close() async { bytes.close() }
}
