import HeadraceColumnar
import HeadraceCore

/// The place of a row in its table: block and number within it, as the server's `ctid`.
struct PostgreSQLRowPlace: Sendable, Hashable, Comparable {
    let block: UInt32
    let item: UInt16

    static func < (left: PostgreSQLRowPlace, right: PostgreSQLRowPlace) -> Bool {
        (left.block, left.item) < (right.block, right.item)
    }

    /// Reads the six bytes that the server sends.
    init(_ bytes: UnsafeRawPointer) {
        block = UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))
        item = UInt16(bigEndian: (bytes + 4).loadUnaligned(as: UInt16.self))
    }

    init(block: UInt32, item: UInt16) {
        self.block = block
        self.item = item
    }

    var sql: SQL { "'(\(block),\(item))'::tid" }
}

/// A range of blocks of one table, which one connection reads in the order of its blocks.
struct PostgreSQLPart: Sendable, Hashable {
    /// The table, or a partition of it, by its number in the catalog.
    let table: UInt32
    /// The file that the rows lie in; a rewritten table has another, and places in the old one mean nothing.
    let file: UInt32
    let from: UInt32
    /// The block before which the part ends; nil for the end of the table.
    let to: UInt32?
    /// The last row read, nil before the first.
    var at: PostgreSQLRowPlace?
    /// Rows read so far, refused ones included.
    var rows = 0

    var json: JSONValue {
        .object([
            ("table", .integer(table)), ("file", .integer(file)), ("from", .integer(from)),
            ("to", to.map { .integer($0) } ?? .null),
            ("at", at.map { .array([.integer($0.block), .integer($0.item)]) } ?? .null), ("rows", .integer(rows)),
        ])
    }

    init(table: UInt32, file: UInt32, from: UInt32, to: UInt32?) {
        self.table = table
        self.file = file
        self.from = from
        self.to = to
    }

    init?(_ json: JSONValue) {
        func number<Value: FixedWidthInteger>(_ name: String, _: Value.Type) -> Value? {
            json[name]?.integerValue.flatMap { Value(exactly: $0) }
        }
        guard let table = number("table", UInt32.self), let file = number("file", UInt32.self),
            let from = number("from", UInt32.self), let rows = number("rows", Int.self)
        else { return nil }
        self.init(table: table, file: file, from: from, to: number("to", UInt32.self))
        self.rows = rows
        guard let place = json["at"]?.arrayValue else { return }
        guard place.count == 2, let block = place[0].integerValue.flatMap({ UInt32(exactly: $0) }),
            let item = place[1].integerValue.flatMap({ UInt16(exactly: $0) })
        else { return nil }
        at = PostgreSQLRowPlace(block: block, item: item)
    }

    /// The condition that a row lies in what is left of the part, nil for a whole table.
    var condition: SQL? {
        var parts: [SQL] = []
        if let at {
            parts.append("ctid > \(at.sql)")
        } else if from > 0 {
            parts.append("ctid >= \(PostgreSQLRowPlace(block: from, item: 0).sql)")
        }
        if let to { parts.append("ctid < \(PostgreSQLRowPlace(block: to, item: 0).sql)") }
        return parts.isEmpty ? nil : parts.joined(by: " AND ")
    }
}

/// Which versions of rows a reading takes: those of transactions numbered from `since` and before `bound`.
///
/// Every transaction before `bound` had ended when the snapshot was taken, so that none of them can add a row later.
/// A version belongs to one transaction, and so to one window: none is missed, none is read twice.
struct PostgreSQLWindow: Sendable, Hashable {
    /// The first transaction whose rows are taken; nil for all from the beginning.
    let since: UInt64?
    /// The first transaction whose rows are left for later.
    let bound: UInt64

    /// The condition for a row, given the first transaction that the snapshot does not know of; nil where it holds for
    /// every row that the snapshot shows.
    ///
    /// A row keeps 32 bits of its transaction's number. Differences are taken modulo 2^32, so that the numbers may wrap.
    func condition(limit: UInt64) -> SQL? {
        if let since {
            return "((xmin::text::bigint - \(since)) & 4294967295) < \(bound - since)"
        }
        guard bound < limit else { return nil }
        return "((xmin::text::bigint - \(bound)) & 4294967295) >= \(limit - bound)"
    }
}
