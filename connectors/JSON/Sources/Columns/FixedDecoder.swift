import HeadraceColumnar
import HeadraceCore

/// Columns of fixed-width values: numbers, decimals, dates and times.
// One class for all kinds with a switch inside: the overridden methods of a generic class are never specialised.
final class FixedDecoder: ColumnDecoder {
    private enum Kind {
        case int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, shortDecimal, longDecimal
        case date, time, localTime, instant
    }

    private let kind: Kind
    private let takesNumbers: Bool
    private let precision: Int
    private let scale: Int
    private let width: Int
    private var memory: ValueMemory
    private var base: UnsafeMutableRawPointer
    private var room: Int

    override init(_ field: Field, _ place: ColumnPlace) {
        guard case .fixed(let width) = field.type.layout else {
            preconditionFailure("\(field.type) has values of no fixed width")
        }
        (kind, precision, scale) = Self.kind(of: field.type)
        self.width = width
        switch kind {
        case .date, .time, .localTime, .instant: takesNumbers = false
        default: takesNumbers = true
        }
        memory = ValueMemory(width: width, capacity: place.capacity)
        base = memory.base
        room = memory.room
        super.init(field, place)
    }

    @inline(never)
    private func grow() {
        memory.reserve(count &+ 1, keeping: count)
        base = memory.base
        room = memory.room
    }

    private static func kind(of type: DataType) -> (Kind, precision: Int, scale: Int) {
        switch type {
        case .int8: (.int8, 0, 0)
        case .int16: (.int16, 0, 0)
        case .int32: (.int32, 0, 0)
        case .uint8: (.uint8, 0, 0)
        case .uint16: (.uint16, 0, 0)
        case .uint32: (.uint32, 0, 0)
        case .uint64: (.uint64, 0, 0)
        case .float32: (.float32, 0, 0)
        case .float64: (.float64, 0, 0)
        case .decimal(let precision, let scale): (precision <= 18 ? .shortDecimal : .longDecimal, precision, scale)
        case .date32: (.date, 0, 0)
        case .time64: (.time, 0, 0)
        case .timestamp(let zone): (zone == nil ? .localTime : .instant, 0, 0)
        default: (.int64, 0, 0)
        }
    }

    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        switch token {
        case .number where takesNumbers: read(tokenizer.tokenBytes, &context)
        case .string where tokenizer.hasEscapes: read(context.resolved(tokenizer), &context)
        case .string: read(tokenizer.tokenBytes, &context)
        default:
            try context.refuse(token, self, &tokenizer)
            appendNull()
        }
    }

    override var plainKinds: UInt8 { takesNumbers ? 0b1011 : 0b1001 }

    override func append(
        plain text: UnsafeRawBufferPointer, _ kind: PredictedRows.Kind, _ context: inout DecodingContext
    ) { read(text, &context) }

    private func read(_ text: UnsafeRawBufferPointer, _ context: inout DecodingContext) {
        guard let base = text.baseAddress else { return fail(.empty, text, &context) }
        let count = text.count
        let problem: ParseProblem
        switch kind {
        case .int8: problem = put(CellReading.integer(base, count, as: Int8.self))
        case .int16: problem = put(CellReading.integer(base, count, as: Int16.self))
        case .int32: problem = put(CellReading.integer(base, count, as: Int32.self))
        case .int64: problem = put(CellReading.integer(base, count, as: Int64.self))
        case .uint8: problem = put(CellReading.integer(base, count, as: UInt8.self))
        case .uint16: problem = put(CellReading.integer(base, count, as: UInt16.self))
        case .uint32: problem = put(CellReading.integer(base, count, as: UInt32.self))
        case .uint64: problem = put(CellReading.integer(base, count, as: UInt64.self))
        case .float32: problem = put(FloatParser().parse(base, count))
        case .float64: problem = put(DoubleText.parse(base, count: count, allowsNonFinite: true))
        case .shortDecimal:
            problem = put(DecimalText.parse64(base, count: count, precision: precision, scale: scale))
        case .longDecimal:
            problem = put(DecimalText.parse128(base, count: count, precision: precision, scale: scale))
        case .date: problem = put(DateText.parse(base, count: count))
        case .time: problem = put(TimeText.parse(base, count: count))
        case .localTime: problem = put(TimestampParser(hasZone: false).parse(base, count))
        case .instant: problem = put(TimestampParser(hasZone: true).parse(base, count))
        }
        if problem.rawValue != 0 { fail(problem, text, &context) }
    }

    /// Appends a value that could be read; nothing else.
    @inline(__always)
    private func put<Value: BitwiseCopyable & Sendable>(_ parsed: Parsed<Value>) -> ParseProblem {
        if parsed.problem.rawValue == 0 {
            if count == room { grow() }
            base.storeBytes(of: parsed.value, toByteOffset: count &* MemoryLayout<Value>.stride, as: Value.self)
            count &+= 1
        }
        return parsed.problem
    }

    @inline(never)
    private func fail(_ problem: ParseProblem, _ text: UnsafeRawBufferPointer, _ context: inout DecodingContext) {
        appendNull()
        context.fail(
            CellReading.explain(problem, text, type), self, value: DecodingContext.text(text, 0..<text.count),
            found: problem.description)
    }

    override func appendBlank() {
        if count == room { grow() }
        (base + count &* width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
        count &+= 1
    }

    override func finish() -> ColumnVector {
        let (validity, nullCount) = nulls.finish(count)
        return ColumnVector(
            type: type, count: count, nullCount: nullCount, validity: validity, values: memory.finish(count))
    }
}

/// Columns of truth values.
final class BooleanDecoder: ColumnDecoder {
    private var memory: ValueMemory

    override init(_ field: Field, _ place: ColumnPlace) {
        memory = ValueMemory(width: 1, capacity: Bitmap.byteCount(place.capacity))
        super.init(field, place)
    }

    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        switch token {
        case .true: put(true)
        case .false: put(false)
        case .string:
            let text = context.resolved(tokenizer)
            if let base = text.baseAddress, let value = BooleanText.parse(base, count: text.count).valid {
                return put(value)
            }
            try context.refuse(token, self, &tokenizer, .notABoolean)
            appendNull()
        default:
            try context.refuse(token, self, &tokenizer)
            appendNull()
        }
    }

    override var plainKinds: UInt8 { 0b1100 }

    override func append(
        plain text: UnsafeRawBufferPointer, _ kind: PredictedRows.Kind, _ context: inout DecodingContext
    ) { put(text.count == 4) }

    private func put(_ value: Bool) {
        if count &>> 3 == memory.room { memory.reserve(count &>> 3 &+ 1, keeping: count &>> 3) }
        Bitmap.set(memory.base, count, value)
        count &+= 1
    }

    override func appendBlank() { put(false) }

    override func finish() -> ColumnVector {
        let (validity, nullCount) = nulls.finish(count)
        return ColumnVector(
            type: type, count: count, nullCount: nullCount, validity: validity,
            values: memory.finish(Bitmap.byteCount(count)))
    }
}
