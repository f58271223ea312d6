public import HeadraceCore

extension CSVFormat: ReplayableFormat {
    /// The header as it stands in the sample, then the records, read in the dialect that the sample is in: a few bad
    /// records would mislead a guess.
    public func document(of records: [[UInt8]], like sample: ByteSample) throws -> (bytes: [UInt8], format: CSVFormat) {
        var head = CSVCutter(ArrayReader(sample.bytes), limits: limits, recordsBefore: 0)
        try head.passByteOrderMark()
        try head.passLines(options.skip)
        if options.delimiter == nil { _ = try LayoutFinder.passDelimiterLine(&head) }
        var cutter = CSVCutter(ArrayReader(sample.bytes), limits: limits, recordsBefore: 0)
        guard let layout = try LayoutFinder.find(&cutter, options: options, description: nil, schema: nil)?.layout
        else {
            throw HeadraceError(
                .malformedInput, "\(sample.object.name) is empty now, so its refused records cannot be read again")
        }
        var bytes = Array(sample.bytes[head.byteOffset..<max(head.byteOffset, cutter.byteOffset)])
        for record in records {
            bytes += record
            if record.last != CSVDialect.lineFeed { bytes.append(CSVDialect.lineFeed) }
        }
        var options = self.options
        options.delimiter = layout.dialect.delimiter
        options.quote = layout.dialect.quote
        options.escape = layout.dialect.escape
        options.header = layout.hasHeader ? .present : .absent
        options.skip = 0
        return (bytes, CSVFormat(options))
    }
}
