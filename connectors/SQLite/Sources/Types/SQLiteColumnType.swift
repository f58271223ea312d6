import HeadraceColumnar

/// A declared column type: what a table says about a column, and the type of ours that it stands for.
///
/// The types that `declaration(of:)` writes map back one to one, so that a table written by Headrace reads back with equal
/// types. TYPES.md lists both directions.
struct SQLiteColumnType: Sendable, Hashable {
    let declared: String
    let affinity: SQLiteAffinity
    /// Nil where the declaration says too little: only a look at the values tells.
    let type: DataType?

    /// The largest precision whose decimals survive SQLite's numbers: a double tells all decimals of 15 digits apart.
    static let exactDigits = 15

    init(declared: String) {
        self.declared = declared
        affinity = SQLiteAffinity(declared: declared)
        type = Self.dataType(declared)
    }

    // MARK: - Writing

    /// The type that a column of `type` is declared with.
    ///
    /// Lists and structs are stored as JSON text and read back as `json`.
    /// - Parameter width: the longest text in characters, for text columns.
    static func declaration(of type: DataType, width: Int? = nil) -> String {
        switch type {
        case .bool: "BOOLEAN"
        case .int8: "TINYINT"
        case .int16: "SMALLINT"
        case .int32: "INT4"
        case .int64: "BIGINT"
        case .uint8: "TINYINT UNSIGNED"
        case .uint16: "SMALLINT UNSIGNED"
        case .uint32: "INT4 UNSIGNED"
        case .uint64: "UNSIGNED64 BLOB"
        case .float32: "FLOAT4"
        case .float64: "REAL"
        case .decimal(let precision, let scale):
            precision <= exactDigits ? "DECIMAL(\(precision),\(scale))" : "DECIMAL TEXT(\(precision),\(scale))"
        case .utf8: width.map { "VARCHAR(\($0))" } ?? "TEXT"
        case .json, .list, .struct: "JSON TEXT"
        case .binary: "BLOB"
        case .date32: "DATE"
        case .time64: "TIME"
        case .timestamp(nil): "TIMESTAMP"
        case .timestamp("UTC"): "TIMESTAMPTZ"
        case .timestamp(let zone?): "TIMESTAMPTZ \(SQLiteName.quoted(zone))"
        }
    }

    /// The type that a column written as `type` reads back with.
    static func readBack(_ type: DataType) -> DataType {
        switch type {
        case .list, .struct: .json
        default: type
        }
    }

    // MARK: - Reading

    private static func dataType(_ declared: String) -> DataType? {
        let (name, arguments, quoted) = parts(declared)
        if let exact = exactNames[name] { return exact }
        switch name {
        case "DECIMAL", "NUMERIC", "NUMBER", "DECIMAL TEXT":
            let scale = arguments.count > 1 ? arguments[1] : 0
            guard let precision = arguments.first, (1...38).contains(precision), (0...precision).contains(scale) else {
                return nil
            }
            return .decimal(precision: precision, scale: scale)
        case "TIMESTAMPTZ": return .timestamp(zone: quoted ?? "UTC")
        default: break
        }
        switch SQLiteAffinity(declared: name) {
        case .integer: return .int64
        case .text: return .utf8
        case .real: return .float64
        case .none: return name.isEmpty ? nil : .binary
        case .numeric: return nil
        }
    }

    private static let exactNames: [String: DataType] = [
        "BOOLEAN": .bool, "BOOL": .bool, "TINYINT": .int8, "SMALLINT": .int16, "INT2": .int16, "INT4": .int32,
        "MEDIUMINT": .int32, "TINYINT UNSIGNED": .uint8, "SMALLINT UNSIGNED": .uint16, "INT4 UNSIGNED": .uint32,
        "INT UNSIGNED": .uint32, "UNSIGNED64 BLOB": .uint64, "FLOAT4": .float32, "DATE": .date32, "TIME": .time64,
        "TIMESTAMP": .timestamp(zone: nil), "DATETIME": .timestamp(zone: nil),
        "TIMESTAMP WITH TIME ZONE": .timestamp(zone: "UTC"), "JSON": .json, "JSON TEXT": .json, "UUID": .utf8,
    ]

    /// `decimal  (10, 2)` gives `DECIMAL` and 10, 2; a quoted name at the end is given apart, as it stands.
    private static func parts(_ declared: String) -> (name: String, arguments: [Int], quoted: String?) {
        var text = declared
        var quoted: String?
        if text.hasSuffix("\""), let open = text.firstIndex(of: "\""), open < text.index(before: text.endIndex) {
            let inner = text[text.index(after: open)..<text.index(before: text.endIndex)]
            quoted = inner.split(separator: "\"\"", omittingEmptySubsequences: false).joined(separator: "\"")
            text = String(text[..<open])
        }
        var arguments: [Int] = []
        if let open = text.firstIndex(of: "(") {
            let inner = text[text.index(after: open)...].prefix { $0 != ")" }
            arguments = inner.split(separator: ",").map { part in
                Int(part.filter { $0 != " " }) ?? -1
            }
            text = String(text[..<open])
        }
        let name = text.uppercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return (name, arguments, quoted)
    }
}
