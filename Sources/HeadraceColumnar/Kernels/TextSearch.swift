import Glibc

extension Kernels {
    /// How a text is looked for in another; upper and lower case differ.
    public enum TextMatch: String, Sendable, Hashable, CaseIterable {
        /// Anywhere, at the beginning or at the end.
        case contains, startsWith, endsWith
    }

    /// Whether each text contains, starts or ends with `pattern`: a column of booleans, null where either is null. Every text
    /// contains the empty one.
    /// - Throws: `KernelError` unless both are text.
    public static func match(
        _ column: ColumnVector, _ kind: TextMatch, _ pattern: Operand
    ) throws(KernelError) -> ColumnVector {
        guard column.type == .utf8, pattern.type == .utf8 else {
            throw KernelError(kind.rawValue, unsupported: [column.type, pattern.type])
        }
        let term = TextTerm(pattern)
        precondition(term.isConstant || term.count == column.count, "columns of different lengths are not matched")
        if term.isConstant, !term.isValid(0) { return .nulls(.bool, count: column.count) }
        if term.isConstant, let dictionary = column.dictionary, dictionary.count <= column.count {
            let known = try match(dictionary, kind, pattern).unsafeValues
            let view = column.unsafeView
            let bits = Bitmap.build(column.count) { view.isValid($0) && Bitmap.get(known.base, view.key($0)) }
            withExtendedLifetime(known) {}
            return result(.bool, column, bits, []).column
        }
        let text = TextTerm(.column(column))
        let bits: Buffer =
            switch kind {
            case .contains: Bitmap.build(column.count) { TextSearch.first(term.bytes($0), in: text.bytes($0)) != nil }
            case .startsWith:
                Bitmap.build(column.count) { row in
                    let bytes = text.bytes(row)
                    let sought = term.bytes(row)
                    return bytes.count >= sought.count && TextSearch.equal(bytes, 0, sought)
                }
            case .endsWith:
                Bitmap.build(column.count) { row in
                    let bytes = text.bytes(row)
                    let sought = term.bytes(row)
                    return bytes.count >= sought.count && TextSearch.equal(bytes, bytes.count &- sought.count, sought)
                }
            }
        let validity: Validity
        if case .column(let other) = pattern { validity = Validity(column, other) } else { validity = Validity(column) }
        withExtendedLifetime((term, text)) {}
        return ColumnVector(
            type: .bool, count: column.count, nullCount: validity.nullCount, validity: validity.buffer, values: bits)
    }

    /// Text with every occurrence of `pattern` replaced, from left to right without overlap; null where any of the three is null. An
    /// empty pattern occurs nowhere.
    /// - Throws: `KernelError` unless all are text.
    public static func replace(
        _ column: ColumnVector, _ pattern: Operand, with replacement: Operand
    ) throws(KernelError) -> ColumnVector {
        guard column.type == .utf8, pattern.type == .utf8, replacement.type == .utf8 else {
            throw KernelError("replace", unsupported: [column.type, pattern.type, replacement.type])
        }
        let sought = TextTerm(pattern)
        let new = TextTerm(replacement)
        defer { withExtendedLifetime((sought, new)) {} }
        if sought.isConstant && new.isConstant {
            guard sought.isValid(0), new.isValid(0) else { return .nulls(.utf8, count: column.count) }
            let (pattern, text) = (sought.bytes(0), new.bytes(0))
            return try TextMap.run(column, "replace") { base, count, writer in
                TextSearch.replace(pattern, with: text, in: UnsafeRawBufferPointer(start: base, count: count), &writer)
            }
        }
        precondition(
            (sought.isConstant || sought.count == column.count) && (new.isConstant || new.count == column.count),
            "columns of different lengths are not replaced in")
        let text = TextTerm(.column(column))
        var writer = TextWriter(rows: column.count, bytes: column.count &* 8)
        let bits = Bitmap.build(column.count) { text.isValid($0) && sought.isValid($0) && new.isValid($0) }
        for row in 0..<column.count {
            if Bitmap.get(bits.base, row) {
                TextSearch.replace(sought.bytes(row), with: new.bytes(row), in: text.bytes(row), &writer)
            } else {
                writer.commit(0)
            }
        }
        withExtendedLifetime(text) {}
        let nulls = column.count &- Bitmap.countSet(bits.base, offset: 0, count: column.count)
        return writer.finish(.utf8, Validity(buffer: bits, nullCount: nulls))
    }

    /// Part `index` of each text between occurrences of `separator`: 1 is the first, -1 the last. The empty text where there is no such
    /// part, as in PostgreSQL; null stays null. An empty separator leaves the text whole.
    /// - Throws: `KernelError` unless the column is text.
    public static func splitPart(
        _ column: ColumnVector, separator: String, index: Int
    ) throws(KernelError) -> ColumnVector {
        let memory = Buffer(text: separator)
        let separator = UnsafeRawBufferPointer(start: memory.base, count: memory.byteCount)
        defer { withExtendedLifetime(memory) {} }
        return try TextMap.run(column, "splitPart") { base, count, writer in
            let text = UnsafeRawBufferPointer(start: base, count: count)
            let wanted = index > 0 ? index : index &+ TextSearch.parts(text, separator) &+ 1
            let part = index == 0 ? nil : TextSearch.part(text, separator, wanted)
            if let part { writer.append(base + part.lowerBound, count: part.count) } else { writer.commit(0) }
        }
    }
}

/// Searches in bytes; as UTF-8 cannot be mistaken in the middle, a match of bytes is one of characters.
private enum TextSearch {
    /// Where `pattern` first occurs in `bytes`.
    @inline(__always)
    static func first(_ pattern: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer) -> Int? {
        if pattern.count == 0 { return 0 }
        guard bytes.count >= pattern.count, let base = bytes.baseAddress, let sought = pattern.baseAddress else {
            return nil
        }
        let initial = Int32(sought.load(as: UInt8.self))
        let last = bytes.count &- pattern.count
        var index = 0
        while index <= last {
            guard let found = memchr(base + index, initial, last &- index &+ 1) else { return nil }
            let at = UnsafeRawPointer(found) - base
            if memcmp(base + at, sought, pattern.count) == 0 { return at }
            index = at &+ 1
        }
        return nil
    }

    @inline(__always)
    static func equal(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ pattern: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress, let other = pattern.baseAddress else { return pattern.count == 0 }
        return memcmp(base + start, other, pattern.count) == 0
    }

    /// The bytes behind `start`.
    @inline(__always)
    static func rest(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes.baseAddress.map { $0 + start }, count: bytes.count &- start)
    }

    static func replace(
        _ pattern: UnsafeRawBufferPointer, with new: UnsafeRawBufferPointer, in text: UnsafeRawBufferPointer,
        _ writer: inout TextWriter
    ) {
        var matches = 0
        var start = 0
        while pattern.count > 0, let found = first(pattern, in: rest(text, start)) {
            matches &+= 1
            start &+= found &+ pattern.count
        }
        let size = text.count &+ matches &* (new.count &- pattern.count)
        let target = writer.reserve(size)
        var written = 0
        func copy(_ bytes: UnsafeRawBufferPointer, _ from: Int, _ count: Int) {
            if count > 0, let base = bytes.baseAddress {
                (target + written).copyMemory(from: base + from, byteCount: count)
                written &+= count
            }
        }
        start = 0
        for _ in 0..<matches {
            guard let found = first(pattern, in: rest(text, start)) else { break }
            copy(text, start, found)
            copy(new, 0, new.count)
            start &+= found &+ pattern.count
        }
        copy(text, start, text.count &- start)
        writer.commit(written)
    }

    /// The number of parts between separators, at least one.
    static func parts(_ text: UnsafeRawBufferPointer, _ separator: UnsafeRawBufferPointer) -> Int {
        var count = 1
        var start = 0
        while separator.count > 0, let found = first(separator, in: rest(text, start)) {
            count &+= 1
            start &+= found &+ separator.count
        }
        return count
    }

    static func part(_ text: UnsafeRawBufferPointer, _ separator: UnsafeRawBufferPointer, _ index: Int) -> Range<Int>? {
        guard index > 0 else { return nil }
        var start = 0
        var left = index
        while true {
            let found = separator.count > 0 ? first(separator, in: rest(text, start)) : nil
            left &-= 1
            if left == 0 { return start..<(found.map { start &+ $0 } ?? text.count) }
            guard let found else { return nil }
            start &+= found &+ separator.count
        }
    }
}

extension ColumnVector {
    /// The values of a result that starts at bit 0.
    fileprivate var unsafeValues: Buffer { values ?? MutableBuffer.zeroed(byteCount: 64) }
}
