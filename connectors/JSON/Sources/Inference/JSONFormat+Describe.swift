import HeadraceColumnar
public import HeadraceCore

extension JSONFormat {
    /// Objects of at most this size are seen whole.
    private static let wholeBytes = 64 << 20
    /// What is seen of larger ones.
    private static let partBytes = 16 << 20

    /// Finds layout and columns in a sample.
    ///
    /// Broken lines are counted in a note.
    /// - Throws: `malformedInput` for a broken document, a record path that leads nowhere and a sample without a whole
    ///   record.
    public func describe(_ sample: ByteSample) throws -> FormatDescription {
        try findings(in: sample.object, LimitedReader(SampleReader(sample), limit: sample.bytes.count))
    }

    /// Finds layout and columns in an object: in the whole of it up to 64 MiB, else in the first 16 MiB; in bounded
    /// memory. Throws as ``describe(_:)`` does.
    public func survey(_ object: ByteObject, _ bytes: any ByteReader) throws -> FormatDescription? {
        let isLong = object.byteCount.map { $0 > Self.wholeBytes } ?? false
        return try findings(in: object, LimitedReader(bytes, limit: isLong ? Self.partBytes : Self.wholeBytes))
    }

    private func findings(in object: ByteObject, _ bytes: LimitedReader) throws -> FormatDescription {
        let input = FormatInput(
            bytes: bytes, object: object, source: object.name, stream: StreamID(object.name), rowsBefore: 0,
            description: nil)
        let reader = try JSONFormatReader(self, input, schema: Schema([]))
        var survey = Survey(self)
        while case .chunk(let records, _, _) = try reader.next() {
            try survey.look(at: records, isByLine: reader.finding?.layout == .lines, in: object)
        }
        if survey.records == 0, bytes.isCut { throw unendingRecord(bytes, object) }
        let found = reader.finding ?? LayoutDetector.Finding(layout: .lines, confidence: 0)
        return try description(found, survey, isWhole: !bytes.isCut && survey.broken == 0)
    }

    private func description(
        _ found: LayoutDetector.Finding, _ survey: borrowing Survey, isWhole: Bool
    ) throws(HeadraceError) -> FormatDescription {
        var inference = SchemaInference(self, isWhole: isWhole)
        let schema = try inference.schema(of: survey.shape)
        var notes = found.notes + inference.notes
        var confidence = found.confidence
        if survey.records == 0, found.notes.isEmpty { notes.append("there are no records") }
        if survey.broken > 0 {
            notes.append("\(survey.broken) of \(survey.records) records are broken: rejects")
            confidence *= Double(survey.records - survey.broken) / Double(survey.records)
        }
        if rows == nil, found.layout == .document, survey.records == 1, survey.shape.objects == 1 {
            notes += survey.shape.innerRows.map { "rows=\($0.path) reads \($0.count) elements of the document as rows" }
        }
        var dialect = [(name: "layout", value: found.layout.rawValue)]
        if let rows { dialect.append(("rows", rows)) }
        if flattens { dialect += [("flatten", "true"), ("separator", separator)] }
        var description = FormatDescription(
            format: name, schema: schema, dialect: dialect, confidence: confidence, notes: notes)
        description.numbers = inference.numbers
        return description
    }

    private func unendingRecord(_ bytes: LimitedReader, _ object: ByteObject) -> HeadraceError {
        let ways = bytes.head.withUnsafeBytes { InnerRows.find($0, options: reading) }
        return HeadraceError(
            .malformedInput, "no record ends within what is looked at to find columns",
            fields: ways.isEmpty ? [] : [("arrays of objects", ways.joined(separator: ", "))], trail: [object.name],
            hint: ways.first.map { "read what the document holds as rows: rows=\($0)" }
                ?? "name the way to the rows by rows=/name/name")
    }
}

/// A look at records.
private struct Survey: ~Copyable {
    let shape = Shape()
    private(set) var records = 0
    private(set) var broken = 0
    private let reading: JSONReadingOptions
    /// How many more names of members are kept apart.
    private var names = 10_000
    private var text = JSONBuffer()

    init(_ format: JSONFormat) { reading = format.reading }

    /// - Throws: `malformedInput` for a record that breaks the document around it.
    mutating func look(at chunk: JSONRecords, isByLine: Bool, in object: ByteObject) throws(HeadraceError) {
        var tokenizer = JSONTokenizer(UnsafeRawBufferPointer(start: chunk.text.base, count: 0), options: reading)
        for record in chunk.bounds.indices {
            let place = chunk.bounds[record]
            records += 1
            if place.isOversized {
                broken += 1
                continue
            }
            do throws(JSONError) {
                try observe(chunk.bytes(of: record), &tokenizer, isByLine: isByLine)
            } catch {
                guard isByLine || error.isOfRecord else {
                    throw JSONFailure.error(error.inStream(offset: place.offset, line: place.line), in: object.name)
                }
                broken += 1
            }
        }
    }

    private mutating func observe(
        _ record: UnsafeRawBufferPointer, _ tokenizer: inout JSONTokenizer, isByLine: Bool
    ) throws(JSONError) {
        if isByLine {
            // A broken record must not leave traces of its first half.
            tokenizer.reset(record)
            _ = try tokenizer.validate(try tokenizer.next())
            _ = try tokenizer.next()
        }
        tokenizer.reset(record)
        try shape.observe(try tokenizer.next(), &tokenizer, &text, names: &names)
        _ = try tokenizer.next()
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
