/// One record of a stream of JSON: where its text lies, without the white space around it.
package struct JSONRecordBounds: Sendable, Hashable {
    /// Bytes of the stream before the record.
    package var offset: Int
    /// Bytes of the record.
    package var length: Int
    /// The line on which the record begins, from 1.
    package var line: Int
    /// How many records came before.
    package var ordinal: Int
    /// Whether the record is longer than the limit, so that its bytes need not have been kept.
    package var isOversized: Bool
}

/// A place between two records from which cutting can go on in another process.
package struct JSONCutPosition: Sendable, Hashable {
    /// Bytes of the stream before the next record to cut; white space and a comma may come first.
    package var offset: Int
    /// The line at `offset`, from 1.
    package var line: Int
    /// How many records came before.
    package var ordinal: Int
    /// The containers around the records' array from the outside in, -1 for an object or the index in an array; nil
    /// where no array of records is open.
    var trail: [Int]?
    /// Whether the array has had elements.
    var hasElements = false
    /// Whether the document is over.
    var isComplete = false

    /// The position as JSON, to be kept.
    package var json: JSONValue {
        var value: JSONValue = [
            "offset": .integer(offset), "line": .integer(line), "record": .integer(ordinal),
        ]
        if let trail { value["trail"] = .array(trail.map { .integer($0) }) }
        if hasElements { value["hasElements"] = true }
        if isComplete { value["complete"] = true }
        return value
    }

    /// Creates the position at the start of a stream.
    package init() {
        self.init(offset: 0, line: 1, ordinal: 0)
    }

    init(offset: Int, line: Int, ordinal: Int, trail: [Int]? = nil) {
        self.offset = offset
        self.line = line
        self.ordinal = ordinal
        self.trail = trail
    }

    /// Reads back what ``json`` wrote; nil when it is something else.
    package init?(_ json: JSONValue) {
        guard let offset = json["offset"]?.integerValue, let line = json["line"]?.integerValue,
            let ordinal = json["record"]?.integerValue, offset >= 0, line >= 1, ordinal >= 0
        else { return nil }
        self.init(offset: Int(offset), line: Int(line), ordinal: Int(ordinal))
        if let kept = json["trail"]?.arrayValue {
            let numbers = kept.compactMap(\.integerValue)
            guard numbers.count == kept.count else { return nil }
            trail = numbers.map { Int($0) }
        }
        hasElements = json["hasElements"]?.boolValue ?? false
        isComplete = json["complete"]?.boolValue ?? false
    }
}
