import HeadraceColumnar
public import HeadraceCore

/// Reads one object of CSV.
///
/// - Invariant (`@unchecked Sendable`): `cutter` is used by one caller of `next` at a time, as `FormatReader` promises;
///   everything else does not change after `init`.
public final class CSVReader: FormatReader, @unchecked Sendable {
    private var cutter: CSVCutter
    private let layout: CSVLayout
    private let mapping: ColumnMapping
    private let object: String
    private let source: String
    private let stream: StreamID
    private let isInferred: Bool
    /// The members of every resume position that stay the same.
    private let resumeLayout: [(String, JSONValue)]

    init(
        _ input: FormatInput, for schema: Schema, from start: JSONValue?, options: CSVOptions, limits: CSVLimits,
        in context: RunContext
    ) throws {
        object = input.object.name
        source = input.source
        stream = input.stream
        isInferred = input.description != nil
        if let start {
            guard let layout = CSVLayout(json: start, options: options), let offset = start["offset"]?.integerValue,
                let line = start["line"]?.integerValue
            else {
                throw HeadraceError(
                    .malformedInput, "the position in \(object) cannot be read", hint: "start over with --restart")
            }
            self.layout = layout
            cutter = CSVCutter(
                input.bytes, limits: limits, byteOffset: Int(offset), line: Int(line),
                isDropping: start["dropping"]?.boolValue ?? false, recordsBefore: input.rowsBefore)
        } else {
            var cutter = CSVCutter(input.bytes, limits: limits, recordsBefore: input.rowsBefore)
            let found = try LayoutFinder.find(
                &cutter, options: options, description: input.description, schema: schema)
            layout =
                found?.layout
                ?? CSVLayout(dialect: options.dialect, names: schema.names, hasHeader: options.header != .absent)
            for note in found?.notes ?? [] where input.description == nil {
                context.log.info("csv: \(note)", [("file", object)])
            }
            self.cutter = cutter
        }
        mapping = try ColumnMapping(layout, to: schema, object: object, in: context)
        cutter.dialect = layout.dialect
        cutter.columns = mapping.columns
        resumeLayout = layout.json
    }

    public func next() throws -> FormatRead<CSVChunk> {
        do {
            guard let chunk = try cutter.next() else { return .end }
            var resume: [(String, JSONValue)] = [
                ("offset", .integer(cutter.byteOffset)), ("line", .integer(cutter.line)),
            ]
            if cutter.isDropping { resume.append(("dropping", true)) }
            return .chunk(chunk, resume: .object(resume + resumeLayout), rows: chunk.recordCount)
        } catch let error as HeadraceError {
            throw error.at("\(object) line \(cutter.line)")
        }
    }

    public func decode(_ chunk: CSVChunk, sequence: UInt64) throws -> Batch {
        let origin = CSVOrigin(chunk, source: source, file: object)
        let decoded = mapping.decode(chunk, dialect: layout.dialect)
        var rejects = ChunkRejects(
            chunk: chunk, origin: origin, schema: mapping.schema, columns: mapping.columns, isInferred: isInferred)
        rejects.add(broken: chunk.broken)
        if decoded.failures.isEmpty && chunk.broken.isEmpty {
            return Batch(
                decoded.records, provenance: Provenance(origin), stream: stream, sequence: sequence,
                recordsRead: chunk.recordCount)
        }
        rejects.add(decoded.failures, mapping: mapping, dialect: layout.dialect)
        let kept = (0..<Int32(chunk.rows)).filter { decoded.failures[$0] == nil }
        let records =
            decoded.failures.isEmpty
            ? decoded.records : kept.withUnsafeBufferPointer { Kernels.take(decoded.records, indices: $0) }
        let numbers = chunk.records.map { all in kept.map { all[Int($0)] } } ?? kept
        return Batch(
            records, provenance: numbers.withUnsafeBufferPointer { Provenance(origin).selecting($0) },
            rejects: rejects.inOrder, stream: stream, sequence: sequence, recordsRead: chunk.recordCount)
    }

    public func close() { cutter.close() }
}
