/// What SQLite does to values on their way into a column, as its rules derive it from the declared type.
enum SQLiteAffinity: Sendable, Hashable {
    case integer, real, numeric
    case text
    /// Stores every value as it is bound.
    case none

    init(declared: String) {
        let name = declared.uppercased()
        func holds(_ part: String) -> Bool { name.contains(part) }
        if holds("INT") {
            self = .integer
        } else if holds("CHAR") || holds("CLOB") || holds("TEXT") {
            self = .text
        } else if name.isEmpty || holds("BLOB") {
            self = .none
        } else if holds("REAL") || holds("FLOA") || holds("DOUB") {
            self = .real
        } else {
            self = .numeric
        }
    }

    /// Whether text that reads as a number is turned into one.
    var turnsTextIntoNumbers: Bool {
        switch self {
        case .integer, .real, .numeric: true
        case .text, .none: false
        }
    }
}
