import HeadraceColumnar
import HeadraceCore

/// What comes before the rows: byte order mark, lines to skip, the header.
extension CSVCutter {
    /// Passes a UTF-8 byte order mark. Throws `unsupported` for UTF-16 and UTF-32, which say so by theirs.
    mutating func passByteOrderMark() throws {
        let head = try lookAhead(4) { bytes, _ in Array(bytes.prefix(4)) }
        if head.starts(with: [0xEF, 0xBB, 0xBF]) {
            pass(bytes: 3, lines: 0)
        } else if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF])
            || head == [0, 0, 0xFE, 0xFF]
        {
            throw HeadraceError(
                .unsupported, "the text is UTF-16 or UTF-32, as its byte order mark says",
                hint: "convert it first: iconv -f UTF-16 -t UTF-8")
        }
    }

    /// Passes `count` lines, whatever they hold; stops at the end of the object.
    mutating func passLines(_ count: Int) throws {
        for _ in 0..<count {
            guard let length = try lineLength() else { return }
            pass(bytes: length, lines: 1)
        }
    }

    /// The bytes up to the beginning of the next line, nil at the end of the object.
    private mutating func lineLength() throws -> Int? {
        var wanted = 4096
        while true {
            let dialect = dialect
            let (length, there) = try lookAhead(wanted) { bytes, isWhole -> (Int?, Int) in
                guard let base = bytes.baseAddress, !bytes.isEmpty else { return (nil, 0) }
                let scanner = RecordScanner(base, end: bytes.count, dialect: dialect, isWhole: isWhole)
                return (scanner.lineEnd(from: 0)?.next ?? (isWhole ? bytes.count : nil), bytes.count)
            }
            if length != nil || there == 0 { return length }
            try checkGrowth(there, "a line that is to be skipped")
            wanted = there * 2
        }
    }

    /// The fields of the next record that is neither blank nor a comment, passed over when `consuming`; nil at the end
    /// of the object. Throws `malformedInput` when quotes leave a record without an end that is to be passed over; one
    /// that is only looked at has no fields then.
    mutating func readRecord(consuming: Bool) throws -> [[UInt8]]? {
        var wanted = 64 << 10
        while true {
            let dialect = dialect
            let (found, there) = try lookAhead(wanted) { bytes, isWhole in
                (Self.firstRecord(bytes, isWhole: isWhole, dialect: dialect), bytes.count)
            }
            switch found {
            case .fields(let fields, let length, let lines):
                if consuming { pass(bytes: length, lines: lines) }
                return fields
            case .none: return nil
            case .more where !consuming: return []
            case .more(let isWhole):
                if isWhole {
                    throw HeadraceError(
                        .malformedInput, "the first record opens a quote that never closes",
                        fields: [("line", "\(line)")], hint: "say quote=none if quotes mean nothing in this file")
                }
                try checkGrowth(there, "the first record")
                wanted = there * 2
            }
        }
    }

    private enum FirstRecord {
        case fields([[UInt8]], length: Int, lines: Int)
        case none
        case more(isWhole: Bool)
    }

    private static func firstRecord(_ bytes: UnsafeRawBufferPointer, isWhole: Bool, dialect: CSVDialect) -> FirstRecord
    {
        guard let base = bytes.baseAddress else { return .none }
        var scanner = RecordScanner(base, end: bytes.count, dialect: dialect, isWhole: isWhole)
        var place = 0
        while place < bytes.count {
            switch scanner.next(at: place) {
            case .blank(let next), .comment(let next): place = next
            case .record(_, let next), .strayText(_, let next), .openQuote(_, let next):
                var fields: [[UInt8]] = []
                var start = place
                for end in scanner.fieldEnds {
                    fields.append(CellText.contents(base, start, Int(end), dialect))
                    start = Int(end) + 1
                }
                return .fields(fields, length: next, lines: StructuralIndex.lineEnds(base, from: 0, to: next))
            case .incomplete: return .more(isWhole: isWhole)
            }
        }
        return isWhole ? .none : .more(isWhole: false)
    }

    private func checkGrowth(_ there: Int, _ what: String) throws(HeadraceError) {
        guard there > limits.maximumRecordBytes else { return }
        throw HeadraceError(
            .malformedInput, "\(what) is longer than \(limits.maximumRecordBytes) bytes", fields: [("line", "\(line)")],
            hint: "is this a text file? A larger record-limit allows longer records")
    }
}
