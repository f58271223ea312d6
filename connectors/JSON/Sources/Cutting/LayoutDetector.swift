import HeadraceCore

/// Finds out how records lie in an object by looking at its start.
///
/// A name that ends in `ndjson` or `jsonl` decides. Else, with the first value over within the sample: nothing after it
/// makes a document, another value on each of the next lines makes lines, another value elsewhere makes documents. A first
/// value that goes on beyond the sample, or is broken, makes lines where most lines are whole values, else a document.
struct LayoutDetector {
    struct Finding {
        var layout: JSONLayout
        /// 0 to 1.
        var confidence: Double
        var notes: [String] = []
    }

    /// Lines that are looked at.
    private static let lineLimit = 64

    private let reading: JSONReadingOptions
    private let contentType: String?

    init(_ format: JSONFormat, _ object: ByteObject) {
        reading = format.reading
        contentType = object.contentType?.lowercased()
    }

    func detect(_ bytes: UnsafeRawBufferPointer, isWhole: Bool) -> Finding {
        if let contentType {
            if ["ndjson", "jsonl", "jsonlines"].contains(where: contentType.contains) {
                return Finding(layout: .lines, confidence: 1)
            }
            if contentType.contains("json-seq") { return Finding(layout: .documents, confidence: 1) }
        }
        let start = Self.firstByte(bytes)
        guard start < bytes.count else {
            return Finding(layout: .lines, confidence: 0.5, notes: ["there are no records"])
        }
        if bytes[start] == 0x1E { return Finding(layout: .documents, confidence: 1) }
        let lines = countLines(bytes, from: start, isWhole: isWhole)
        guard let end = endOfValue(bytes, from: start, isWhole: isWhole) else {
            return lines.good > lines.bad && lines.good > 1
                ? byLines(lines) : Finding(layout: .document, confidence: 0.9)
        }
        let next = afterBlank(bytes, from: end)
        if next == bytes.count {
            // One line alone may be the first of many where the sample ends with it.
            return isWhole || bytes[start] == UInt8(ascii: "[")
                ? Finding(layout: .document, confidence: 1) : Finding(layout: .lines, confidence: 0.7)
        }
        if bytes[next] == 0x1E { return Finding(layout: .documents, confidence: 1) }
        if lines.good > lines.bad { return byLines(lines) }
        guard endOfValue(bytes, from: next, isWhole: false) != nil else {
            return Finding(
                layout: .document, confidence: 0.5,
                notes: ["what follows the first value is no value, see where it fails"])
        }
        return Finding(layout: .documents, confidence: 0.9)
    }

    private func byLines(_ lines: (good: Int, bad: Int)) -> Finding {
        let share = Double(lines.good) / Double(lines.good + lines.bad)
        let notes = lines.bad == 0 ? [] : ["\(lines.bad) of the first \(lines.good + lines.bad) lines are broken"]
        return Finding(layout: .lines, confidence: share, notes: notes)
    }

    private static func firstByte(_ bytes: UnsafeRawBufferPointer) -> Int {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        return bytes[start...].firstIndex { !isBlank($0) } ?? bytes.count
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// The next byte that is neither white space nor, where they are allowed, comment.
    private func afterBlank(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var i = start
        while i < bytes.count {
            if Self.isBlank(bytes[i]) {
                i += 1
            } else if reading.allowsComments, bytes[i] == UInt8(ascii: "/"), i + 1 < bytes.count {
                let isLine = bytes[i + 1] == UInt8(ascii: "/")
                i += 2
                while i < bytes.count,
                    isLine
                        ? bytes[i] != 0x0A : !(bytes[i - 1] == UInt8(ascii: "*") && bytes[i] == UInt8(ascii: "/"))
                { i += 1 }
                i = min(i + 1, bytes.count)
            } else {
                return i
            }
        }
        return i
    }

    /// Where the value at `start` ends; nil when it is broken or goes on beyond the sample.
    private func endOfValue(_ bytes: UnsafeRawBufferPointer, from start: Int, isWhole: Bool) -> Int? {
        var tokenizer = JSONTokenizer(UnsafeRawBufferPointer(rebasing: bytes[start...]), options: reading)
        guard let token = try? tokenizer.next(), token != .end, let range = try? tokenizer.validate(token) else {
            return nil
        }
        let end = start + range.upperBound
        let isScalar = token != .objectStart && token != .arrayStart && token != .string
        return isScalar && end == bytes.count && !isWhole ? nil : end
    }

    /// How many of the first lines are whole values and how many are not; a value that is no object or array counts as
    /// one only beside others, because numbers on lines of their own stand in any indented array.
    private func countLines(_ bytes: UnsafeRawBufferPointer, from start: Int, isWhole: Bool) -> (good: Int, bad: Int) {
        var good = 0
        var bad = 0
        var line = start
        while line < bytes.count, good + bad < Self.lineLimit {
            let end = bytes[line...].firstIndex(of: 0x0A) ?? bytes.count
            if end == bytes.count, !isWhole { break }
            let text = UnsafeRawBufferPointer(rebasing: bytes[line..<end])
            if afterBlank(text, from: 0) < text.count {
                if isValue(text) { good += 1 } else { bad += 1 }
            }
            line = end + 1
        }
        return (good, bad)
    }

    private func isValue(_ line: UnsafeRawBufferPointer) -> Bool {
        var tokenizer = JSONTokenizer(line, options: reading)
        do {
            while try tokenizer.next() != .end {}
            return true
        } catch {
            return false
        }
    }
}
