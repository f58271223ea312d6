import Codecs
import HeadraceColumnar
import HeadraceCore

/// Columns of fixed-width values.
final class FixedDecoder<Reader: CellReader>: ColumnDecoder {
    private let builder: PrimitiveBuilder<Reader.Value>
    private let reader: Reader

    init(
        _ field: Field, _ column: String, _ path: String, _ builder: PrimitiveBuilder<Reader.Value>, _ reader: Reader
    ) {
        self.builder = builder
        self.reader = reader
        super.init(field, column: column, path: path)
    }

    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        if token == .string {
            let text = tokenizer.hasEscapes ? context.resolved(tokenizer) : tokenizer.tokenBytes
            read(text, &context)
        } else if token == .number, Reader.takesNumbers {
            read(tokenizer.tokenBytes, &context)
        } else {
            try context.refuse(token, self, &tokenizer)
            builder.appendNull()
        }
    }

    @inline(__always)
    private func read(_ text: UnsafeRawBufferPointer, _ context: inout DecodingContext) {
        guard let base = text.baseAddress else { return fail(.empty, text, &context) }
        let parsed = reader.read(base, text.count)
        if parsed.problem == .none { builder.append(parsed.value) } else { fail(parsed.problem, text, &context) }
    }

    @inline(never)
    private func fail(_ problem: ParseProblem, _ text: UnsafeRawBufferPointer, _ context: inout DecodingContext) {
        builder.appendNull()
        let named = text.baseAddress.map { reader.explain(problem, $0, text.count) }
        context.fail(
            named ?? .wrongKind, self, value: DecodingContext.text(text, 0..<text.count), found: problem.description)
    }

    override func appendNull() { builder.appendNull() }
    override func finish() -> ColumnVector { builder.finish() }
}

/// Columns of truth values.
final class BooleanDecoder: ColumnDecoder {
    private let builder: BooleanBuilder

    init(_ field: Field, _ column: String, _ path: String, _ builder: BooleanBuilder) {
        self.builder = builder
        super.init(field, column: column, path: path)
    }

    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        if token == .true || token == .false { return builder.append(token == .true) }
        if token == .string {
            let text = context.resolved(tokenizer)
            if let base = text.baseAddress, let value = BooleanText.parse(base, count: text.count).valid {
                return builder.append(value)
            }
        }
        try context.refuse(token, self, &tokenizer, token == .string ? .notABoolean : .wrongKind)
        builder.appendNull()
    }

    override func appendNull() { builder.appendNull() }
    override func finish() -> ColumnVector { builder.finish() }
}

/// Columns of text: strings, and numbers and truth values as they are written.
final class TextDecoder: ColumnDecoder {
    private let builder: BytesBuilder

    init(_ field: Field, _ column: String, _ path: String, _ builder: BytesBuilder) {
        self.builder = builder
        super.init(field, column: column, path: path)
    }

    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        switch token {
        case .string where tokenizer.hasEscapes: builder.append(context.resolved(tokenizer))
        case .string, .number, .true, .false: builder.append(tokenizer.tokenBytes)
        default:
            try context.refuse(token, self, &tokenizer)
            builder.appendNull()
        }
    }

    /// Appends text that is known to be UTF-8.
    func appendText(_ text: UnsafeRawBufferPointer) { builder.append(text) }

    override func appendNull() { builder.appendNull() }
    override func finish() -> ColumnVector { builder.finish() }
}

/// Columns of JSON text: any value, checked and kept as it is written.
final class DocumentDecoder: ColumnDecoder {
    private let builder: BytesBuilder

    init(_ field: Field, _ column: String, _ path: String, _ builder: BytesBuilder) {
        self.builder = builder
        super.init(field, column: column, path: path)
    }

    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        let range = try tokenizer.validate(token)
        appendText(UnsafeRawBufferPointer(rebasing: tokenizer.bytes[range]), context.isLenient ? context.options : nil)
    }

    /// Appends a value whose text has been checked, by lenient rules if there are `options`.
    func appendText(_ text: UnsafeRawBufferPointer, _ options: JSONReadingOptions?) {
        guard let options, !Self.isStrict(text), let value = try? JSONValue.parse(text, options: options) else {
            return builder.append(text)
        }
        value.strict.compactBytes.withUnsafeBytes { builder.append($0) }
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

    override func appendNull() { builder.appendNull() }
    override func finish() -> ColumnVector { builder.finish() }
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
final class BinaryDecoder: ColumnDecoder {
    private let builder: BytesBuilder

    init(_ field: Field, _ column: String, _ path: String, _ builder: BytesBuilder) {
        self.builder = builder
        super.init(field, column: column, path: path)
    }

    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        if token == .string, let bytes = Base64.decode(tokenizer.text) {
            return bytes.withUnsafeBytes { builder.append($0) }
        }
        try context.refuse(token, self, &tokenizer, token == .string ? .notBase64 : .wrongKind)
        builder.appendNull()
    }

    override func appendNull() { builder.appendNull() }
    override func finish() -> ColumnVector { builder.finish() }
}
