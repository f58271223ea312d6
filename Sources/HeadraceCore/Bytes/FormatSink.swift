public import HeadraceColumnar

/// Rows written in a format into one object of a carrier, published whole or not at all.
public struct FormatSink<Carrier: ByteSink, Encoder: FormatEncoder>: ReplacingSink {
    /// Where the object is created and published.
    public let carrier: Carrier
    /// How rows become bytes, with what stands before, between and after them.
    public let encoder: Encoder
    /// Compresses the bytes on their way to the carrier; nil leaves them as they are.
    public let codec: (any ByteCodec)?

    /// A sink that writes one object of `carrier`, in mode `replace` only.
    public init(_ carrier: Carrier, _ encoder: Encoder, codec: (any ByteCodec)? = nil) {
        self.carrier = carrier
        self.encoder = encoder
        self.codec = codec
    }

    /// The name of the carrier, since a file or URL tells more than its format.
    public var name: String { carrier.name }

    /// Creates the object under a temporary name and writes the encoder's prologue.
    /// - Throws: `unsupported` for any mode but `replace`.
    public func openWriter(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> FormatSinkWriter<
        Encoder
    > {
        guard case .replace = mode else { throw Self.refusal(of: mode, name: name) }
        return try await BlockingWork.run {
            let plain = try carrier.create(in: context)
            let bytes = try codec?.encoding(plain) ?? plain
            do {
                return try FormatSinkWriter(encoder, bytes, schema: schema)
            } catch {
                bytes.abort()
                throw error
            }
        }
    }

    private static func refusal(of mode: SinkMode, name: String) -> HeadraceError {
        HeadraceError(
            .unsupported, "\(name) is a file and cannot be written by \(mode.name)", fields: [("modes", "replace")],
            hint: "use --mode replace, or write to a table")
    }

    /// One line: what the carrier would publish, its compression and its format.
    /// - Throws: `unsupported` for any mode but `replace`.
    public func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String] {
        guard case .replace = mode else { throw Self.refusal(of: mode, name: name) }
        return [carrier.plan() + (codec.map { ", compressed by \($0.name)" } ?? "") + ", as \(encoder.name)"]
    }
}

/// Writes the batches of a `FormatSink`.
///
/// - Invariant (`@unchecked Sendable`): the mutable state is used by one caller of `writeNow`, `commit` or `abort` at a
///   time, as `SinkWriter` promises; `encode` touches only the batch.
public final class FormatSinkWriter<Encoder: FormatEncoder>: SynchronousSinkWriter, @unchecked Sendable {
    /// A batch as bytes.
    public struct Encoded: Sendable {
        let bytes: Buffer
        let rows: Int
    }

    private let encoder: Encoder
    private let bytes: any ByteWriter
    private let schema: Schema
    private var rows = 0
    private var isPublished = false

    fileprivate init(_ encoder: Encoder, _ bytes: any ByteWriter, schema: Schema) throws {
        self.encoder = encoder
        self.bytes = bytes
        self.schema = schema
        try encoder.prologue(for: schema).withUnsafeBytes { try bytes.write($0) }
    }

    /// The rows as the encoder writes them.
    public func encode(_ batch: Batch) throws -> Encoded {
        Encoded(bytes: try encoder.encode(batch.records), rows: batch.count)
    }

    /// Appends the rows, behind a separator when rows went before. Refuses none.
    public func writeNow(_ encoded: Encoded) throws -> [Reject] {
        guard encoded.rows > 0 else { return [] }
        if rows > 0 { try encoder.separator.withUnsafeBytes { try bytes.write($0) } }
        try encoded.bytes.withBytes { try bytes.write($0) }
        rows += encoded.rows
        return []
    }

    /// Writes the epilogue.
    /// - Returns: every row written as inserted, since a file knows no keys.
    public func settle() async throws -> WriteCounts {
        try await BlockingWork.run {
            try self.encoder.epilogue(for: self.schema).withUnsafeBytes { try self.bytes.write($0) }
            return WriteCounts(inserted: self.rows)
        }
    }

    /// Publishes the object; the checkpoint is not kept.
    /// - Throws: `unsupported` for a checkpoint that is not the last, since an object is published once.
    public func commit(_ checkpoint: Checkpoint) async throws {
        guard checkpoint.isFinal else {
            throw HeadraceError(.unsupported, "a file is published once, at the end of its run")
        }
        try await BlockingWork.run {
            try self.bytes.publish()
            self.isPublished = true
        }
    }

    /// Removes what was written; does nothing once the object is published.
    public func abort() async {
        guard !isPublished else { return }
        _ = try? await BlockingWork.run { self.bytes.abort() }
    }
}
