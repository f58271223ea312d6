import HeadraceColumnar
import HeadraceCore

/// Room for the text of one value, kept for a column.
private final class Scratch {
    let base: UnsafeMutableRawPointer

    init(_ capacity: Int) { base = .allocate(byteCount: capacity, alignment: 8) }
    deinit { base.deallocate() }

    func text(_ count: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}

/// Doubles as the shortest text that reads back as the same value.
final class DoubleEncoder: ColumnEncoder {
    private let scratch = Scratch(DoubleText.capacity)

    override func writeValue(_ row: Int, _ writer: inout JSONWriter) {
        let value = view.values(as: Double.self)[row]
        guard value.isFinite else { return writer.double(value) }
        writer.json(scratch.text(DoubleText.format(value, into: scratch.base)))
    }
}

/// Dates as ISO text.
final class DateEncoder: ColumnEncoder {
    private let scratch = Scratch(DateText.capacity)

    override func writeValue(_ row: Int, _ writer: inout JSONWriter) {
        writer.string(plain: scratch.text(DateText.format(view.values(as: Int32.self)[row], into: scratch.base)))
    }
}

/// Times of day as ISO text.
final class TimeEncoder: ColumnEncoder {
    private let scratch = Scratch(TimeText.capacity)

    override func writeValue(_ row: Int, _ writer: inout JSONWriter) {
        writer.string(plain: scratch.text(TimeText.format(view.values(as: Int64.self)[row], into: scratch.base)))
    }
}

/// Timestamps as ISO text, those of a column with a zone in UTC with a `Z`.
final class TimestampEncoder: ColumnEncoder {
    private let scratch = Scratch(TimestampText.capacity)
    private let hasZone: Bool

    init(_ column: ColumnVector, hasZone: Bool) {
        self.hasZone = hasZone
        super.init(column)
    }

    override func writeValue(_ row: Int, _ writer: inout JSONWriter) {
        let count = TimestampText.format(
            view.values(as: Int64.self)[row], hasZone: hasZone, into: scratch.base)
        writer.string(plain: scratch.text(count))
    }
}

/// JSON text, embedded as the value that it is.
final class DocumentEncoder: ColumnEncoder {
    private let name: String
    /// Whether line ends, which JSON allows between tokens only, must become spaces.
    private let isOneLine: Bool

    init(_ column: ColumnVector, name: String, isOneLine: Bool) {
        self.name = name
        self.isOneLine = isOneLine
        super.init(column)
    }

    override func writeValue(_ row: Int, _ writer: inout JSONWriter) throws(HeadraceError) {
        let text = view.bytes(row)
        var tokenizer = JSONTokenizer(text)
        do throws(JSONError) {
            while try tokenizer.next() != .end {}
        } catch {
            throw HeadraceError(
                .malformedInput, "column \"\(name)\" is json and holds text that is not JSON",
                fields: [("row of the batch", "\(row + 1)")], because: "\(error)",
                hint: "make the column utf8 to write its text as a string")
        }
        guard isOneLine, text.contains(where: { $0 == 0x0A || $0 == 0x0D }) else { return writer.json(text) }
        let line = text.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
        line.withUnsafeBytes { writer.json($0) }
    }
}
