public import HeadraceColumnar
public import HeadraceCore

/// What NaN and the infinities become, for which JSON has no number.
public enum JSONNonFinite: String, Sendable, Hashable, CaseIterable {
    /// The strings `NaN`, `Infinity` and `-Infinity`, which reading into a float column understands.
    case string
    /// `null`: the value is lost.
    case null

    var written: JSONWriter.NonFinite {
        switch self {
        case .string: .string
        case .null: .null
        }
    }
}

/// Writes one JSON object a line: NDJSON, JSON Lines.
///
/// Members stand in the order of the fields, null as `null`. Integers and decimals are exact whatever their size.
public struct NDJSONEncoder: FormatEncoder {
    /// `ndjson`.
    public let name = "ndjson"
    /// Nothing: every row ends its line.
    public let separator: [UInt8] = []
    private let writer: RecordWriter

    /// - Parameter nonFinite: what becomes of NaN and the infinities.
    public init(nonFinite: JSONNonFinite = .string) {
        writer = RecordWriter(nonFinite: nonFinite, endsRows: true)
    }

    /// Nothing.
    public func prologue(for schema: Schema) -> [UInt8] { [] }
    /// The rows; throws `malformedInput` for text in a `json` column that is not JSON.
    public func encode(_ batch: RecordBatch) throws -> Buffer { try writer.write(batch) }
    /// Nothing.
    public func epilogue(for schema: Schema) -> [UInt8] { [] }
}

/// Writes one JSON array of objects, each on a line of its own; `[]` without rows.
///
/// Members stand in the order of the fields, null as `null`. Integers and decimals are exact whatever their size.
public struct JSONArrayEncoder: FormatEncoder {
    /// `json`.
    public let name = "json"
    /// A comma and a line feed.
    public let separator = Array(",\n".utf8)
    private let writer: RecordWriter

    /// - Parameter nonFinite: what becomes of NaN and the infinities.
    public init(nonFinite: JSONNonFinite = .string) {
        writer = RecordWriter(nonFinite: nonFinite, endsRows: false)
    }

    /// The opening bracket.
    public func prologue(for schema: Schema) -> [UInt8] { Array("[".utf8) }
    /// The rows; throws `malformedInput` for text in a `json` column that is not JSON.
    public func encode(_ batch: RecordBatch) throws -> Buffer { try writer.write(batch) }
    /// The closing bracket and a line feed.
    public func epilogue(for schema: Schema) -> [UInt8] { Array("]\n".utf8) }
}
