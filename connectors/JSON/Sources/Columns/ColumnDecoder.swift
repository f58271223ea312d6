import HeadraceColumnar
import HeadraceCore

/// Turns the values of one place of the records into one column. Used by one thread at a time.
class ColumnDecoder {
    let type: DataType
    /// The name of the column that the value belongs to.
    final let column: String
    /// The way to the value from the record; the column's name unless the value lies inside another.
    final let path: String
    final let isNullable: Bool

    init(_ field: Field, column: String, path: String) {
        type = field.type
        self.column = column
        self.path = path
        isNullable = field.isNullable
    }

    /// Appends exactly one value for the token just read and passes the rest of it; a value that the column does not
    /// take becomes null and a failure of the row.
    ///
    /// - Throws: for text that is no JSON, with nothing appended or, inside a list or struct, something to `recover`.
    func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        preconditionFailure("a column decoder without a way to decode")
    }

    /// Appends a null without asking whether there may be one.
    func appendNull() { preconditionFailure("a column decoder without a way to decode") }

    /// Closes a list or struct in whose middle an error was thrown; whether there was one, which is a value now.
    func recover() -> Bool { false }

    /// The column; the decoder is empty afterwards.
    func finish() -> ColumnVector { preconditionFailure("a column decoder without a way to decode") }

    /// Appends what a null or a missing member gives.
    @inline(__always)
    final func appendMissing(_ context: inout DecodingContext) {
        appendNull()
        if !isNullable { context.fail(.missing, self, value: nil, found: "nothing") }
    }
}

extension ColumnDecoder {
    /// A decoder of a field that appends to `builder`, which must be of the field's type.
    static func make(
        _ field: Field, column: String, path: String, builder: any ColumnBuilder
    ) -> ColumnDecoder {
        switch field.type {
        case .bool: BooleanDecoder(field, column, path, cast(builder))
        case .int8: FixedDecoder(field, column, path, cast(builder), IntegerReader<Int8>())
        case .int16: FixedDecoder(field, column, path, cast(builder), IntegerReader<Int16>())
        case .int32: FixedDecoder(field, column, path, cast(builder), IntegerReader<Int32>())
        case .int64: FixedDecoder(field, column, path, cast(builder), IntegerReader<Int64>())
        case .uint8: FixedDecoder(field, column, path, cast(builder), IntegerReader<UInt8>())
        case .uint16: FixedDecoder(field, column, path, cast(builder), IntegerReader<UInt16>())
        case .uint32: FixedDecoder(field, column, path, cast(builder), IntegerReader<UInt32>())
        case .uint64: FixedDecoder(field, column, path, cast(builder), IntegerReader<UInt64>())
        case .float32: FixedDecoder(field, column, path, cast(builder), FloatReader())
        case .float64: FixedDecoder(field, column, path, cast(builder), DoubleReader())
        case .decimal(let precision, let scale):
            precision <= 18
                ? FixedDecoder(field, column, path, cast(builder), ShortDecimalReader(precision, scale))
                : FixedDecoder(field, column, path, cast(builder), LongDecimalReader(precision, scale))
        case .date32: FixedDecoder(field, column, path, cast(builder), DateReader())
        case .time64: FixedDecoder(field, column, path, cast(builder), TimeReader())
        case .timestamp(let zone):
            FixedDecoder(field, column, path, cast(builder), TimestampReader(hasZone: zone != nil))
        case .utf8: TextDecoder(field, column, path, cast(builder))
        case .json: DocumentDecoder(field, column, path, cast(builder))
        case .binary: BinaryDecoder(field, column, path, cast(builder))
        case .list(let element): ListDecoder(field, column, path, element, cast(builder))
        case .struct(let fields): StructDecoder(field, column, path, fields, cast(builder))
        }
    }

    private static func cast<Builder>(_ builder: any ColumnBuilder) -> Builder {
        guard let same = builder as? Builder else {
            preconditionFailure("\(builder.type) is not built by \(Builder.self)")
        }
        return same
    }
}
