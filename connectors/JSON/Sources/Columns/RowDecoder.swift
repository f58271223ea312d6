import HeadraceColumnar
import HeadraceCore

/// Decodes the records of one chunk: straight from tokens into builders, with no tree and no object a row.
///
/// A row that fails half-way stays in the builders, filled up with nulls, and is left out at the end.
struct RowDecoder: ~Copyable {
    private let plan: DecodingPlan
    private let records: JSONRecords
    private let origin: JSONOrigin
    private let columns: [ColumnDecoder]
    private let scope: ObjectScope
    private let members: ObjectDecoder
    private let valueColumn: Int?
    private let recordDecoder: ColumnDecoder?
    private var context: DecodingContext
    /// Reads records that look alike; nil where none may be read so.
    private let predicted: PredictedRows?
    /// Rows in the builders.
    private var built = 0
    /// The builders' row and the record of each row that is kept; nil while both are all there are, in order.
    private var kept: (rows: [Int32], records: [Int32])?
    private var rejects: [Reject] = []

    /// - Parameter predicts: whether records that look alike may be read without tokens; the rows are the same.
    init(_ plan: DecodingPlan, _ records: JSONRecords, _ origin: JSONOrigin, predicts: Bool = true) {
        self.plan = plan
        self.records = records
        self.origin = origin
        let made = plan.makeDecoders(capacity: records.bounds.count)
        columns = made.columns
        members = made.members
        scope = ObjectScope(made.columns)
        valueColumn = plan.valueColumn
        recordDecoder = plan.recordColumn.map { made.columns[$0] }
        predicted = predicts ? Self.prediction(plan, records, made.columns) : nil
        context = DecodingContext(options: plan.options)
    }

    // A function of its own: built in the middle of `init`, the optimiser releases what is not there yet.
    @inline(never)
    private static func prediction(
        _ plan: DecodingPlan, _ records: JSONRecords, _ columns: [ColumnDecoder]
    ) -> PredictedRows? {
        if DecodingContext.isLenient(plan.options) || plan.recordColumn != nil { return nil }
        let text = UnsafeRawBufferPointer(start: records.text.base, count: records.text.byteCount)
        return PredictedRows(text, columns: columns, isByLine: plan.isByLine)
    }

    /// The rows and rejects of the chunk, and how many members no column took.
    ///
    /// - Throws: `malformedInput` for a record that breaks the document around it.
    consuming func decode(stream: StreamID, sequence: UInt64) throws -> (batch: Batch, ignoredMembers: Int) {
        var tokenizer = JSONTokenizer(UnsafeRawBufferPointer(start: records.text.base, count: 0), options: plan.options)
        for record in records.bounds.indices { try decode(record, &tokenizer) }
        var batch = Batch(
            RecordBatch(schema: plan.schema, columns: columns.map { $0.finish() }, count: built),
            provenance: Provenance(origin), stream: stream, sequence: sequence, recordsRead: records.bounds.count)
        if let kept {
            batch.records = kept.rows.withUnsafeBufferPointer { Kernels.take(batch.records, indices: $0) }
            batch.provenance = kept.records.withUnsafeBufferPointer { batch.provenance.selecting($0) }
        }
        batch.rejects = rejects
        return (batch, context.ignoredMembers)
    }

    private mutating func decode(_ record: Int, _ tokenizer: inout JSONTokenizer) throws {
        let bounds = records.bounds[record]
        if bounds.isOversized {
            return reject(
                record, code: "recordTooLong",
                message: "the record is longer than the limit")
        }
        if let predicted {
            let start = bounds.offset - records.textOffset
            if predicted.read(from: start, to: start + bounds.length, &context) {
                built &+= 1
                settle(record)
                return
            }
        }
        let bytes = records.bytes(of: record)
        let error = decode(bytes, &tokenizer)
        if let error {
            try refuse(record, error)
        } else if context.repeatsName {
            drop(record)
            try decodeOnce(record, bytes, &tokenizer)
        } else {
            predicted?.learn(bytes, members, plan.options)
            settle(record)
        }
    }

    /// Reads a record that names members twice again, with the last of each only.
    private mutating func decodeOnce(
        _ record: Int, _ bytes: UnsafeRawBufferPointer, _ tokenizer: inout JSONTokenizer
    ) throws {
        do throws(JSONError) {
            let once = try JSONValue.parse(bytes, options: plan.options).withoutRepeats.compactBytes
            let error = once.withUnsafeBytes { decode($0, &tokenizer) }
            if let error { throw error }
            settle(record)
        } catch {
            try refuse(record, error)
        }
    }

    /// Appends one row for a record, whatever it holds.
    private mutating func decode(
        _ bytes: UnsafeRawBufferPointer, _ tokenizer: inout JSONTokenizer
    ) -> JSONError? {
        tokenizer.reset(bytes)
        context.failure = nil
        context.repeatsName = false
        built &+= 1
        scope.begin()
        do throws(JSONError) {
            let token = try tokenizer.next()
            if case .objectStart = token {
                try members.decode(into: scope, &tokenizer, &context)
            } else {
                try decodeValue(token, &tokenizer)
            }
            _ = try tokenizer.next()
            if let recordDecoder, let index = plan.recordColumn {
                appendRecord(bytes, to: recordDecoder)
                scope.note(index)
            }
            scope.end(&context)
            return nil
        } catch {
            scope.recover()
            return error
        }
    }

    private mutating func decodeValue(_ token: JSONToken, _ tokenizer: inout JSONTokenizer) throws(JSONError) {
        guard let valueColumn else {
            let range = try tokenizer.validate(token)
            context.failure = CellFailure(
                problem: .wrongKind, column: "", path: "", type: nil,
                value: DecodingContext.text(tokenizer.bytes, range), found: DecodingContext.name(of: token))
            return
        }
        if case .null = token {
            columns[valueColumn].appendMissing(&context)
        } else {
            try columns[valueColumn].append(token, &tokenizer, &context)
        }
        scope.note(valueColumn)
    }

    private func appendRecord(_ bytes: UnsafeRawBufferPointer, to decoder: ColumnDecoder) {
        switch decoder {
        case let decoder as DocumentDecoder: decoder.putDocument(bytes, context.isLenient ? context.options : nil)
        case let decoder as TextDecoder: decoder.put(bytes)
        default: preconditionFailure("a record column that is not text")
        }
    }

    // MARK: - Rows kept and refused

    /// Keeps the row that was just built, unless a value of it failed.
    private mutating func settle(_ record: Int) {
        guard let failure = context.failure else {
            guard kept != nil else { return }
            kept?.rows.append(Int32(truncatingIfNeeded: built - 1))
            kept?.records.append(Int32(truncatingIfNeeded: record))
            return
        }
        drop(record)
        let isRecord = failure.column.isEmpty
        var message = isRecord ? "the record is \(failure.found), not an object" : failure.message
        if plan.isInferred, !isRecord { message += "; the type was inferred, a schema can say another" }
        reject(
            record, code: failure.problem.code, field: isRecord ? nil : failure.column, value: failure.value,
            message: message)
    }

    /// Begins to keep account of rows, with the one that was just built left out.
    private mutating func drop(_ record: Int) {
        if kept == nil { startKeeping(built - 1) }
    }

    private mutating func startKeeping(_ count: Int) {
        let all = (0..<Int32(truncatingIfNeeded: count)).map { $0 }
        kept = (all, all)
    }

    private mutating func reject(
        _ record: Int, code: String, field: String? = nil, value: String? = nil, message: String
    ) {
        if kept == nil { startKeeping(built) }
        rejects.append(
            Reject(
                rule: "decode", code: code, field: field, value: value, message: message,
                place: origin.place(of: record), original: origin.original(of: record)))
    }

    /// Refuses a record that is no JSON; the row that was begun for it is dropped.
    private mutating func refuse(_ record: Int, _ error: JSONError) throws {
        let bounds = records.bounds[record]
        let error = error.inStream(offset: bounds.offset, line: bounds.line)
        let code: String
        switch error.code {
        case .loneSurrogate, .tooDeep: code = error.code.rawValue
        case .invalidUTF8: code = "badUTF8"
        default: code = "badJSON"
        }
        guard plan.isByLine || error.isOfRecord else {
            throw JSONFailure.error(error, in: origin.place(of: record).file ?? "the input")
        }
        drop(record)
        let text = DecodingContext.text(records.bytes(of: record), 0..<bounds.length)
        reject(record, code: code, value: text, message: "\(error)")
    }
}

extension JSONValue {
    /// The same value with only the last of the members that share a name, in every object.
    fileprivate var withoutRepeats: JSONValue {
        switch self {
        case .array(let elements): return .array(elements.map(\.withoutRepeats))
        case .object(let object):
            var places: [[UInt8]: Int] = [:]
            var members: [JSONObject.Member] = []
            for member in object.members {
                let once = JSONObject.Member(member.name, member.value.withoutRepeats)
                if let place = places[Array(member.name.utf8)] {
                    members[place] = once
                } else {
                    places[Array(member.name.utf8)] = members.count
                    members.append(once)
                }
            }
            return .object(JSONObject(members))
        default: return self
        }
    }
}
