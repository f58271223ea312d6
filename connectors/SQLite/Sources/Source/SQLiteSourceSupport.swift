import Glibc
import HeadraceColumnar
import HeadraceCore

/// What table and query sources share: a short connection for a look, and how a file is told from another.
enum SQLiteSourceSupport {
    /// Runs `body` on a connection for reading that is closed afterwards.
    static func look<R: Sendable>(
        at path: String, _ body: @Sendable (SQLiteConnection) throws -> R
    ) async throws -> R {
        let database = SQLiteDatabase(path: path, options: .reading)
        do {
            let result = try await database.use(body)
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }

    /// The schema of a statement's columns; `nullable` says which can be null.
    static func schema(
        of statement: SQLiteStatement, nullable: (Int) -> Bool
    ) throws -> Schema {
        let types = try SQLiteLook.types(of: statement)
        let fields = types.enumerated().map { index, type in
            Field(statement.columnName(index), type, nullable: nullable(index))
        }
        guard let schema = Schema(unique: fields) else {
            let names = fields.map(\.name)
            let twice = names.first { name in names.count { $0 == name } > 1 } ?? ""
            throw HeadraceError(
                .schemaMismatch, "the query gives two columns called \"\(twice)\"", hint: "name them apart with AS")
        }
        return schema
    }

    /// Which file lies at a path: another one of the same name is other data.
    static func identity(of path: String) async throws -> String {
        try await BlockingWork.run {
            var status = stat()
            guard stat(path, &status) == 0 else { return "none" }
            return "\(status.st_dev):\(status.st_ino)"
        }
    }

    /// Sizes and times of a database and its log: they change with every commit.
    static func version(of path: String) async throws -> String {
        try await BlockingWork.run {
            ["", "-wal"].map { suffix in
                var status = stat()
                guard stat(path + suffix, &status) == 0 else { return "none" }
                return "\(status.st_ino):\(status.st_size):\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
            }.joined(separator: " ")
        }
    }
}
