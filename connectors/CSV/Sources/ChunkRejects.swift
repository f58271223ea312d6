import HeadraceColumnar
import HeadraceCore

/// Collects the rejects of one chunk in source order.
struct ChunkRejects {
    let chunk: CSVChunk
    let origin: CSVOrigin
    let schema: Schema
    /// The fields that a record must have.
    let columns: Int
    /// Whether types were guessed, which a message then says.
    let isInferred: Bool
    private var rejects: [Reject] = []

    init(chunk: CSVChunk, origin: CSVOrigin, schema: Schema, columns: Int, isInferred: Bool) {
        self.chunk = chunk
        self.origin = origin
        self.schema = schema
        self.columns = columns
        self.isInferred = isInferred
    }

    var inOrder: [Reject] { rejects.sorted { $0.place.row < $1.place.row } }

    /// Adds the records that are no rows.
    mutating func add(broken records: [BrokenRecord]) {
        for broken in records {
            let record = Int(broken.record)
            let (code, message) = describe(broken.reason)
            rejects.append(
                Reject(
                    rule: "decode", code: code, message: message, place: origin.place(of: record),
                    original: origin.original(of: record)))
        }
    }

    private func describe(_ reason: BrokenRecord.Reason) -> (code: String, message: String) {
        switch reason {
        case .fields(let count):
            let found = "the record has \(count) field\(count == 1 ? "" : "s") where \(columns) are expected"
            return (count < columns ? "tooFewFields" : "tooManyFields", found)
        case .strayText:
            return ("textAfterQuote", "text follows a closing quote; quotes inside a quoted field are doubled")
        case .openQuote: return ("unterminatedQuote", "a quoted field does not end")
        case .tooLong: return ("recordTooLong", "the record is longer than the limit")
        }
    }

    /// Adds rows of which a cell failed.
    mutating func add(
        _ failures: [Int32: (field: Int, problem: CellProblem)], mapping: ColumnMapping, dialect: CSVDialect
    ) {
        for (row, failure) in failures.sorted(by: { $0.key < $1.key }) {
            let record = chunk.records.map { Int($0[Int(row)]) } ?? Int(row)
            let field = schema.fields[failure.field]
            var (code, message) = failure.problem.described(for: field)
            if isInferred && failure.problem != .badUTF8 {
                message += "; the type was inferred, a schema can say another"
            }
            let cells = ColumnCells(
                chunk, column: mapping.sources[failure.field] ?? 0, dialect: dialect, isRequired: false)
            let value = failure.problem == .missing ? nil : String(decoding: cells.contents(Int(row)), as: UTF8.self)
            rejects.append(
                Reject(
                    rule: "decode", code: code, field: field.name, value: value, message: message,
                    place: origin.place(of: record), original: origin.original(of: record)))
        }
    }
}
