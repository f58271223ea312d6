package import HeadraceColumnar

/// Names that rows' columns cannot have in a database.
package enum ReservedNames {
    /// What the names of our own tables and columns begin with.
    package static let prefix = "_headrace_"

    /// Refuses fields whose names are taken, before anything is made or written.
    /// - Parameters:
    ///   - taken: the names that the database keeps for itself.
    ///   - database: its name, for the message.
    /// - Throws: `schemaMismatch` with the field's name.
    package static func check(
        _ schema: Schema, taken: Set<String> = [], by database: String
    ) throws(HeadraceError) {
        for name in schema.names {
            let isOurs = name.lowercased().hasPrefix(prefix)
            guard isOurs || taken.contains(name) else { continue }
            throw HeadraceError(
                .schemaMismatch, "\"\(name)\" cannot be the name of a column of rows in \(database)",
                hint: isOurs
                    ? "names that begin with \(prefix) are taken: rename the column, or leave it out"
                    : "\(database) has a column of that name in every table: rename the column, or leave it out")
        }
    }
}
