import HeadraceColumnar
import HeadraceCore

/// A range of keys of one table, which one connection reads in their order.
struct MySQLPart: Sendable, Hashable {
    /// The place of the part among those that the reading began with; ordinals count from it.
    let number: Int
    /// The last key that was read, or that lies before the part; nil at the beginning of the table.
    var after: MySQLKey?
    /// The last key of the part; nil for the end of the table.
    let through: MySQLKey?
    /// Rows read so far, refused ones included.
    var rows = 0

    var json: JSONValue {
        .object([
            ("part", .integer(number)), ("after", after?.json ?? .null), ("through", through?.json ?? .null),
            ("rows", .integer(rows)),
        ])
    }

    init(number: Int, after: MySQLKey? = nil, through: MySQLKey? = nil) {
        self.number = number
        self.after = after
        self.through = through
    }

    /// A part as its position says it; keys have `width` columns.
    init?(_ json: JSONValue, width: Int) {
        guard let number = json["part"]?.integerValue, let rows = json["rows"]?.integerValue,
            let after = json["after"], let through = json["through"]
        else { return nil }
        self.init(
            number: Int(number), after: MySQLKey(after, count: width), through: MySQLKey(through, count: width))
        self.rows = Int(rows)
        guard (self.after != nil) == (after != .null), (self.through != nil) == (through != .null) else { return nil }
    }
}

/// Which rows of a table a pass takes: those whose cursor lies above `since` and not above `bound`.
///
/// When the pass began no row could come any more at or below `bound`, so that a row belongs to one window only.
struct MySQLWindow: Sendable, Hashable {
    /// The bound of the pass before; nil for the first.
    let since: String?
    /// The highest value that is taken; nil where there is none yet, and nothing is read.
    let bound: String?

    /// Whether a row can lie in it.
    var isEmpty: Bool { bound == nil || bound == since }
}

/// How far a source has been read, as its positions say it.
struct MySQLReadState: Sendable, Hashable {
    /// Nil for a source that reads all rows.
    var window: MySQLWindow?
    /// What is left.
    var parts: [MySQLPart]

    func position(with left: [Int: MySQLPart]) -> Position {
        var members: [(String, JSONValue)] = []
        if let window {
            members.append(("since", window.since.map { .string($0) } ?? .null))
            members.append(("bound", window.bound.map { .string($0) } ?? .null))
        }
        members.append(("parts", .array(left.sorted { $0.key < $1.key }.map(\.value.json))))
        return Position(.object(members))
    }

    init(window: MySQLWindow?, parts: [MySQLPart]) {
        self.window = window
        self.parts = parts
    }

    /// - Throws: `malformedInput` for what is no position in this table with this key.
    init(_ position: Position, of table: MySQLTable, _ order: MySQLReadingOrder, isIncremental: Bool) throws {
        let value = position.value
        let found = (value["parts"]?.arrayValue ?? []).map { MySQLPart($0, width: order.columns.count) }
        guard value["parts"]?.arrayValue != nil, !found.contains(where: { $0 == nil }),
            (value["bound"] != nil) == isIncremental
        else {
            throw HeadraceError(
                .malformedInput, "\(value.compactText) is no position in table \"\(table.name.text)\"",
                hint: "the table has another key now; run with --restart to read it from its start")
        }
        parts = found.compactMap { $0 }
        if isIncremental {
            window = MySQLWindow(since: value["since"]?.stringValue, bound: value["bound"]?.stringValue)
        }
    }
}

/// What a reader is going to run: a statement for each part.
struct MySQLReadPlan: Sendable {
    var state = MySQLReadState(window: nil, parts: [])
    /// One for each part, or one for a query.
    let statements: [SQL]
    let decoder: MySQLRowDecoder
    /// Where a row's key stands among its columns; nil where rows have none.
    var key: (order: MySQLReadingOrder, offset: Int)?
    /// The end of the rows is a position too, from which a later run reads on.
    var givesLastPosition = false
}
