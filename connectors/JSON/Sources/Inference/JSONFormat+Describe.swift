import HeadraceColumnar
public import HeadraceCore

extension JSONFormat {
    /// How many names of members are kept apart.
    private static let nameLimit = 10_000
    /// The sample is looked at in pieces of this many bytes.
    private static let pieceBytes = 1 << 20

    /// Finds layout and columns. Broken lines are counted in a note; a sample without a whole record, a broken document
    /// and a record path that leads nowhere are errors.
    public func describe(_ sample: ByteSample) throws -> FormatDescription {
        var bytes = sample.bytes
        let found = bytes.withUnsafeBytes { bytes in
            fixedLayout.map { LayoutDetector.Finding(layout: $0, confidence: 1) }
                ?? LayoutDetector(self, sample.object).detect(bytes, isWhole: sample.isWhole)
        }
        var cutter = try cutter(found.layout)
        var survey = Survey(self, names: Self.nameLimit, skipsBroken: found.layout == .lines)
        do throws(JSONError) {
            if reading.allowsComments, found.layout != .lines { try Self.blank(&bytes, isWhole: sample.isWhole) }
            try survey.look(at: bytes, &cutter, pieceBytes: Self.pieceBytes, isWhole: sample.isWhole)
        } catch {
            throw JSONFailure.error(error, in: sample.object.name)
        }
        if survey.records == 0, !sample.isWhole { throw unendingRecord(bytes, sample) }
        return try description(found, survey, sample)
    }

    private func description(
        _ found: LayoutDetector.Finding, _ survey: borrowing Survey, _ sample: ByteSample
    ) throws(HeadraceError) -> FormatDescription {
        var inference = SchemaInference(self, isWhole: sample.isWhole && survey.broken == 0)
        let schema = try inference.schema(of: survey.shape)
        var notes = found.notes + inference.notes
        var confidence = found.confidence
        if survey.records == 0 { notes.append("there are no records") }
        if survey.broken > 0 {
            notes.append("\(survey.broken) of \(survey.records) lines are broken: rejects")
            confidence *= Double(survey.records - survey.broken) / Double(survey.records)
        }
        if rows == nil, found.layout == .document, survey.records == 1, survey.shape.objects == 1 {
            notes += survey.shape.innerRows.map { "rows=\($0.path) reads \($0.count) elements of the document as rows" }
        }
        var dialect = [(name: "layout", value: found.layout.rawValue)]
        if let rows { dialect.append(("rows", rows)) }
        if flattens { dialect += [("flatten", "true"), ("separator", separator)] }
        return FormatDescription(
            format: name, schema: schema, dialect: dialect, confidence: confidence, notes: notes)
    }

    private static func blank(_ bytes: inout [UInt8], isWhole: Bool) throws(JSONError) {
        var blanker = JSONCommentBlanker()
        // The standard library's closure does not carry the error's type.
        let result = bytes.withUnsafeMutableBytes { bytes in
            Result { () throws(JSONError) in try blanker.blank(bytes) }
        }
        try result.get()
        if isWhole { try blanker.finish() }
    }

    private func unendingRecord(_ bytes: [UInt8], _ sample: ByteSample) -> HeadraceError {
        let ways = bytes.withUnsafeBytes { InnerRows.find($0, options: reading) }
        return HeadraceError(
            .malformedInput, "no record ends within the first \(bytes.count) bytes",
            fields: ways.isEmpty ? [] : [("arrays of objects", ways.joined(separator: ", "))],
            trail: [sample.object.name],
            hint: ways.first.map { "read what the document holds as rows: rows=\($0)" }
                ?? "name the way to the rows by rows=/name/name")
    }
}

/// A look at the records of a sample.
private struct Survey: ~Copyable {
    let shape = Shape()
    private(set) var records = 0
    private(set) var broken = 0
    private let format: JSONFormat
    private let skipsBroken: Bool
    private var names: Int
    private var text = JSONBuffer()
    private var bounds: [JSONRecordBounds] = []

    init(_ format: JSONFormat, names: Int, skipsBroken: Bool) {
        self.format = format
        self.names = names
        self.skipsBroken = skipsBroken
    }

    mutating func look(
        at bytes: [UInt8], _ cutter: inout JSONStreamCutter, pieceBytes: Int, isWhole: Bool
    ) throws(JSONError) {
        var start = 0
        while start < bytes.count {
            let end = min(start + pieceBytes, bytes.count)
            var failure: JSONError?
            bytes.withUnsafeBytes { bytes in
                do throws(JSONError) {
                    try cutter.scan(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), into: &bounds)
                    try observe(bytes)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            start = end
        }
        guard isWhole else { return }
        try cutter.finish(into: &bounds)
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(JSONError) in try observe(bytes) } }
        try result.get()
    }

    private mutating func observe(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
        var tokenizer = JSONTokenizer(bytes, options: format.reading)
        for place in bounds where !place.isOversized {
            let record = UnsafeRawBufferPointer(rebasing: bytes[place.offset..<place.offset + place.length])
            do throws(JSONError) {
                if skipsBroken {
                    tokenizer.reset(record)
                    while try tokenizer.next() != .end {}
                }
                tokenizer.reset(record)
                try shape.observe(try tokenizer.next(), &tokenizer, &text, names: &names)
                _ = try tokenizer.next()
            } catch {
                guard skipsBroken || error.isOfRecord else {
                    throw error.inStream(offset: place.offset, line: place.line)
                }
                broken += 1
            }
            records += 1
        }
        bounds.removeAll(keepingCapacity: true)
    }
}

extension JSONError {
    /// Whether the failure is one of a record's values and leaves the document around it whole.
    var isOfRecord: Bool {
        switch code {
        case .loneSurrogate, .tooDeep, .invalidUTF8: true
        default: false
        }
    }
}

extension Shape {
    /// Arrays of objects inside the one object that this is, at most four.
    fileprivate var innerRows: [(path: String, count: Int)] {
        var found: [(path: String, count: Int)] = []
        func look(_ shape: Shape, _ names: [String], _ depth: Int) {
            for (name, member) in shape.members where found.count < 4 {
                let names = names + [String(decoding: name, as: UTF8.self)]
                if let elements = member.elements, elements.objects > 0 {
                    found.append((DecodingPlan.pointer(names), elements.objects))
                } else if depth < 4 {
                    look(member, names, depth + 1)
                }
            }
        }
        look(self, [], 1)
        return found
    }
}
