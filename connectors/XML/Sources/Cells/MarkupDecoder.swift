import HeadraceColumnar
import HeadraceCore

/// Turns chunks of one document into batches of typed rows and rejects.
struct MarkupDecoder: Sendable {
    let schema: Schema
    let source: String
    let file: String
    let stream: StreamID
    /// Whether types were guessed, which a message then says.
    let isInferred: Bool

    init(_ input: FormatInput, for schema: Schema) {
        self.schema = schema
        source = input.source
        file = input.object.name
        stream = input.stream
        isInferred = input.description != nil
    }

    func decode(_ chunk: MarkupChunk, sequence: UInt64) -> Batch {
        let origin = MarkupOrigin(chunk, source: source, file: file)
        let count = chunk.recordCount
        var refused: [Int32: Reject] = [:]
        for broken in chunk.broken {
            refused[broken.record] = reject(broken.reason, at: origin, Int(broken.record), chunk)
        }
        var columns: [ColumnVector] = []
        var failures: [CellFailure] = []
        for (index, field) in schema.fields.enumerated() {
            failures.removeAll(keepingCapacity: true)
            columns.append(CellDecoder.decode(chunk.columns[index], as: field, &failures))
            for failure in failures where refused[failure.row] == nil {
                refused[failure.row] = reject(failure, field: index, at: origin, chunk)
            }
        }
        let batch = Batch(
            RecordBatch(schema: schema, columns: columns, count: count), provenance: Provenance(origin),
            stream: stream, sequence: sequence, recordsRead: count)
        guard !refused.isEmpty else { return batch }
        let kept = (0..<Int32(truncatingIfNeeded: count)).filter { refused[$0] == nil }
        var good = kept.withUnsafeBufferPointer { batch.taking($0) }
        good.rejects = refused.sorted { $0.key < $1.key }.map(\.value)
        return good
    }

    private func reject(
        _ reason: BrokenRecord.Reason, at origin: MarkupOrigin, _ record: Int, _ chunk: MarkupChunk
    ) -> Reject {
        var field: String?
        var value: String?
        let code: String
        let message: String
        switch reason {
        case .tooLong:
            code = "recordTooLong"
            message = "the record is longer than the limit"
        case .repeated(let index):
            code = "repeatedValue"
            field = schema.fields[index].name
            value = text(chunk, field: index, record)
            message =
                "the record has several values for the column \"\(schema.fields[index].name)\"; a list holds them all, "
                + "a path that ends with [1] takes the first"
        case .cells(let found, let expected):
            code = found < expected ? "tooFewFields" : "tooManyFields"
            message = "the row has \(found) cell\(found == 1 ? "" : "s") where \(expected) are expected"
        case .nothingFound:
            code = "missing"
            message = "no column finds anything in the record"
        }
        return Reject(
            rule: "decode", code: code, field: field, value: value, message: message, place: origin.place(of: record),
            original: origin.original(of: record))
    }

    private func reject(
        _ failure: CellFailure, field index: Int, at origin: MarkupOrigin, _ chunk: MarkupChunk
    ) -> Reject {
        let field = schema.fields[index]
        let row = Int(failure.row)
        var (code, message) = failure.problem.described(for: field)
        if isInferred { message += "; the type was inferred, a schema can say another" }
        return Reject(
            rule: "decode", code: code, field: field.name, value: text(chunk, field: index, row), message: message,
            place: origin.place(of: row), original: origin.original(of: row))
    }

    /// The text of a cell for a message; its pieces, where it has several, separated by commas.
    private func text(_ chunk: MarkupChunk, field: Int, _ row: Int) -> String? {
        let column = chunk.columns[field]
        guard column.isValid(row) else { return nil }
        return withExtendedLifetime(column) {
            let shown = column.unsafeView.bytes(row).prefix(4 * Reject.longestValue)
            guard let first = shown.first, first == Pieces.value || first == Pieces.null else {
                return String(decoding: shown, as: UTF8.self)
            }
            let plain = shown.dropFirst().map { $0 == Pieces.value || $0 == Pieces.null ? UInt8(ascii: ",") : $0 }
            return String(decoding: plain, as: UTF8.self)
        }
    }
}
