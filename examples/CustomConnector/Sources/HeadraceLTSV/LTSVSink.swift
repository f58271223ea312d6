import HeadraceColumnar
import HeadraceCore
import HeadraceFiles

/// A file of labeled tab-separated values, replaced as a whole or not at all. Nulls are left out of their line.
public struct LTSVSink: ReplacingSink {
    /// The path.
    public let name: String

    /// The file at `path`; nothing is created yet.
    public init(at path: String) { name = path }

    public func openWriter(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> LTSVWriter {
        guard case .replace = mode else {
            throw HeadraceError(.unsupported, "\(name) is a file and cannot be written by \(mode.name)")
        }
        for field in schema.fields {
            let isLabel = field.name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) }
            let isText = field.type != .binary && Kernels.canCast(field.type, to: .utf8)
            guard isLabel, !field.name.isEmpty, isText else {
                throw HeadraceError(
                    .schemaMismatch, "LTSV cannot hold column \"\(field.name)\" (\(field.type))",
                    hint:
                        "a label has letters, digits, '_', '.' and '-' alone, and its values are neither bytes, lists nor structs"
                )
            }
        }
        return try await BlockingWork.run { LTSVWriter(try AtomicFile(at: name).create(in: context), schema) }
    }

    public func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String] {
        [AtomicFile(at: name).plan()]
    }
}

/// - Invariant (`@unchecked Sendable`): `rows` is touched by one caller at a time, as `SinkWriter` promises.
public final class LTSVWriter: SynchronousSinkWriter, @unchecked Sendable {
    /// A batch as lines, and the rows of it that no line can hold.
    public typealias Encoded = (lines: [UInt8], rows: Int, rejects: [Reject])
    private let file: any ByteWriter
    private let schema: Schema
    private var rows = 0

    init(_ file: any ByteWriter, _ schema: Schema) { (self.file, self.schema) = (file, schema) }

    public func encode(_ batch: Batch) throws -> Encoded {
        var lines: [UInt8] = []
        var rejects: [Reject] = []
        let texts = try batch.records.columns.map { Kernels.decoded(try Kernels.cast($0, to: .utf8).column) }
        for row in 0..<batch.count {
            var line: [UInt8] = []
            var refused: String?
            for (field, text) in zip(schema.fields, texts) where text.isValid(row) {
                let value = withExtendedLifetime(text) { Array(text.unsafeView.bytes(row)) }
                if value.contains(where: { [0, tab, lineFeed, carriageReturn].contains($0) }) { refused = field.name }
                line += (line.isEmpty ? [] : [tab]) + Array(field.name.utf8) + [colon] + value
            }
            if let refused {
                let problem = "a value of LTSV has no tabs, line ends or zero bytes"
                rejects.append(batch.reject(row: row, rule: "ltsv", code: "badValue", field: refused, message: problem))
            } else {
                lines += line + [lineFeed]
            }
        }
        return (lines, batch.count - rejects.count, rejects)
    }

    public func writeNow(_ encoded: Encoded) throws -> [Reject] {
        try encoded.lines.withUnsafeBytes { try file.write($0) }
        rows += encoded.rows
        return encoded.rejects
    }

    public func settle() async throws -> WriteCounts { WriteCounts(inserted: rows) }

    public func commit(_ checkpoint: Checkpoint) async throws {
        guard checkpoint.isFinal else { throw HeadraceError(.unsupported, "a file is published once, at the end") }
        try await BlockingWork.run { try self.file.publish() }
    }

    public func abort() async { _ = try? await BlockingWork.run { self.file.abort() } }
}
