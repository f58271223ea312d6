import HeadraceCPQ
import HeadraceColumnar
import HeadraceCore

/// How far a source has been read, as its positions say it.
struct PostgreSQLReadState: Sendable, Hashable {
    /// Nil for a query, which has no positions.
    var window: PostgreSQLWindow?
    /// What is left of the window.
    var parts: [PostgreSQLPart]

    func position(with left: [Int: PostgreSQLPart]) -> Position {
        var members: [(String, JSONValue)] = []
        if let window {
            if let since = window.since { members.append(("since", .integer(Int64(since)))) }
            members.append(("bound", .integer(Int64(window.bound))))
        }
        members.append(("parts", .array(left.sorted { $0.key < $1.key }.map(\.value.json))))
        return Position(.object(members))
    }

    init(window: PostgreSQLWindow?, parts: [PostgreSQLPart]) {
        self.window = window
        self.parts = parts
    }

    init(_ position: Position, of source: String) throws {
        let value = position.value
        let found = (value["parts"]?.arrayValue ?? []).map(PostgreSQLPart.init)
        guard let bound = value["bound"]?.integerValue.flatMap({ UInt64(exactly: $0) }),
            value["parts"]?.arrayValue != nil,
            !found.contains(where: { $0 == nil })
        else {
            throw HeadraceError(
                .malformedInput, "\(value.compactText) is no position in \(source)", hint: "run with --restart")
        }
        window = PostgreSQLWindow(since: value["since"]?.integerValue.flatMap { UInt64(exactly: $0) }, bound: bound)
        parts = found.compactMap { $0 }
    }
}

/// What a reader is going to run: a COPY for each connection, all of one moment.
struct PostgreSQLReadPlan: Sendable {
    let snapshot: PostgreSQLSnapshot
    let state: PostgreSQLReadState
    let statements: [SQL]
    /// How many connections run the statements side by side.
    let streams: Int
    let decoder: PostgreSQLRowDecoder
    /// The end of the rows is a position too, from which a later run reads on.
    let givesLastPosition: Bool

    /// The rows of a query.
    static func query(
        _ query: SQL, columns: [PostgreSQLColumn], isWhole: Bool, schema: Schema, _ connection: PostgreSQLConnection
    ) throws -> PostgreSQLReadPlan {
        let snapshot = try PostgreSQLSnapshot.take(connection)
        let isPlain = isWhole && !columns.contains { $0.type.isCastToText }
        let inner: SQL = isPlain ? query : "SELECT \(columns.map(\.selection)) FROM (\(query)\n) AS headrace_query"
        return PostgreSQLReadPlan(
            snapshot: snapshot, state: PostgreSQLReadState(window: nil, parts: []),
            statements: ["COPY (\(inner)\n) TO STDOUT (FORMAT binary)"], streams: 1,
            decoder: PostgreSQLRowDecoder(schema, types: columns.map(\.type), checksText: connection.isTextUnknown),
            givesLastPosition: false)
    }

    /// The rows of a table, from its beginning or from a position on.
    static func table(
        _ table: PostgreSQLTable, columns: [PostgreSQLColumn], schema: Schema, streams: Int, from position: Position?,
        incremental: PostgreSQLIncrement?, source: String, _ connection: PostgreSQLConnection
    ) throws -> PostgreSQLReadPlan {
        let snapshot = try PostgreSQLSnapshot.take(connection)
        var state: PostgreSQLReadState
        if let position {
            state = try PostgreSQLReadState(position, of: source)
            try checkFiles(state.parts, connection, source)
            if incremental == nil { try checkUnchanged(state, table, snapshot, connection, source) }
            if incremental != nil, state.parts.isEmpty, let before = state.window {
                let bound = max(snapshot.oldest, before.bound)
                state = PostgreSQLReadState(
                    window: PostgreSQLWindow(since: before.bound, bound: bound),
                    parts: try split(table, into: streams, connection))
            }
        } else {
            state = PostgreSQLReadState(
                window: PostgreSQLWindow(since: nil, bound: snapshot.oldest),
                parts: try split(table, into: streams, connection))
        }
        let names = try partNames(state.parts, connection)
        // A plain reading takes everything that the snapshot shows; nothing has changed since where it goes on.
        let condition = incremental == nil ? nil : state.window?.condition(limit: snapshot.limit)
        let floor = try incremental?.floor(of: table, state.window, connection)
        let statements = state.parts.map { part -> SQL in
            let conditions = [part.condition, condition, floor].compactMap { $0 }
            let clause: SQL = conditions.isEmpty ? "" : " WHERE \(conditions.joined(by: " AND "))"
            // An index may lead to the few rows above a floor; places must come in order all the same.
            let order: SQL = floor == nil ? "" : " ORDER BY ctid"
            let list = columns.map(\.selection) + ["ctid"]
            let name = names[part.table] ?? table.name
            return "COPY (SELECT \(list) FROM ONLY \(name)\(clause)\(order)) TO STDOUT (FORMAT binary)"
        }
        return PostgreSQLReadPlan(
            snapshot: snapshot, state: state, statements: statements, streams: streams,
            decoder: PostgreSQLRowDecoder(
                schema, types: columns.map(\.type), checksText: connection.isTextUnknown, trailing: 1),
            givesLastPosition: incremental != nil)
    }

    // MARK: - Parts

    /// The table and everything that inherits from it or is a partition of it, as far as it holds rows itself.
    private static func storage(
        _ table: PostgreSQLTable, _ connection: PostgreSQLConnection
    ) throws -> [(oid: UInt32, file: UInt32, blocks: Int)] {
        try connection.rows(
            """
            WITH RECURSIVE tree(oid) AS (SELECT $1::oid UNION
                SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid)
            SELECT c.oid, pg_relation_filenode(c.oid), pg_relation_size(c.oid) / current_setting('block_size')::bigint, c.relkind
            FROM tree JOIN pg_class c ON c.oid = tree.oid WHERE c.relkind IN ('r', 'm', 'f') ORDER BY c.oid
            """, ["\(table.oid)"]
        ) { row in
            guard row.text(3) != "f" else {
                throw HeadraceError(
                    .unsupported, "a part of table \(table.name) lies on another server and has no order to read on in",
                    hint: "read it as a query: SELECT * FROM \(table.name.quoted)")
            }
            return (
                UInt32(truncatingIfNeeded: row.integer(0) ?? 0), UInt32(truncatingIfNeeded: row.integer(1) ?? 0),
                Int(row.integer(2) ?? 0)
            )
        }
    }

    /// A part is not made smaller than this many blocks: a connection costs more than it brings.
    private static let fewestBlocks = 512

    private static func split(
        _ table: PostgreSQLTable, into streams: Int, _ connection: PostgreSQLConnection
    ) throws -> [PostgreSQLPart] {
        let storage = try storage(table, connection)
        if storage.count > 1 {
            return storage.map { PostgreSQLPart(table: $0.oid, file: $0.file, from: 0, to: nil) }
        }
        guard let only = storage.first else { return [] }
        let count = max(1, min(streams, only.blocks / fewestBlocks))
        return (0..<count).map { index in
            PostgreSQLPart(
                table: only.oid, file: only.file, from: UInt32(truncatingIfNeeded: only.blocks * index / count),
                to: index == count - 1 ? nil : UInt32(truncatingIfNeeded: only.blocks * (index + 1) / count))
        }
    }

    private static func partNames(
        _ parts: [PostgreSQLPart], _ connection: PostgreSQLConnection
    ) throws -> [UInt32: PostgreSQLTableName] {
        let list = "{\(Set(parts.map(\.table)).map(String.init).joined(separator: ","))}"
        let found = try connection.rows(
            """
            SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::oid[])
            """, [list]
        ) { row in
            (
                UInt32(truncatingIfNeeded: row.integer(0) ?? 0),
                PostgreSQLTableName(
                    schema: try PostgreSQLName(row.text(1) ?? ""), table: try PostgreSQLName(row.text(2) ?? ""))
            )
        }
        return Dictionary(found) { first, _ in first }
    }

    // MARK: - Whether a position still means something

    private static func checkFiles(_ parts: [PostgreSQLPart], _ connection: PostgreSQLConnection, _ source: String)
        throws
    {
        for part in parts {
            let file = try connection.first("SELECT pg_relation_filenode($1::oid)", ["\(part.table)"]) { $0.integer(0) }
            guard file == Int64(part.file) else {
                throw stale(source, "it was rewritten or dropped since the checkpoint")
            }
        }
    }

    /// Rows that were changed since lie elsewhere now, and nobody knows whether they have been read.
    private static func checkUnchanged(
        _ state: PostgreSQLReadState, _ table: PostgreSQLTable, _ snapshot: PostgreSQLSnapshot,
        _ connection: PostgreSQLConnection, _ source: String
    ) throws {
        guard let bound = state.window?.bound, snapshot.limit > bound else { return }
        let window = PostgreSQLWindow(since: bound, bound: snapshot.limit)
        guard let condition = window.condition(limit: snapshot.limit) else { return }
        for (oid, name) in try partNames(
            try storage(table, connection).map {
                PostgreSQLPart(table: $0.oid, file: $0.file, from: 0, to: nil)
            }, connection) where oid != 0
        {
            let changed = try connection.first("SELECT 1 FROM ONLY \(name) WHERE \(condition) LIMIT 1") {
                $0.integer(0)
            }
            if changed != nil { throw stale(source, "rows were added or changed since the checkpoint") }
        }
    }

    private static func stale(_ source: String, _ reason: String) -> HeadraceError {
        HeadraceError(
            .unsupported, "\(source) cannot be read on from its checkpoint", because: reason,
            hint:
                "run with --restart to read it from its start; with ?cursor=COLUMN changed rows are read by the next run"
        )
    }
}

extension PostgreSQLConnection {
    /// Whether the server does not know what its text's bytes mean.
    var isTextUnknown: Bool {
        PQparameterStatus(handle, "server_encoding").map { String(cString: $0) } == "SQL_ASCII"
    }
}
