import HeadraceCore

/// The connector's options as a location writes them.
enum CSVOptionNames {
    static let all = [
        ConnectorOption("delimiter", "BYTE", "between fields, \\t or tab for a tab; found out when not given"),
        ConnectorOption("quote", "BYTE|none", "around fields that hold delimiters or line ends, \" unless given"),
        ConnectorOption("escape", "BYTE", "source: takes the next byte literally, besides doubled quotes"),
        ConnectorOption("header", "true|false|auto", "whether the first record names the columns; sinks: true"),
        ConnectorOption("encoding", "NAME", "source: utf-8, latin1 or windows-1252"),
        ConnectorOption("skip", "N", "source: lines to pass over before the header"),
        ConnectorOption("null", "TEXT", "unquoted text that is null too; may be given several times"),
        ConnectorOption("schema", "FILE", "source: a JSON file with names and types of the fields"),
        ConnectorOption("infer", "on|off", "source: off reads every field as text"),
        ConnectorOption("comment", "BYTE", "source: lines that begin with it are passed over"),
        ConnectorOption("record-limit", "BYTES", "source: the most bytes a record may have, 16777216 unless given"),
        ConnectorOption("newline", "lf|crlf", "sink: how lines end, lf unless given"),
        ConnectorOption("compression", "NAME", "sink: gzip and others where the name's extension does not say"),
    ]
}

extension CSVOptions {
    /// The options that a location gives a source. Throws `badOption` for unknown names and values; `schema` is left
    /// to the connector.
    init(_ location: Location) throws(HeadraceError) {
        self.init()
        for option in location.options {
            let value = option.value
            switch option.name {
            case "delimiter": delimiter = try OptionValue.delimiter(option)
            case "quote": quote = try OptionValue.byteOrNone(option)
            case "escape": escape = try OptionValue.byteOrNone(option)
            case "comment": comment = try OptionValue.byteOrNone(option)
            case "header":
                guard let known = Header(rawValue: value) else {
                    throw OptionValue.refusal(option, "true, false, auto")
                }
                header = known
            case "encoding":
                guard let known = CSVEncoding(named: value) else {
                    throw OptionValue.refusal(option, "utf-8, latin1, windows-1252")
                }
                encoding = known
            case "skip": skip = try OptionValue.number(option, 0...Int(Int32.max))
            case "null": nulls.append(value)
            case "infer": infersTypes = try OptionValue.flag(option, "on", "off")
            case "record-limit": recordLimit = try OptionValue.number(option, 1...1 << 30)
            case "schema", "format": break
            default: throw OptionValue.unknown(option, on: "source")
            }
        }
        try OptionValue.checkDistinct([
            ("delimiter", delimiter), ("quote", quote), ("escape", escape == quote ? nil : escape),
            ("comment", comment),
        ])
    }
}

extension CSVWriteOptions {
    /// The options that a location gives a sink; `compression` is left to the connector.
    init(_ location: Location) throws(HeadraceError) {
        self.init()
        for option in location.options {
            switch option.name {
            case "delimiter": delimiter = try OptionValue.delimiter(option)
            case "quote": quote = try OptionValue.byteOrNone(option)
            case "header": hasHeader = try OptionValue.flag(option, "true", "false")
            case "null": null = option.value
            case "newline": endsLinesWithCRLF = try OptionValue.flag(option, "crlf", "lf")
            case "compression", "format": break
            default: throw OptionValue.unknown(option, on: "sink")
            }
        }
        try OptionValue.checkDistinct([("delimiter", delimiter), ("quote", quote)])
    }
}

/// Reads the values of options.
private enum OptionValue {
    static func refusal(_ option: Location.Option, _ expected: String) -> HeadraceError {
        HeadraceError(
            .badOption, "the option \(option.name) does not take \"\(option.value)\"",
            fields: [("expected", expected)])
    }

    static func unknown(_ option: Location.Option, on end: String) -> HeadraceError {
        let known = CSVOptionNames.all.filter { !$0.help.hasPrefix(end == "source" ? "sink:" : "source:") }
        return HeadraceError(
            .badOption, "a CSV \(end) has no option \(option.name)",
            fields: [("options", known.map(\.name).joined(separator: ", "))])
    }

    static func delimiter(_ option: Location.Option) throws(HeadraceError) -> UInt8 {
        if option.value == "tab" || option.value == "\\t" { return UInt8(ascii: "\t") }
        return try byte(option)
    }

    static func byteOrNone(_ option: Location.Option) throws(HeadraceError) -> UInt8? {
        option.value == "none" ? nil : try byte(option)
    }

    /// One ASCII character that is neither a line end nor NUL.
    private static func byte(_ option: Location.Option) throws(HeadraceError) -> UInt8 {
        guard option.value.utf8.count == 1, let byte = option.value.utf8.first, byte != 0, byte != 0x0A, byte != 0x0D
        else { throw refusal(option, "one ASCII character that is not a line end") }
        return byte
    }

    static func number(_ option: Location.Option, _ range: ClosedRange<Int>) throws(HeadraceError) -> Int {
        guard let value = Int(option.value), range.contains(value) else {
            throw refusal(option, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    static func flag(_ option: Location.Option, _ yes: String, _ no: String) throws(HeadraceError) -> Bool {
        guard option.value == yes || option.value == no else { throw refusal(option, "\(yes), \(no)") }
        return option.value == yes
    }

    static func checkDistinct(_ bytes: [(name: String, byte: UInt8?)]) throws(HeadraceError) {
        for (index, first) in bytes.enumerated() {
            for second in bytes[(index + 1)...] {
                if let byte = first.byte, byte == second.byte {
                    throw HeadraceError(
                        .badOption, "\(first.name) and \(second.name) are both \(CSVLayout.shown(byte))")
                }
            }
        }
    }
}
