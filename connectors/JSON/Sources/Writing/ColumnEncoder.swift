import Codecs
import HeadraceColumnar
import HeadraceCore

/// Writes the values of one column as JSON. Reads the column through raw pointers: the batch must outlive it.
class ColumnEncoder {
    final let view: UnsafeColumnView

    init(_ column: ColumnVector) { view = column.unsafeView }

    /// Writes value `row` of the column, nulls included.
    @inline(__always)
    final func write(_ row: Int, _ writer: inout JSONWriter) throws(HeadraceError) {
        if view.isValid(row) { try writeValue(row, &writer) } else { writer.null() }
    }

    /// Writes value `row`, which is not null.
    func writeValue(_ row: Int, _ writer: inout JSONWriter) throws(HeadraceError) {
        preconditionFailure("a column encoder without a way to encode")
    }

    /// The encoder of a column called `name`.
    static func make(_ column: ColumnVector, name: String, isOneLine: Bool) -> ColumnEncoder {
        if let dictionary = column.dictionary {
            return DictionaryEncoder(column, values: make(dictionary, name: name, isOneLine: isOneLine))
        }
        switch column.type {
        case .bool: return BooleanEncoder(column)
        case .int8: return IntegerEncoder<Int8>(column)
        case .int16: return IntegerEncoder<Int16>(column)
        case .int32: return IntegerEncoder<Int32>(column)
        case .int64: return IntegerEncoder<Int64>(column)
        case .uint8: return IntegerEncoder<UInt8>(column)
        case .uint16: return IntegerEncoder<UInt16>(column)
        case .uint32: return IntegerEncoder<UInt32>(column)
        case .uint64: return UnsignedEncoder(column)
        case .float32: return FloatEncoder(column)
        case .float64: return DoubleEncoder(column)
        case .decimal(let precision, let scale):
            return precision <= 18 ? ShortDecimalEncoder(column, scale) : LongDecimalEncoder(column, scale)
        case .utf8: return TextEncoder(column)
        case .json: return DocumentEncoder(column, name: name, isOneLine: isOneLine)
        case .binary: return BinaryEncoder(column)
        case .date32: return DateEncoder(column)
        case .time64: return TimeEncoder(column)
        case .timestamp(let zone): return TimestampEncoder(column, hasZone: zone != nil)
        case .list: return ListEncoder(column, elements: make(column.children[0], name: name, isOneLine: isOneLine))
        case .struct(let fields):
            return StructEncoder(
                column, keys: fields.map { JSONWriter.prepared($0.name) },
                members: zip(fields, column.children).map { field, child in
                    make(child, name: "\(name).\(field.name)", isOneLine: isOneLine)
                })
        }
    }
}

/// Values that are dictionary entries.
private final class DictionaryEncoder: ColumnEncoder {
    private let values: ColumnEncoder

    init(_ column: ColumnVector, values: ColumnEncoder) {
        self.values = values
        super.init(column)
    }

    override func writeValue(_ row: Int, _ writer: inout JSONWriter) throws(HeadraceError) {
        try values.writeValue(view.key(row), &writer)
    }
}

private final class BooleanEncoder: ColumnEncoder {
    override func writeValue(_ row: Int, _ writer: inout JSONWriter) { writer.bool(view.bool(row)) }
}

private final class IntegerEncoder<Value: FixedWidthInteger & BitwiseCopyable>: ColumnEncoder {
    override func writeValue(_ row: Int, _ writer: inout JSONWriter) {
        writer.integer(Int64(truncatingIfNeeded: view.values(as: Value.self)[row]))
    }
}

private final class UnsignedEncoder: ColumnEncoder {
    override func writeValue(_ row: Int, _ writer: inout JSONWriter) {
        writer.integer(view.values(as: UInt64.self)[row])
    }
}

private final class FloatEncoder: ColumnEncoder {
    override func writeValue(_ row: Int, _ writer: inout JSONWriter) {
        writer.float(view.values(as: Float.self)[row])
    }
}

private final class ShortDecimalEncoder: ColumnEncoder {
    private let scale: Int

    init(_ column: ColumnVector, _ scale: Int) {
        self.scale = scale
        super.init(column)
    }

    override func writeValue(_ row: Int, _ writer: inout JSONWriter) {
        writer.decimal(unscaled: view.values(as: Int64.self)[row], scale: scale)
    }
}

private final class LongDecimalEncoder: ColumnEncoder {
    private let scale: Int

    init(_ column: ColumnVector, _ scale: Int) {
        self.scale = scale
        super.init(column)
    }

    override func writeValue(_ row: Int, _ writer: inout JSONWriter) {
        writer.decimal(unscaled: view.values(as: Int128.self)[row], scale: scale)
    }
}

private final class TextEncoder: ColumnEncoder {
    override func writeValue(_ row: Int, _ writer: inout JSONWriter) { writer.string(view.bytes(row)) }
}

private final class BinaryEncoder: ColumnEncoder {
    override func writeValue(_ row: Int, _ writer: inout JSONWriter) { writer.string(Base64.encode(view.bytes(row))) }
}

/// Lists, element by element.
private final class ListEncoder: ColumnEncoder {
    private let elements: ColumnEncoder

    init(_ column: ColumnVector, elements: ColumnEncoder) {
        self.elements = elements
        super.init(column)
    }

    override func writeValue(_ row: Int, _ writer: inout JSONWriter) throws(HeadraceError) {
        writer.beginArray()
        for element in Int(view.textOffset(row))..<Int(view.textOffset(row + 1)) {
            try elements.write(element, &writer)
        }
        writer.endArray()
    }
}

/// Structs, member by member, nulls included.
private final class StructEncoder: ColumnEncoder {
    private let keys: [[UInt8]]
    private let members: [ColumnEncoder]
    /// The members' columns do not follow the window of the struct.
    private let offset: Int

    init(_ column: ColumnVector, keys: [[UInt8]], members: [ColumnEncoder]) {
        self.keys = keys
        self.members = members
        offset = column.offset
        super.init(column)
    }

    override func writeValue(_ row: Int, _ writer: inout JSONWriter) throws(HeadraceError) {
        writer.beginObject()
        for index in members.indices {
            keys[index].withUnsafeBytes { writer.key(prepared: $0) }
            try members[index].write(offset + row, &writer)
        }
        writer.endObject()
    }
}
