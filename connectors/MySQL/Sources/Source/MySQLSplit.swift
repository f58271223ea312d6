import HeadraceCore

/// Ranges of a table's keys that hold about as many rows each.
enum MySQLSplit {
    /// A part is not made smaller than about this many rows: a connection costs more than it brings.
    private static let fewestRows = 10_000
    /// Keys that are looked at for each part.
    private static let keysPerPart = 32

    /// Parts that together hold every key once, in order; one part for a small table.
    ///
    /// The server walks the key's index once and gives every so-manieth key: exact whatever the key's type and collation.
    static func parts(
        of table: MySQLTable, by order: MySQLReadingOrder, into streams: Int, _ connection: MySQLConnection
    ) throws -> [MySQLPart] {
        guard streams > 1 else { return [MySQLPart(number: 0)] }
        let step = max(1_000, table.estimatedRows / (streams * keysPerPart))
        try connection.execute("SET @headrace_row = 0")
        let stream = try connection.stream(
            """
            SELECT \(order.selection) FROM \(table.name) FORCE INDEX (\(order.index))
            WHERE (@headrace_row := @headrace_row + 1) % \(step) = 0 ORDER BY \(order.sql)
            """)
        var rows = MySQLRows(columnCount: order.columns.count, bytes: 1 << 16, rows: streams * keysPerPart * 2)
        while try stream.next(into: &rows) {}
        let count = max(1, min(streams, rows.count * step / fewestRows))
        let keys = (1..<max(count, 1)).map { index in
            order.key(rows, row: rows.count * index / count, offset: 0)
        }
        // What the server takes for a range must be one: each holds its own last key.
        for (after, through) in zip(keys, keys.dropFirst()) {
            guard let range = try order.condition(after: after, through: through) else { continue }
            let found = try connection.number("SELECT EXISTS (SELECT 1 FROM \(table.name) WHERE \(range))")
            if found != 1 { return [MySQLPart(number: 0)] }
        }
        return (0..<count).map { index in
            MySQLPart(
                number: index, after: index == 0 ? nil : keys[index - 1],
                through: index == count - 1 ? nil : keys[index])
        }
    }
}
