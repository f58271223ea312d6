import HeadraceCore
import HeadraceFiles

/// The connector's options as a location writes them, checked one by one.
struct JSONLocationOptions {
    enum End: String {
        case source, sink
    }

    static let all = [
        ConnectorOption("layout", "lines|document|documents", "how records lie; sinks: lines or document, an array"),
        ConnectorOption("rows", "/NAME/NAME", "source: the way to the records in a document, * for every element"),
        ConnectorOption("flatten", "true|false", "source: make members of nested objects columns of their own"),
        ConnectorOption("separator", "TEXT", "source: between the names in such a column's name, _ unless given"),
        ConnectorOption("record", "NAME", "source: a column that holds each whole record as JSON"),
        ConnectorOption("schema", "FILE", "source: a JSON file with names and types of the fields"),
        ConnectorOption("infer", "on|off", "source: off reads every field as text, or JSON where it holds more"),
        ConnectorOption("comments", "true|false", "source: allow // and /* */ comments"),
        ConnectorOption("trailingCommas", "true|false", "source: allow a comma before a closing bracket"),
        ConnectorOption("allowNaN", "true|false", "source: allow NaN, Infinity and -Infinity as numbers"),
        ConnectorOption("loneSurrogates", "refuse|replace", "source: what becomes of half a surrogate pair"),
        ConnectorOption(
            "record-limit", "BYTES", "source: the most bytes a record may have, 16777216 unless given"),
        ConnectorOption("nonFinite", "string|null", "sink: how NaN and infinities are written, string unless given"),
        ConnectorOption("compression", "NAME", "sink: gzip and others where the name's extension does not say"),
    ]

    private let location: Location

    init(_ location: Location) { self.location = location }

    /// Throws `badOption` for a name that this end does not know. `format`, by which the connector was chosen, is known.
    func checkNames(on end: End) throws(HeadraceError) {
        let other = end == .source ? "sink:" : "source:"
        let known = Self.all.filter { !$0.help.hasPrefix(other) }.map(\.name)
        for option in location.options where !known.contains(option.name) && option.name != "format" {
            let near = NearNames.of(option.name, among: known)
            throw HeadraceError(
                .badOption, "a JSON \(end.rawValue) has no option \(option.name)",
                fields: [("options", known.joined(separator: ", "))],
                hint: near.isEmpty ? nil : "did you mean \(near.joined(separator: " or "))?")
        }
    }

    /// What `read` makes of an option's value, nil where it is not given.
    func value<Value>(_ name: String, _ expected: String, _ read: (String) -> Value?) throws(HeadraceError) -> Value? {
        guard let text = location[name] else { return nil }
        guard let value = read(text) else {
            throw HeadraceError(
                .badOption, "the option \(name) does not take \"\(text)\"", fields: [("expected", expected)])
        }
        return value
    }

    func flag(_ name: String) throws(HeadraceError) -> Bool {
        try value(name, "true, false") { ["true": true, "false": false][$0] } ?? false
    }

    var layout: JSONLayout? {
        get throws(HeadraceError) {
            try value("layout", "lines, document, documents") { JSONLayout(named: $0) }
        }
    }

    /// The layout that `format` or the name's extension says; `json` says none.
    var impliedLayout: JSONLayout? {
        let name = location["format"] ?? StandardCodecs.splitting(location.address).fileExtension
        return name == "ndjson" || name == "jsonl" ? .lines : nil
    }

    var codec: (any ByteCodec)? {
        get throws(HeadraceError) {
            guard let name = location["compression"] else { return StandardCodecs.splitting(location.address).codec }
            if name == "none" { return nil }
            let known = (StandardCodecs.all.map(\.name) + ["none"]).joined(separator: ", ")
            return try value("compression", known) { StandardCodecs.named($0) }
        }
    }
}

extension JSONFormat {
    /// The format that a location's options ask for. Throws `badOption` for unknown names and values; `schema` is left
    /// to the connector.
    init(_ location: Location) throws(HeadraceError) {
        let options = JSONLocationOptions(location)
        try options.checkNames(on: .source)
        self.init(rows: location["rows"])
        _ = try JSONFailure.path(rows)
        layout = try options.layout ?? (rows == nil ? options.impliedLayout : nil)
        flattens = try options.flag("flatten")
        separator = location["separator"] ?? separator
        infersTypes = try options.value("infer", "on, off") { ["on": true, "off": false][$0] } ?? true
        recordColumn = location["record"]
        reading.allowsComments = try options.flag("comments")
        reading.allowsTrailingCommas = try options.flag("trailingCommas")
        reading.allowsNonFiniteNumbers = try options.flag("allowNaN")
        let surrogates: [String: JSONReadingOptions.LoneSurrogates] = ["refuse": .refused, "replace": .replaced]
        reading.loneSurrogates = try options.value("loneSurrogates", "refuse, replace") { surrogates[$0] } ?? .refused
        let limit = try options.value("record-limit", "a number from 1 to 1073741824") { text in
            Int(text).flatMap { (1...1 << 30).contains($0) ? $0 : nil }
        }
        maximumRecordBytes = limit ?? maximumRecordBytes
    }
}
