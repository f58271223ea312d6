public import HeadraceColumnar

/// The columns that say when a version of a row held, in a table that keeps all versions (a slowly changing dimension of
/// type 2).
///
/// A version holds from its `from` on, up to its `until` and without it. The open version has no `until`.
public struct HistoryColumns: Sendable, Hashable {
    /// The column of the table that says since when a version holds.
    public var from: String
    /// The column of the table that says when a version ended, null while it is open; the `from` of the next one.
    public var until: String
    /// The column of the table that is true for the open version of a key alone.
    public var current: String
    /// The column of the rows that says since when their values hold, kept as `from`: a date, a timestamp or an integer. Nil
    /// where a row holds from the time at which its run wrote it.
    public var effective: String?

    /// The columns `valid_from`, `valid_to` and `is_current`, dated by the run, unless told otherwise.
    public init(
        from: String = "valid_from", until: String = "valid_to", current: String = "is_current",
        effective: String? = nil
    ) {
        self.from = from
        self.until = until
        self.current = current
        self.effective = effective
    }

    /// The rows' fields under the names of the table's columns: the one that dates a row goes by `from` and takes no null.
    ///
    /// For sinks. Whether the keys are among the fields is left to them.
    /// - Throws: `schemaMismatch` where the rows cannot be dated, or bring a column that the history keeps itself.
    public func renaming(_ schema: Schema, keys: [String]) throws(HeadraceError) -> Schema {
        guard Set([from, until, current]).count == 3 else {
            throw HeadraceError(
                .badOption, "a history needs three columns of different names",
                fields: [("columns", "\(from), \(until), \(current)")])
        }
        for name in [from, until, current] where schema[name] != nil && !(name == from && effective == from) {
            throw HeadraceError(
                .schemaMismatch, "the rows have a column \"\(name)\", which the history keeps itself",
                hint: name == from
                    ? "name it as the column that dates the rows, or give the history's columns other names"
                    : "leave it out, or give the history's columns other names")
        }
        guard let effective else { return schema }
        guard let field = schema[effective] else {
            throw HeadraceError(
                .schemaMismatch, "the rows have no column \"\(effective)\" to date their versions by",
                fields: [("columns", schema.names.joined(separator: ", "))])
        }
        guard !keys.contains(effective) else {
            throw HeadraceError(
                .badOption, "column \"\(effective)\" dates a version and cannot be part of the key",
                hint: "leave it out of the key")
        }
        switch field.type {
        case .date32, .timestamp: break
        case let type where type.isInteger: break
        default:
            throw HeadraceError(
                .schemaMismatch, "column \"\(effective)\" is \(field.type.withArticle) and cannot date a version",
                hint: "convert it to a date or a timestamp before")
        }
        return Schema(
            schema.fields.map { field in
                guard field.name == effective else { return field }
                return Field(from, field.type, nullable: false, metadata: field.metadata)
            })
    }

    /// What sinks refuse a table with whose open versions have an end, in a year far away as a rule: it would never be found
    /// that they are open.
    public func endedError(in table: String) -> HeadraceError {
        HeadraceError(
            .schemaMismatch, "table \(table) holds versions that are current and have an end in \"\(until)\"",
            hint: "an open version has no end: set \(until) to NULL where \(current) is true")
    }
}
