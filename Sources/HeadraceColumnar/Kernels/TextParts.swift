extension Kernels {
    /// The number of characters of each text as an `int64`, counted as Unicode scalars as SQL does; null stays null.
    /// - Throws: `KernelError` unless the column is text.
    public static func length(_ column: ColumnVector) throws(KernelError) -> ColumnVector {
        guard column.type == .utf8 else { throw KernelError("length", unsupported: [column.type]) }
        let entries = column.dictionary ?? column
        if entries.count > column.count { return try length(decoded(column)) }
        let view = entries.unsafeView
        let out = MutableBuffer(capacity: entries.count &* 8)
        let target = out.values(as: Int64.self)
        for row in 0..<entries.count {
            let bytes = view.bytes(row)
            target[row] = bytes.baseAddress.map { Int64(UTF8Bytes.scalars($0, bytes.count)) } ?? 0
        }
        let validity = Validity(entries)
        let lengths = ColumnVector(
            type: .int64, count: entries.count, nullCount: validity.nullCount, validity: validity.buffer,
            values: out.finish(byteCount: entries.count &* 8))
        guard column.dictionary != nil else { return lengths }
        return decoded(
            ColumnVector(
                type: .int64, count: column.count, offset: column.offset, nullCount: column.nullCount,
                validity: column.validity, values: column.values, dictionary: lengths))
    }

    /// The characters of each text from `start` on (1 is the first), at most `count` of them; null stays null.
    ///
    /// Characters are Unicode scalars. As in standard SQL, places before the first character count as passed: from 0, one
    /// character less than `count` is left.
    /// - Throws: `KernelError` unless the column is text.
    public static func substring(
        _ column: ColumnVector, from start: Int, count: Int? = nil
    ) throws(KernelError) -> ColumnVector {
        let skipped = max(start, 1) - 1
        // No text has 2^31 characters, so that clamped numbers say the same and cannot overflow.
        let first = min(max(start, -1 << 32), 1 << 32)
        let most = count.map { max(0, first + min(max($0, 0), 1 << 33) - 1 - min(skipped, 1 << 32)) } ?? .max
        return try TextMap.run(column, "substring") { base, bytes, writer in
            let from = UTF8Bytes.prefix(base, bytes, scalars: skipped)
            let length = most == .max ? bytes &- from : UTF8Bytes.prefix(base + from, bytes &- from, scalars: most)
            writer.append(base + from, count: length)
        }
    }

    /// Where `pad` adds characters.
    public enum PadSide: Sendable, Hashable {
        /// Before the text or behind it.
        case leading, trailing
    }

    /// Text filled up to `width` characters with repetitions of `filler`, cut where it ends; longer texts stay as they are, and null
    /// stays null. An empty filler adds nothing.
    /// - Throws: `KernelError` unless the column is text.
    public static func pad(
        _ column: ColumnVector, to width: Int, with filler: String = " ", _ side: PadSide = .leading
    ) throws(KernelError) -> ColumnVector {
        let scalars = Array(filler.unicodeScalars)
        if scalars.isEmpty { return try TextMap.run(column, "pad") { $2.append($0, count: $1) } }
        // The whole filling once; each text takes the first part of it.
        var filling = ""
        for index in 0..<max(width, 0) { filling.unicodeScalars.append(scalars[index % scalars.count]) }
        let memory = Buffer(text: filling)
        let source = UnsafeRawPointer(memory.base)
        defer { withExtendedLifetime(memory) {} }
        return try TextMap.run(column, "pad") { base, count, writer in
            let missing = width &- UTF8Bytes.scalars(base, count)
            if missing <= 0 {
                writer.append(base, count: count)
                return
            }
            let extra = UTF8Bytes.prefix(source, memory.byteCount, scalars: missing)
            let target = writer.reserve(count &+ extra)
            (target + (side == .leading ? extra : 0)).copyMemory(from: base, byteCount: count)
            (target + (side == .leading ? 0 : count)).copyMemory(from: source, byteCount: extra)
            writer.commit(count &+ extra)
        }
    }

    /// What `concatenate` makes of a null among its parts.
    public enum NullRule: Sendable, Hashable {
        /// The result is null, as with SQL's `||`.
        case propagate
        /// The part is left out with its separator, as with SQL's `concat_ws`.
        case skip
    }

    /// The texts of each row joined, `separator` between them. At least one part must be a column.
    /// - Throws: `KernelError` unless all parts are text.
    public static func concatenate(
        _ parts: [Operand], separator: String = "", nulls rule: NullRule = .propagate
    ) throws(KernelError) -> ColumnVector {
        for part in parts where part.type != .utf8 { throw KernelError("concatenate", unsupported: parts.map(\.type)) }
        let count = parts.compactMap { part in
            if case .column(let column) = part { column.count } else { nil }
        }.first
        guard let count else { preconditionFailure("concatenate needs a column") }
        let terms = parts.map { TextTerm($0) }
        precondition(
            terms.allSatisfy { $0.isConstant || $0.count == count }, "concatenate of columns of different lengths")
        let glue = Array(separator.utf8)
        let bits = Bitmap.build(count) { row in rule == .skip || terms.allSatisfy { $0.isValid(row) } }
        let validity = Validity(buffer: bits, nullCount: count &- Bitmap.countSet(bits.base, offset: 0, count: count))
        var writer = TextWriter(rows: count, bytes: count &* 8)
        glue.withUnsafeBytes { glue in
            for row in 0..<count {
                guard validity.isValid(row) else {
                    writer.commit(0)
                    continue
                }
                let most = terms.reduce(0) { $0 &+ $1.byteCount(row) &+ glue.count }
                let target = writer.reserve(most)
                var written = 0
                var isFirst = true
                for term in terms where term.isValid(row) {
                    if !isFirst, let base = glue.baseAddress {
                        (target + written).copyMemory(from: base, byteCount: glue.count)
                        written &+= glue.count
                    }
                    isFirst = false
                    let bytes = term.bytes(row)
                    if let base = bytes.baseAddress {
                        (target + written).copyMemory(from: base, byteCount: bytes.count)
                    }
                    written &+= bytes.count
                }
                writer.commit(written)
            }
        }
        withExtendedLifetime(terms) {}
        return writer.finish(.utf8, validity)
    }
}

/// A text operand: a column with or without a dictionary, or one text for all rows.
struct TextTerm {
    private let rows: UnsafeColumnView
    private let values: UnsafeColumnView
    private let isEncoded: Bool
    private let owner: ColumnVector
    let isConstant: Bool
    var count: Int { rows.count }

    init(_ operand: Operand) {
        switch operand {
        case .column(let column):
            owner = column
            isConstant = false
        case .value(let value, let type):
            guard let column = ColumnVector.of(type, [value]) else {
                preconditionFailure("a constant does not fit its own type \(type)")
            }
            owner = column
            isConstant = true
        }
        rows = owner.unsafeView
        values = (owner.dictionary ?? owner).unsafeView
        isEncoded = owner.dictionary != nil
    }

    @inline(__always) func isValid(_ row: Int) -> Bool { rows.isValid(isConstant ? 0 : row) }

    /// The bytes at `row`, none for null.
    @inline(__always) func bytes(_ row: Int) -> UnsafeRawBufferPointer {
        let row = isConstant ? 0 : row
        guard rows.isValid(row) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return values.bytes(isEncoded ? rows.key(row) : row)
    }

    @inline(__always) func byteCount(_ row: Int) -> Int { bytes(row).count }
}

extension Buffer {
    /// The UTF-8 bytes of `text`.
    convenience init(text: String) {
        let bytes = Array(text.utf8)
        let (base, capacity) = BufferPool.allocate(bytes.count)
        bytes.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress { base.copyMemory(from: source, byteCount: bytes.count) }
        }
        self.init(pooled: base, byteCount: bytes.count, capacity: capacity)
    }
}
