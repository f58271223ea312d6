import HeadraceColumnar
import HeadraceCore

/// The dialect and the columns of one object.
struct CSVLayout: Sendable, Hashable {
    var dialect: CSVDialect
    /// The columns' names in file order, unique.
    var names: [String]
    /// Whether the names come from a header, and not from counting.
    var hasHeader: Bool

    // MARK: - Names

    /// Unique names for the fields of a header: an empty one becomes `column_3` after its place, a repeated one gets a
    /// number after it. `notes` says what was changed.
    static func names(of header: [[UInt8]], encoding: CSVEncoding) -> (names: [String], notes: [String]) {
        var names: [String] = []
        var notes: [String] = []
        let given = header.map { String(decoding: $0, as: UTF8.self) }
        var taken = Set(given)
        var seen: Set<String> = []
        for (index, name) in given.enumerated() {
            if !name.isEmpty && seen.insert(name).inserted {
                names.append(name)
                continue
            }
            let base = name.isEmpty ? "column_\(index + 1)" : name
            var unique = name.isEmpty ? base : "\(name)_2"
            var number = 2
            while !taken.insert(unique).inserted {
                unique = "\(base)_\(number)"
                number += 1
            }
            names.append(unique)
            notes.append(
                name.isEmpty
                    ? "column \(index + 1) has no name and is called \(unique)"
                    : "column \(index + 1) repeats the name \(name) and is called \(unique)")
        }
        return (names, notes)
    }

    /// Names for columns without a header: `column_1`, `column_2` …
    static func numberedNames(_ count: Int) -> [String] { (0..<count).map { "column_\($0 + 1)" } }

    // MARK: - As text

    static func shown(_ byte: UInt8?) -> String {
        switch byte {
        case nil: "none"
        case UInt8(ascii: "\t"): "tab"
        case let byte?: String(decoding: [byte], as: UTF8.self)
        }
    }

    private static func byte(_ shown: String?) -> UInt8? {
        switch shown {
        case nil, "none": nil
        case "tab": UInt8(ascii: "\t")
        case let text?: text.utf8.first
        }
    }

    /// The dialect as `FormatDescription` carries it.
    var description: [(name: String, value: String)] {
        [
            ("delimiter", Self.shown(dialect.delimiter)), ("quote", Self.shown(dialect.quote)),
            ("escape", Self.shown(dialect.escape)), ("header", "\(hasHeader)"),
        ]
    }

    /// What `json` wrote, or what a description says; the rest of the dialect comes from `options`.
    private init(_ value: (String) -> String?, names: [String], options: CSVOptions) {
        dialect = options.dialect
        dialect.delimiter = Self.byte(value("delimiter")) ?? dialect.delimiter
        dialect.quote = Self.byte(value("quote"))
        dialect.escape = Self.byte(value("escape"))
        hasHeader = value("header") == "true"
        self.names = names
    }

    init(dialect: CSVDialect, names: [String], hasHeader: Bool) {
        self.dialect = dialect
        self.names = names
        self.hasHeader = hasHeader
    }

    /// The members of a resume position that let reading go on without the object's start.
    var json: [(String, JSONValue)] {
        description.map { ($0.name, .string($0.value)) } + [("columns", .array(names.map(JSONValue.string)))]
    }

    init?(json: JSONValue, options: CSVOptions) {
        guard let columns = json["columns"]?.arrayValue, !columns.isEmpty else { return nil }
        self.init(
            { json[$0]?.stringValue }, names: columns.map { $0.stringValue ?? "" }, options: options)
    }

    /// The dialect that a description of the same object found.
    static func dialect(in description: FormatDescription, options: CSVOptions) -> (dialect: CSVDialect, header: Bool) {
        let layout = CSVLayout(
            { name in description.dialect.first { $0.name == name }?.value }, names: [], options: options)
        return (layout.dialect, layout.hasHeader)
    }
}
