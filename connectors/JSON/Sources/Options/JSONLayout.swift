import HeadraceCore

/// How records lie in an object.
public enum JSONLayout: String, Sendable, Hashable, CaseIterable {
    /// One record a line: NDJSON, JSON Lines. A broken line is a reject and reading goes on with the next.
    case lines
    /// One document with its records in it: the elements of an array at the top or at a record path, or one object.
    case document
    /// Documents one after the other, each a record, whatever stands between them: white space, line feeds, nothing or
    /// the record separators of RFC 7464.
    case documents

    /// Reads a layout's name and what else it is called; nil for others.
    public init?(named name: String) {
        switch name {
        case "lines", "ndjson", "jsonl": self = .lines
        case "document", "array", "object": self = .document
        case "documents", "concatenated", "seq": self = .documents
        default: return nil
        }
    }

    /// What the cutter calls it.
    func cutting(at path: JSONRecordPath) -> JSONStreamCutter.Layout {
        switch self {
        case .lines: .lines
        case .document: .records(at: path)
        case .documents: .documents
        }
    }
}
