import HeadraceColumnar
import HeadraceCore

/// Turns the values of one place of the records into one column. Used by one thread at a time.
class ColumnDecoder {
    final let type: DataType
    /// The name of the column that the value belongs to.
    final let column: String
    /// The way to the value from the record; the column's name unless the value lies inside another.
    final let path: String
    final let isNullable: Bool
    /// Values so far, nulls included.
    final var count = 0
    final var nulls = NullBits()

    init(_ field: Field, _ place: ColumnPlace) {
        type = field.type
        column = place.column
        path = place.path
        isNullable = field.isNullable
    }

    /// Appends exactly one value for the token just read and passes the rest of it; a value that the column does not
    /// take becomes null and a failure of the row. Not called for null.
    ///
    /// - Throws: for text that is no JSON, with nothing appended or, inside a list or struct, something to `recover`.
    func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        preconditionFailure("a column decoder without a way to decode")
    }

    /// The kinds of value that `append(plain:_:_:)` takes, one bit each by their numbers; null is one of them.
    var plainKinds: UInt8 { 0 }

    /// Appends exactly one value, as `append` does, of a kind that is not null and among `plainKinds`: the inside of a
    /// string that is text as it stands, or a number or word as it is written. At least 64 bytes behind it can be read.
    func append(plain text: UnsafeRawBufferPointer, _ kind: PredictedRows.Kind, _ context: inout DecodingContext) {
        preconditionFailure("a column decoder without a way to decode")
    }

    /// Appends the value under a null.
    func appendBlank() { preconditionFailure("a column decoder without a way to decode") }

    /// Closes a list or struct in whose middle an error was thrown; whether there was one, which is a value now.
    func recover() -> Bool { false }

    /// The column; to be called once.
    func finish() -> ColumnVector { preconditionFailure("a column decoder without a way to decode") }

    /// Appends a null without asking whether there may be one.
    final func appendNull() {
        nulls.setNull(count)
        appendBlank()
    }

    /// Appends what a null or a missing member gives.
    final func appendMissing(_ context: inout DecodingContext) {
        appendNull()
        if !isNullable { context.fail(.missing, self, value: nil, found: "nothing") }
    }
}

/// Where a column's values come from, and room for how many there should be.
struct ColumnPlace {
    var column: String
    var path: String
    var capacity: Int

    /// The place of what lies inside.
    func inside(_ suffix: String) -> ColumnPlace {
        ColumnPlace(column: column, path: path + suffix, capacity: capacity)
    }
}

extension ColumnDecoder {
    /// A decoder of a field's values.
    static func make(_ field: Field, _ place: ColumnPlace) -> ColumnDecoder {
        switch field.type {
        case .bool: BooleanDecoder(field, place)
        case .utf8: TextDecoder(field, place)
        case .json: DocumentDecoder(field, place)
        case .binary: BinaryDecoder(field, place)
        case .list(let element): ListDecoder(field, place, element)
        case .struct(let fields): StructDecoder(field, place, fields)
        default: FixedDecoder(field, place)
        }
    }
}
