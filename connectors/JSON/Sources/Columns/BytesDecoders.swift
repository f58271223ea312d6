import HeadraceCodecs
import HeadraceColumnar
import HeadraceCore

/// Columns of bytes: what text, JSON and binary share.
class BytesDecoder: ColumnDecoder {
    private final var bytes: ValueMemory
    private final var offsets: ValueMemory
    private final var base: UnsafeMutableRawPointer
    private final var room: Int
    private final var ends: UnsafeMutablePointer<Int32>
    private final var endRoom: Int
    private final var used = 0

    override init(_ field: Field, _ place: ColumnPlace) {
        bytes = ValueMemory(width: 1, capacity: place.capacity * 16)
        offsets = ValueMemory(width: 4, capacity: place.capacity + 1)
        base = bytes.base
        room = bytes.room
        ends = offsets.base.assumingMemoryBound(to: Int32.self)
        endRoom = offsets.room
        ends[0] = 0
        super.init(field, place)
    }

    /// Appends a value that is known to be right.
    final func put(_ value: UnsafeRawBufferPointer) {
        let length = value.count
        if used &+ length > room || count &+ 1 == endRoom { grow(length) }
        if let source = value.baseAddress { (base + used).copyMemory(from: source, byteCount: length) }
        used &+= length
        count &+= 1
        ends[count] = Int32(truncatingIfNeeded: used)
    }

    /// Appends a value that is known to be right, with 64 bytes behind it that can be read.
    @inline(__always)
    final func put(padded value: UnsafeRawBufferPointer) {
        let length = value.count
        if used &+ length > room || count &+ 1 == endRoom { grow(length) }
        if let source = value.baseAddress {
            // What is written too far is overwritten by the next value, or lies in the memory's padding.
            let target = base + used
            var copied = 0
            repeat {
                target.storeBytes(
                    of: source.loadUnaligned(fromByteOffset: copied, as: SIMD32<UInt8>.self), toByteOffset: copied,
                    as: SIMD32<UInt8>.self)
                copied &+= 32
            } while copied < length
        }
        used &+= length
        count &+= 1
        ends[count] = Int32(truncatingIfNeeded: used)
    }

    @inline(never)
    private final func grow(_ length: Int) {
        precondition(used &+ length <= Int(Int32.max), "a text column passed 2 GiB")
        bytes.reserve(used &+ length, keeping: used)
        offsets.reserve(count &+ 2, keeping: count &+ 1)
        base = bytes.base
        room = bytes.room
        ends = offsets.base.assumingMemoryBound(to: Int32.self)
        endRoom = offsets.room
    }

    override final func appendBlank() { put(UnsafeRawBufferPointer(start: nil, count: 0)) }

    override final func finish() -> ColumnVector {
        let (validity, nullCount) = nulls.finish(count)
        return ColumnVector(
            type: type, count: count, nullCount: nullCount, validity: validity, values: bytes.finish(used),
            offsets: offsets.finish(count + 1))
    }
}

/// Columns of text: strings, and numbers and truth values as they are written.
final class TextDecoder: BytesDecoder {
    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        switch token {
        case .string where tokenizer.hasEscapes: put(context.resolved(tokenizer))
        case .string, .number, .true, .false: put(tokenizer.tokenBytes)
        default:
            try context.refuse(token, self, &tokenizer)
            appendNull()
        }
    }

    override var plainKinds: UInt8 { 0b1111 }

    override func append(
        plain text: UnsafeRawBufferPointer, _ kind: PredictedRows.Kind, _ context: inout DecodingContext
    ) { put(padded: text) }
}

/// Columns of JSON text: any value, checked and kept as it is written.
final class DocumentDecoder: BytesDecoder {
    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        let range = try tokenizer.validate(token)
        putDocument(UnsafeRawBufferPointer(rebasing: tokenizer.bytes[range]), context.isLenient ? context.options : nil)
    }

    /// Appends a value whose text has been checked, by lenient rules if there are `options`.
    func putDocument(_ text: UnsafeRawBufferPointer, _ options: JSONReadingOptions?) {
        guard let options, !Self.isStrict(text), let value = try? JSONValue.parse(text, options: options) else {
            return put(text)
        }
        value.strict.compactBytes.withUnsafeBytes { put($0) }
    }

    private static func isStrict(_ text: UnsafeRawBufferPointer) -> Bool {
        var tokenizer = JSONTokenizer(text)
        do {
            while try tokenizer.next() != .end {}
            return true
        } catch {
            return false
        }
    }
}

extension JSONValue {
    /// The same value with null in place of numbers that RFC 8259 does not know.
    fileprivate var strict: JSONValue {
        switch self {
        case .number(let number): JSONNumber(number.text) == nil ? .null : self
        case .array(let elements): .array(elements.map(\.strict))
        case .object(let object): .object(JSONObject(object.members.map { .init($0.name, $0.value.strict) }))
        default: self
        }
    }
}

/// Columns of bytes, in strings as Base64 with padding.
final class BinaryDecoder: BytesDecoder {
    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        if case .string = token {
            if let bytes = Base64.decode(tokenizer.text) { return bytes.withUnsafeBytes { put($0) } }
            try context.refuse(token, self, &tokenizer, .notBase64)
        } else {
            try context.refuse(token, self, &tokenizer)
        }
        appendNull()
    }
}
