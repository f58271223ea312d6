import HeadraceCodecs
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
        case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: return IntegerEncoder(column)
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

// One class with a switch inside: the overridden methods of a generic class are never specialised.
private final class IntegerEncoder: ColumnEncoder {
    private let type: DataType

    override init(_ column: ColumnVector) {
        type = column.type
        super.init(column)
    }

    override func writeValue(_ row: Int, _ writer: inout JSONWriter) {
        switch type {
        case .int8: writer.integer(Int64(view.values(as: Int8.self)[row]))
        case .int16: writer.integer(Int64(view.values(as: Int16.self)[row]))
        case .int32: writer.integer(Int64(view.values(as: Int32.self)[row]))
        case .uint8: writer.integer(Int64(view.values(as: UInt8.self)[row]))
        case .uint16: writer.integer(Int64(view.values(as: UInt16.self)[row]))
        case .uint32: writer.integer(Int64(view.values(as: UInt32.self)[row]))
        case .uint64: writer.integer(view.values(as: UInt64.self)[row])
        default: writer.integer(view.values(as: Int64.self)[row])
        }
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
