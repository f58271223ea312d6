// What Tests/Support/arrow-interchange calls through ctypes: the Arrow interface with a C face.
// Every function that can fail returns null, or the text of its error, which the caller frees with headrace_free.

import Glibc
import HeadraceColumnar
import Synchronization

private func attempt(_ body: () throws -> Void) -> UnsafeMutablePointer<CChar>? {
    do {
        try body()
        return nil
    } catch {
        return strdup("\(error)")
    }
}

/// Frees a text that another function of this interface returned; does nothing for null.
@_cdecl("headrace_free") public func headraceFree(_ text: UnsafeMutablePointer<CChar>?) { free(text) }

/// Bytes of column buffers alive.
@_cdecl("headrace_outstanding") public func headraceOutstanding() -> Int { BufferPool.outstandingBytes }

/// Imports a batch and exports it again.
@_cdecl("headrace_round_trip") public func headraceRoundTrip(
    _ array: UnsafeMutableRawPointer, _ schema: UnsafeMutableRawPointer, _ outArray: UnsafeMutableRawPointer,
    _ outSchema: UnsafeMutableRawPointer, _ widens: Bool
) -> UnsafeMutablePointer<CChar>? {
    attempt {
        let batch = try ArrowInterface.importBatch(array: array, schema: schema)
        ArrowInterface.export(batch, array: outArray, schema: outSchema, widensDecimals: widens)
    }
}

/// Imports a batch and writes its schema and rows as text: an error when it begins with "error: ".
@_cdecl("headrace_rows") public func headraceRows(
    _ array: UnsafeMutableRawPointer, _ schema: UnsafeMutableRawPointer
) -> UnsafeMutablePointer<CChar>? {
    do {
        return strdup(RowText.of(try ArrowInterface.importBatch(array: array, schema: schema)))
    } catch {
        return strdup("error: \(error)")
    }
}

/// Imports a schema and exports it again.
@_cdecl("headrace_schema_round_trip") public func headraceSchemaRoundTrip(
    _ schema: UnsafeMutableRawPointer, _ outSchema: UnsafeMutableRawPointer, _ widens: Bool
) -> UnsafeMutablePointer<CChar>? {
    attempt {
        ArrowInterface.export(
            try ArrowInterface.importSchema(from: schema), to: outSchema, widensDecimals: widens)
    }
}

/// Exports the example batch of this number.
@_cdecl("headrace_example") public func headraceExample(
    _ number: Int, _ array: UnsafeMutableRawPointer, _ schema: UnsafeMutableRawPointer, _ widens: Bool
) {
    ArrowInterface.export(Examples.batch(number), array: array, schema: schema, widensDecimals: widens)
}

/// The schema and rows of the example batch of this number as text.
@_cdecl("headrace_example_rows") public func headraceExampleRows(_ number: Int) -> UnsafeMutablePointer<CChar>? {
    strdup(RowText.of(Examples.batch(number)))
}

/// Imports a stream and exports its batches as another.
@_cdecl("headrace_stream_round_trip") public func headraceStreamRoundTrip(
    _ stream: UnsafeMutableRawPointer, _ out: UnsafeMutableRawPointer
) -> UnsafeMutablePointer<CChar>? {
    attempt {
        let reader = LockedReader(try ArrowStreamReader(moving: stream))
        ArrowInterface.exportStream(of: reader.schema, to: out) { try reader.next() }
    }
}

/// A stream whose second batch fails.
@_cdecl("headrace_failing_stream") public func headraceFailingStream(_ out: UnsafeMutableRawPointer) {
    struct Refused: Error, CustomStringConvertible { let description = "the well has run dry" }
    let calls = Atomic<Int>(0)
    let batch = Examples.batch(0)
    let counter = Counter(calls: calls)
    ArrowInterface.exportStream(of: batch.schema, to: out) {
        if counter.calls.add(1, ordering: .relaxed).oldValue > 0 { throw Refused() }
        return batch
    }
}

private final class Counter: Sendable {
    let calls: Atomic<Int>
    init(calls: consuming Atomic<Int>) { self.calls = calls }
}

/// - Invariant (`@unchecked Sendable`): the reader is used under the lock only.
private final class LockedReader: @unchecked Sendable {
    private let reader: ArrowStreamReader
    private let lock = Mutex(())
    let schema: Schema

    init(_ reader: ArrowStreamReader) {
        self.reader = reader
        schema = reader.schema
    }

    func next() throws -> RecordBatch? { try lock.withLock { _ in try reader.next() } }
}

/// Rows as text that Python writes the same way: numbers in full, floats by their bits, text and binary in hexadecimal.
private enum RowText {
    static func of(_ batch: RecordBatch) -> String {
        var lines = [
            batch.schema.fields.map {
                "\($0)\($0.metadata.isEmpty ? "" : " \($0.metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })")"
            }.joined(separator: "; ")
        ]
        for row in 0..<batch.count { lines.append(batch.row(at: row).map(text).joined(separator: " ")) }
        return lines.joined(separator: "\n")
    }

    private static func text(_ scalar: Scalar) -> String {
        switch scalar {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): "\(value)"
        case .double(let value): value.isNaN ? "nan" : String(value.bitPattern, radix: 16)
        case .decimal(let value): value.description
        case .utf8(let value): hex(Array(value.utf8))
        case .binary(let bytes): hex(bytes)
        case .date(let days): "\(days)"
        case .time(let micros), .timestamp(let micros): "\(micros)"
        case .list(let values): "[\(values.map(text).joined(separator: ","))]"
        case .struct(let members): "{\(members.map(text).joined(separator: ","))}"
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        "x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// Batches with every type, with and without nulls, sliced and dictionary-encoded.
private enum Examples {
    static let count = 4

    static func batch(_ number: Int) -> RecordBatch {
        let rows = number == 1 ? 0 : 150
        let fields = fields
        var columns: [ColumnVector] = []
        for (place, field) in fields.enumerated() {
            let values = (0..<rows).map { row in
                field.isNullable && (row + place) % 5 == 0 ? Scalar.null : value(field.type, row, place)
            }
            guard var column = ColumnVector.of(field.type, values) else {
                fatalError("an example does not fit \(field)")
            }
            if number >= 2, field.type.layout == .bytes {
                column = Kernels.dictionaryEncoded(column, limit: .max) ?? column
            }
            columns.append(column)
        }
        let batch = RecordBatch(schema: Schema(fields), columns: columns, count: rows)
        return number == 3 ? batch.slice(from: 13, count: 91) : batch
    }

    private static let fields: [Field] = {
        let types: [DataType] = [
            .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float32, .float64,
            .decimal(precision: 9, scale: 2), .decimal(precision: 18, scale: 0), .decimal(precision: 19, scale: 4),
            .decimal(precision: 38, scale: 38), .utf8, .binary, .json, .date32, .time64, .timestamp(zone: nil),
            .instant,
            .timestamp(zone: "Europe/Berlin"), .list(Field("item", .int32)),
            .list(Field("inner", .list(Field("text", .utf8, nullable: false)))),
            .struct([Field("a", .decimal(precision: 5, scale: 1)), Field("b", .list(Field("item", .json)))]),
            .struct([]),
        ]
        return types.enumerated().flatMap { index, type in
            [
                Field("c\(index)", type),
                Field("required\(index)", type, nullable: false, metadata: ["unit": "é", "n": "\(index)"]),
            ]
        }
    }()

    private static func value(_ type: DataType, _ row: Int, _ place: Int) -> Scalar {
        if let range = type.integerRange {
            return .integer(row == 1 ? range.lowest : row == 2 ? range.highest : Int128(row % 100))
        }
        let texts = ["", "a", "naïve", "long enough to leave the view's twelve bytes", "日本", "a"]
        switch type {
        case .bool: return .bool((row * 7 + place) % 3 == 0)
        case .float32, .float64: return .double([0, -0.0, 1.5, .nan, .infinity, -1e10][row % 6])
        case .decimal(let precision, let scale):
            let limit = DecimalMath.widePowerOfTen(precision) - 1
            let coefficient = row == 1 ? limit : row == 2 ? -limit : Int128(row * 37 % 100) - 50
            return .decimal(DecimalValue(coefficient: coefficient, scale: scale))
        case .utf8: return .utf8(texts[row % texts.count])
        case .json: return .utf8("[\(row % 9)]")
        case .binary: return .binary(Array(texts[row % texts.count].utf8) + [0xff, 0])
        case .date32: return .date(Int32(row) - 70)
        case .time64: return .time(Int64(row) * 86_399_999_999 / 150)
        case .timestamp: return .timestamp(Int64(row - 70) * 1_234_567_890_123)
        case .list(let element):
            return .list(
                (0..<row % 4).map { index in
                    element.isNullable && (row + index) % 6 == 0 ? .null : value(element.type, row + index, place)
                })
        case .struct(let fields): return .struct(fields.map { row % 7 == 0 ? .null : value($0.type, row, place) })
        default: fatalError("no example of \(type)")
        }
    }
}
