/// Runs a function of one text over a column: once per dictionary entry where there is a dictionary, else once per row.
struct TextMap {
    /// A text column without a dictionary.
    private let column: ColumnVector

    /// The column with `body` applied to every value that is not null; `body` closes exactly one value of the writer.
    ///
    /// - Throws: `KernelError` naming `operation` unless the column is text.
    ///
    /// - Parameter remembers: whether the function is known by its name, so that its results for the entries of a dictionary
    ///   that grows from batch to batch are kept with that.
    @inline(__always)
    static func run(
        _ column: ColumnVector, _ operation: String, remembers: Bool = false,
        _ body: (_ base: UnsafeRawPointer, _ count: Int, _ writer: inout TextWriter) -> Void
    ) throws(KernelError) -> ColumnVector {
        guard column.type == .utf8 else { throw KernelError(operation, unsupported: [column.type]) }
        if remembers, let dictionary = column.dictionary, let origin = dictionary.origin,
            let known = remembered(column, dictionary.unsafeView, origin.derivation(operation), body)
        {
            return known
        }
        if let dictionary = column.dictionary, dictionary.count <= column.count {
            return Kernels.remapped(column, TextMap(column: dictionary).map(body))
        }
        return TextMap(column: Kernels.decoded(column)).map(body)
    }

    private init(column: ColumnVector) { self.column = column }

    /// The results over the dictionary of all results so far; nil when that is full.
    private static func remembered(
        _ column: ColumnVector, _ entries: UnsafeColumnView, _ derivation: GrowingDictionary.Derivation,
        _ body: (UnsafeRawPointer, Int, inout TextWriter) -> Void
    ) -> ColumnVector? {
        let view = column.unsafeView
        let out = MutableBuffer(capacity: column.count &* 4)
        let keys = out.values(as: Int32.self)
        var isFull = false
        // Only entries that are met for the first time are written.
        var writer = TextWriter(rows: column.count, bytes: 256)
        for row in 0..<column.count {
            guard view.isValid(row) else {
                keys[row] = 0
                continue
            }
            let number = derivation.number(of: view.key(row)) {
                let text = entries.bytes(view.key(row))
                if let base = text.baseAddress { body(base, text.count, &writer) } else { writer.commit(0) }
                return derivation.results.intern(writer.last)
            }
            isFull = isFull || number < 0
            keys[row] = number
        }
        withExtendedLifetime(column) {}
        if isFull { return nil }
        let validity = Validity(column)
        return ColumnVector(
            type: .utf8, count: column.count, nullCount: validity.nullCount, validity: validity.buffer,
            values: out.finish(byteCount: column.count &* 4), dictionary: derivation.results.snapshot())
    }

    @inline(__always)
    private func map(_ body: (UnsafeRawPointer, Int, inout TextWriter) -> Void) -> ColumnVector {
        let view = column.unsafeView
        let bytes = Int(view.textOffset(column.count) &- view.textOffset(0))
        var writer = TextWriter(rows: column.count, bytes: bytes)
        for row in 0..<column.count {
            if view.isValid(row) {
                let start = Int(view.textOffset(row))
                body(view.textBase + start, Int(view.textOffset(row &+ 1)) &- start, &writer)
            } else {
                writer.commit(0)
            }
        }
        withExtendedLifetime(column) {}
        return writer.finish(.utf8, Validity(column))
    }
}

/// Reads of well-formed UTF-8.
enum UTF8Bytes {
    /// The length of the sequence that starts with `first`.
    @inline(__always) static func length(startingWith first: UInt8) -> Int {
        first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    }

    /// The scalar at `base`, which takes `length` bytes.
    static func scalar(_ base: UnsafeRawPointer, length: Int) -> Unicode.Scalar {
        func low(_ index: Int) -> UInt32 { UInt32(base.load(fromByteOffset: index, as: UInt8.self) & 0x3f) }
        let first = UInt32(base.load(as: UInt8.self))
        let value: UInt32 =
            switch length {
            case 1: first
            case 2: (first & 0x1f) << 6 | low(1)
            case 3: (first & 0x0f) << 12 | low(1) << 6 | low(2)
            default: (first & 0x07) << 18 | low(1) << 12 | low(2) << 6 | low(3)
            }
        return Unicode.Scalar(value) ?? "\u{FFFD}"
    }

    /// The number of scalars in `count` bytes.
    @inline(__always) static func scalars(_ base: UnsafeRawPointer, _ count: Int) -> Int {
        var continuations = 0
        var start = 0
        while start &+ 8 <= count {
            let word = base.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            continuations &+= (word & ~(word &<< 1) & 0x8080_8080_8080_8080).nonzeroBitCount
            start &+= 8
        }
        for index in start..<count where base.load(fromByteOffset: index, as: UInt8.self) & 0xc0 == 0x80 {
            continuations &+= 1
        }
        return count &- continuations
    }

    /// The bytes that the first `scalars` scalars take, all of them when there are fewer.
    @inline(__always) static func prefix(_ base: UnsafeRawPointer, _ count: Int, scalars: Int) -> Int {
        var index = 0
        var left = scalars
        while left > 0 && index < count {
            index &+= length(startingWith: base.load(fromByteOffset: index, as: UInt8.self))
            left &-= 1
        }
        return min(index, count)
    }

    /// Whether all of `count` bytes are ASCII.
    @inline(__always) static func isASCII(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
        var index = 0
        var high: UInt64 = 0
        while index &+ 8 <= count {
            high |= base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < count {
            high |= UInt64(base.load(fromByteOffset: index, as: UInt8.self))
            index &+= 1
        }
        return high & 0x8080_8080_8080_8080 == 0
    }

    /// The length of the white-space scalar at `base` (Unicode's White_Space), 0 when there is none.
    @inline(__always) static func spaceLength(_ base: UnsafeRawPointer, _ count: Int) -> Int {
        let first = base.load(as: UInt8.self)
        if first < 0x80 { return first == 0x20 || (first >= 0x09 && first <= 0x0d) ? 1 : 0 }
        return first == 0xc2 || (first >= 0xe1 && first <= 0xe3) ? wideSpaceLength(base, count) : 0
    }

    private static func wideSpaceLength(_ base: UnsafeRawPointer, _ count: Int) -> Int {
        let length = length(startingWith: base.load(as: UInt8.self))
        guard count >= length else { return 0 }
        return scalar(base, length: length).properties.isWhitespace ? length : 0
    }
}
