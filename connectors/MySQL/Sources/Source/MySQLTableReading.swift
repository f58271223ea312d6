import HeadraceColumnar
import HeadraceCore

/// What the sources over a table share: its schema, and the statements that read it.
struct MySQLTableReading: Sendable {
    let table: String
    let options: MySQLReadingOptions
    let streams: Int

    /// The fields of the table's columns.
    func schema(of found: MySQLTable) -> Schema {
        Schema(
            found.columns.map { column in
                let type = column.type.reading(options).type
                let mayBecomeNull = options.zeroDatesAreNull && Self.isDated(type)
                return Field(column.name.text, type, nullable: column.isNullable || mayBecomeNull)
            })
    }

    private static func isDated(_ type: DataType) -> Bool {
        switch type {
        case .date32, .timestamp: true
        default: false
        }
    }

    /// - Throws: `badOption` for a number of connections that nobody can mean.
    func check() throws {
        guard (1...64).contains(streams) else {
            throw HeadraceError(.badOption, "a table is read by 1 to 64 streams, not \(streams)")
        }
    }

    /// The parts that a reading from the beginning has.
    func parts(
        of found: MySQLTable, by order: MySQLReadingOrder?, _ connection: MySQLConnection, _ log: EventLog
    ) throws -> [MySQLPart] {
        guard let order else {
            if streams > 1 {
                log.info(
                    """
                    table \(table) is read over one connection: it has no primary key, and no unique index over columns that \
                    take no nulls, by which it could be split
                    """)
            }
            return [MySQLPart(number: 0)]
        }
        return try MySQLSplit.parts(of: found, by: order, into: streams, connection)
    }

    /// The plan for what is left of a reading.
    /// - Parameter condition: what a row must meet; nil takes all.
    func plan(
        _ schema: Schema, of found: MySQLTable, by order: MySQLReadingOrder?, _ state: MySQLReadState,
        where condition: SQL? = nil
    ) throws -> MySQLReadPlan {
        let columns = try found.columns(schema.names)
        let list = columns.map(\.selection) + (order?.selection ?? [])
        let statements = try state.parts.map { part -> SQL in
            let conditions = [try order?.condition(after: part.after, through: part.through), condition].compactMap {
                $0
            }
            let clause: SQL = conditions.isEmpty ? "" : " WHERE \(conditions.joined(by: " AND "))"
            let sorting: SQL = order.map { " ORDER BY \($0.sql)" } ?? ""
            return "SELECT \(list) FROM \(found.name)\(clause)\(sorting)"
        }
        return MySQLReadPlan(
            state: state, statements: statements,
            decoder: MySQLRowDecoder(schema, types: columns.map { $0.type.reading(options) }, options: options),
            key: order.map { ($0, columns.count) })
    }

    /// Plans a reading, makes the connections see one moment, and starts.
    /// - Parameter plan: is given a connection that is in no transaction.
    /// - Returns: from `plan`, the table whose rows several connections shall read; nil for one connection.
    static func open(
        _ configuration: MySQLConfiguration, streams: Int = 1, stream: StreamID, context: RunContext,
        _ plan: @escaping @Sendable (MySQLMember, MySQLCrew) throws -> (MySQLReadPlan, MySQLTable?)
    ) async throws -> MySQLReader {
        let crew = MySQLCrew(configuration, context.cancellation)
        do {
            let (planned, opened) = try await BlockingWork.run {
                let leader = try crew.connect()
                do {
                    let (planned, table) = try plan(leader, crew)
                    guard let table else {
                        try MySQLOpened.begin(leader.connection)
                        return (planned, MySQLOpened(members: [leader]))
                    }
                    let count = min(streams, planned.statements.count)
                    return (planned, try MySQLOpened.begin(leader, table, count: count, crew, context.log))
                } catch {
                    throw crew.error(error, on: leader)
                }
            }
            return MySQLReader(planned, on: opened, crew: crew, stream: stream, context: context)
        } catch {
            crew.interrupt()
            crew.release()
            throw error
        }
    }
}
