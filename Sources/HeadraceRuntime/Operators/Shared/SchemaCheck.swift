import HeadraceColumnar
import HeadraceCore

/// Finds the columns that an operator names, before any row moves.
struct SchemaCheck {
    let step: String
    let schema: Schema
    /// What the schema is to the step: `input`, `left input`.
    var role = "input"

    /// The position of column `name`.
    /// - Throws: `schemaMismatch` with the names that there are.
    func position(of name: String, for purpose: String) throws -> Int {
        if let index = schema.index(of: name) { return index }
        let close = schema.names.first { $0.lowercased() == name.lowercased() }
        throw HeadraceError(
            .schemaMismatch, "step \(step) has no column \"\(name)\" in its \(role), which it needs as \(purpose)",
            fields: [("columns", schema.names.joined(separator: ", "))],
            hint: close.map { "names are exact, the column is called \"\($0)\"" } ?? "name one of the columns above")
    }

    func positions(of names: [String], for purpose: String) throws -> [Int] {
        try names.map { try position(of: $0, for: purpose) }
    }

    /// The sort keys with the positions of their columns.
    func orders(of keys: [SortKey]) throws -> [(column: Int, order: SortOrder)] {
        try keys.map {
            (
                try position(of: $0.column, for: "a sort key"),
                SortOrder(ascending: $0.isAscending, nullsFirst: $0.nullsFirst)
            )
        }
    }

    /// The schema of `fields`, the output of the step.
    /// - Throws: `schemaMismatch` when two of them share a name.
    func output(_ fields: [Field]) throws -> Schema {
        if let schema = Schema(unique: fields) { return schema }
        var seen: Set<String> = []
        let twice = fields.first { !seen.insert($0.name).inserted }?.name ?? ""
        throw HeadraceError(
            .schemaMismatch, "step \(step) would give out two columns called \"\(twice)\"",
            fields: [("columns", fields.map(\.name).joined(separator: ", "))], hint: "rename one of them")
    }

    /// A column of a type that the step cannot use.
    func refusal(of column: Int, for purpose: String, wanted: String) -> HeadraceError {
        let field = schema.fields[column]
        return HeadraceError(
            .schemaMismatch, "step \(step) cannot use column \"\(field.name)\" (\(field.type)) for \(purpose)",
            fields: [("expected", wanted), ("found", "\(field.type)")], hint: "cast the column before the step")
    }
}
