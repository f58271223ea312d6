import HeadraceColumnar
import HeadraceCore

/// Finds out which elements of a document are rows, and their fields.
struct XMLSurvey {
    let options: XMLOptions
    let limits: MarkupLimits

    func describe(_ sample: ByteSample) throws -> FormatDescription {
        var notes: [String] = []
        let parser = try XMLPushParser(limits: limits)
        let given = try options.rows.map { try XMLPath.rows($0, namespaces: options.namespaces) }
        let survey = ElementSurvey(rows: given, nulls: options.nulls.map { Array($0.utf8) }, parser: parser)
        let encoding = try feed(sample, to: survey, parser)
        if let failure = parser.failure {
            let place = "line \(failure.line), column \(failure.column): \(failure.message)"
            guard survey.row.count > 0 || given == nil && !survey.top.children.isEmpty else {
                throw HeadraceError(
                    .malformedInput, "\(sample.object.name) cannot be read as XML",
                    fields: [("line", "\(failure.line)"), ("column", "\(failure.column)")], because: failure.message)
            }
            notes.append("the document is broken at \(place)")
        }
        if !sample.isWhole {
            notes.append("fields and types are inferred from the first \(sample.bytes.count) bytes")
        }
        if survey.isFull { notes.append("the document has too many different paths to look at them all") }
        let (rows, node, confidence) = try self.rows(in: survey)
        if given == nil { notes.append("the elements at \(rows) are taken for rows; rows=PATH says others") }
        var fields =
            try options.fields.map { try self.fields($0, rows: rows, sample) }
            ?? FieldFinder.fields(of: node, infersTypes: options.infersTypes)
        for index in fields.indices { fields[index].metadata[XMLOptions.rowsKey] = rows }
        return FormatDescription(
            format: "xml", schema: Schema(fields), dialect: [("rows", rows)], encoding: encoding,
            confidence: confidence, notes: notes)
    }

    /// Feeds a sample to `events`, as far as it can be read, and gives the encoding it is in.
    private func feed(_ sample: ByteSample, to events: any XMLEvents, _ parser: XMLPushParser) throws -> String {
        parser.events = events
        let outer = XMLEncoding(option: options.encoding, contentType: sample.object.contentType)
        let label = sample.bytes.withUnsafeBytes { outer.label(for: $0) }
        if let label { try parser.use(encoding: label) }
        sample.bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty, parser.failure == nil {
                parser.feed(UnsafeRawBufferPointer(rebasing: rest.prefix(64 << 10)))
                rest = rest.dropFirst(64 << 10)
            }
            if sample.isWhole { parser.finish() }
        }
        parser.events = nil
        return withExtendedLifetime(events) { label ?? parser.encoding ?? "utf-8" }
    }

    /// The path of the rows, what was seen in them, and how sure that is.
    private func rows(in survey: ElementSurvey) throws(HeadraceError) -> (String, SurveyNode, Double) {
        if let given = options.rows {
            guard survey.row.count > 0 || options.fields != nil else {
                throw noRows("there is no row at \(given) to tell the fields by", survey)
            }
            return (given, survey.row, 1)
        }
        var best: (path: String, node: SurveyNode, score: Int)?
        var single: (path: String, node: SurveyNode)?
        func look(_ node: SurveyNode, _ path: String, _ depth: Int) {
            for child in node.elements {
                let childPath = path + "/" + child.name
                if child.mostInParent > 1, !child.children.isEmpty {
                    // What is repeated inside a row is not looked at.
                    let score = child.count * child.children.count
                    if score > best?.score ?? 0 { best = (childPath, child, score) }
                } else {
                    if depth > 0, single == nil, !child.elements.isEmpty { single = (childPath, child) }
                    look(child, childPath, depth + 1)
                }
            }
        }
        look(survey.top, "", 0)
        if let best { return (best.path, best.node, 0.9) }
        if let single { return (single.path, single.node, 0.5) }
        throw noRows("it cannot be told which elements are rows", survey)
    }

    private func noRows(_ message: String, _ survey: ElementSurvey) -> HeadraceError {
        var paths: [String] = []
        func list(_ node: SurveyNode, _ path: String) {
            for child in node.elements where paths.count < 20 {
                paths.append(path + "/" + child.name)
                list(child, path + "/" + child.name)
            }
        }
        list(survey.top, "")
        return HeadraceError(
            .malformedInput, message, fields: paths.isEmpty ? [] : [("elements", paths.joined(separator: ", "))],
            hint: "give their path, such as rows=/catalog/item, and a schema if the document may be empty")
    }

    /// The types of given fields, by the values that the sample has for them.
    private func fields(_ given: [FieldPath], rows: String, _ sample: ByteSample) throws -> [Field] {
        let parser = try XMLPushParser(limits: limits)
        let plain = Schema(given.map { Field($0.name, .utf8, metadata: [FieldPath.metadataKey: $0.path]) })
        let extractor = RowExtractor(
            rows: try XMLPath.rows(rows, namespaces: options.namespaces), fields: try options.paths(of: plain),
            nulls: options.nulls.map { Array($0.utf8) }, limits: limits, parser: parser)
        _ = try feed(sample, to: extractor, parser)
        let chunk = extractor.chunk.finish(recordsBefore: 0)
        var repeated: Set<Int> = []
        for case .repeated(let field) in chunk.broken.map(\.reason) { repeated.insert(field) }
        return plain.fields.enumerated().map { index, field in
            var field = field
            if options.infersTypes { field.type = TypeGuess.type(of: chunk.columns[index]) }
            if repeated.contains(index) { field.type = .list(Field("item", field.type)) }
            return field
        }
    }
}

extension TypeGuess {
    /// The type that all texts of a column have.
    static func type(of column: ColumnVector) -> DataType {
        let view = column.unsafeView
        var guess = TypeGuess()
        for row in 0..<column.count where view.isValid(row) && !guess.isText {
            let text = CellDecoder.trimmed(view.bytes(row))
            if let base = text.baseAddress, !text.isEmpty { guess.see(base, text.count) }
        }
        return withExtendedLifetime(column) { guess.type }
    }
}
