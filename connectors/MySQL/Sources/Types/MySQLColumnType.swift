import HeadraceCMariaDB
import HeadraceColumnar
import HeadraceCore

/// How a reader takes what Headrace's types do not hold.
struct MySQLReadingOptions: Sendable, Hashable {
    /// Dates with a zero year, month or day become null instead of rejects.
    var zeroDatesAreNull = false
    /// `TIME` columns, which hold durations up to 838 hours, become text instead of times of day.
    var timesAreText = false
}

/// The type of a column: what the server calls it, and the type of ours that it stands for.
struct MySQLColumnType: Sendable, Hashable {
    /// What the server does with values, where that matters to how they are written or read.
    enum Kind: Sendable, Hashable {
        case plain
        /// Digits after the point of a second that the server keeps; it drops further ones without a word.
        case temporal(digits: Int)
        /// Text of at most so many characters.
        case characters(limit: Int)
        /// Text of at most so many bytes in the column's own character set.
        case text(limit: Int)
        /// Bytes of at most so many.
        case bytes(limit: Int)
        case bits(Int)
        /// A decimal of more than 38 digits or 30 fraction digits, handled as text.
        case wideDecimal(precision: Int, scale: Int)
        case year
        case float
        /// Text that the server checks itself: enumerations, sets, addresses, uuids.
        case word
        /// Cannot be written: geometry.
        case opaque
    }

    /// As the server declares it: `int(10) unsigned`.
    let declared: String
    let kind: Kind
    let type: DataType
    /// Whether values compare with regard to a collation, so that equal ones may differ.
    let isCollated: Bool

    private init(_ declared: String, _ kind: Kind, _ type: DataType, isCollated: Bool = false) {
        self.declared = declared
        self.kind = kind
        self.type = type
        self.isCollated = isCollated
    }

    /// The type of a column of the catalog.
    /// - Parameters:
    ///   - declared: `COLUMN_TYPE` of the catalog.
    ///   - isJSON: whether the table checks that the text is JSON.
    ///   - comment: the column's comment, in which a zone may be kept.
    init(declared: String, isJSON: Bool, comment: String) {
        let lower = declared.lowercased()
        let name = String(lower.prefix { $0 != "(" && $0 != " " })
        let isUnsigned = lower.contains(" unsigned")
        let arguments = Self.numbers(lower)
        func whole(_ signed: DataType, _ unsigned: DataType) -> MySQLColumnType {
            MySQLColumnType(declared, .plain, isUnsigned ? unsigned : signed)
        }
        func text(_ limit: Int) -> MySQLColumnType {
            MySQLColumnType(declared, .text(limit: limit), isJSON ? .json : .utf8, isCollated: true)
        }
        switch name {
        case "tinyint":
            self =
                arguments.first == 1 && !isUnsigned
                ? MySQLColumnType(declared, .plain, .bool) : whole(.int8, .uint8)
        case "smallint": self = whole(.int16, .uint16)
        case "mediumint", "int", "integer": self = whole(.int32, .uint32)
        case "bigint": self = whole(.int64, .uint64)
        case "float": self.init(declared, .float, .float32)
        case "double", "real": self.init(declared, .plain, .float64)
        case "decimal", "numeric":
            let (precision, scale) = (arguments.first ?? 10, arguments.count > 1 ? arguments[1] : 0)
            self =
                precision <= 38
                ? MySQLColumnType(declared, .plain, .decimal(precision: precision, scale: scale))
                : MySQLColumnType(declared, .wideDecimal(precision: precision, scale: scale), .utf8)
        case "bit":
            let count = arguments.first ?? 1
            self.init(declared, .bits(count), count == 1 ? .bool : .uint64)
        case "year": self.init(declared, .year, .int16)
        case "date": self.init(declared, .temporal(digits: 0), .date32)
        case "time": self.init(declared, .temporal(digits: arguments.first ?? 0), .time64)
        case "datetime":
            self.init(declared, .temporal(digits: arguments.first ?? 0), .timestamp(zone: Self.zone(comment)))
        case "timestamp": self.init(declared, .temporal(digits: arguments.first ?? 0), .timestamp(zone: "UTC"))
        case "char", "varchar":
            self.init(declared, .characters(limit: arguments.first ?? 1), isJSON ? .json : .utf8, isCollated: true)
        case "tinytext": self = text(255)
        case "text": self = text(65_535)
        case "mediumtext": self = text(16_777_215)
        case "longtext": self = text(Int(UInt32.max))
        case "json": self.init(declared, .text(limit: Int(UInt32.max)), .json, isCollated: true)
        case "binary", "varbinary": self.init(declared, .bytes(limit: arguments.first ?? 1), .binary)
        case "tinyblob": self.init(declared, .bytes(limit: 255), .binary)
        case "blob": self.init(declared, .bytes(limit: 65_535), .binary)
        case "mediumblob": self.init(declared, .bytes(limit: 16_777_215), .binary)
        case "longblob": self.init(declared, .bytes(limit: Int(UInt32.max)), .binary)
        case "enum", "set": self.init(declared, .word, .utf8, isCollated: true)
        case "uuid", "inet4", "inet6": self.init(declared, .word, .utf8)
        default: self.init(declared, .opaque, .binary)
        }
    }

    /// The type of a column that is made for values of `type`, which `declaration` declares.
    init(made type: DataType, _ declared: SQL) {
        let zone: String? = if case .timestamp(let zone) = type { zone } else { nil }
        self.init(
            declared: declared.text.lowercased(), isJSON: Self.readBack(type) == .json,
            comment: zone.map { Self.zoneComment + $0 } ?? "")
    }

    /// The type of a column of a query's result.
    init(_ field: MySQLFieldDescription) {
        let isUnsigned = field.isUnsigned
        func whole(_ signed: DataType, _ unsigned: DataType) -> MySQLColumnType {
            MySQLColumnType(field.typeName, .plain, isUnsigned ? unsigned : signed)
        }
        switch field.type {
        case MYSQL_TYPE_TINY:
            self =
                field.length == 1 && !isUnsigned
                ? MySQLColumnType("tinyint(1)", .plain, .bool) : whole(.int8, .uint8)
        case MYSQL_TYPE_SHORT: self = whole(.int16, .uint16)
        case MYSQL_TYPE_INT24, MYSQL_TYPE_LONG: self = whole(.int32, .uint32)
        case MYSQL_TYPE_LONGLONG: self = whole(.int64, .uint64)
        case MYSQL_TYPE_FLOAT: self.init("float", .float, .float32)
        case MYSQL_TYPE_DOUBLE: self.init("double", .plain, .float64)
        case MYSQL_TYPE_DECIMAL, MYSQL_TYPE_NEWDECIMAL:
            // The length counts a sign and a point.
            let precision = field.length - (field.decimals > 0 ? 1 : 0) - (isUnsigned ? 0 : 1)
            self =
                precision <= 38
                ? MySQLColumnType(
                    "decimal", .plain, .decimal(precision: max(precision, field.decimals, 1), scale: field.decimals))
                : MySQLColumnType("decimal", .wideDecimal(precision: precision, scale: field.decimals), .utf8)
        case MYSQL_TYPE_BIT: self.init("bit", .bits(field.length), field.length == 1 ? .bool : .uint64)
        case MYSQL_TYPE_YEAR: self.init("year", .year, .int16)
        case MYSQL_TYPE_DATE, MYSQL_TYPE_NEWDATE: self.init("date", .temporal(digits: 0), .date32)
        case MYSQL_TYPE_TIME, MYSQL_TYPE_TIME2: self.init("time", .temporal(digits: 6), .time64)
        case MYSQL_TYPE_DATETIME, MYSQL_TYPE_DATETIME2:
            self.init("datetime", .temporal(digits: 6), .timestamp(zone: nil))
        case MYSQL_TYPE_TIMESTAMP, MYSQL_TYPE_TIMESTAMP2:
            self.init("timestamp", .temporal(digits: 6), .timestamp(zone: "UTC"))
        case MYSQL_TYPE_JSON: self.init("json", .text(limit: Int(UInt32.max)), .json, isCollated: true)
        case MYSQL_TYPE_GEOMETRY: self.init("geometry", .opaque, .binary)
        default:
            self =
                field.isBinary
                ? MySQLColumnType("blob", .bytes(limit: Int(UInt32.max)), .binary)
                : MySQLColumnType("text", .text(limit: Int(UInt32.max)), .utf8, isCollated: true)
        }
    }

    /// The same column read with a reader's options.
    func reading(_ options: MySQLReadingOptions) -> MySQLColumnType {
        guard options.timesAreText, type == .time64 else { return self }
        return MySQLColumnType(declared, .word, .utf8)
    }

    /// The numbers between the first parentheses; values of enumerations give none.
    private static func numbers(_ declared: String) -> [Int] {
        guard let open = declared.firstIndex(of: "(") else { return [] }
        return declared[declared.index(after: open)...].prefix { $0 != ")" }.split(separator: ",").compactMap {
            Int($0.filter { $0 != " " })
        }
    }

    // MARK: - Writing

    private static let zoneComment = "headrace: zone "

    private static func zone(_ comment: String) -> String? {
        comment.hasPrefix(zoneComment) ? String(comment.dropFirst(zoneComment.count)) : nil
    }

    /// The type that a column of `type` is declared with; lists and structs become JSON.
    /// - Parameter width: the most characters or bytes of a column that is part of a key; nil for one that is not.
    /// - Throws: `unsupported` for decimals of more than 30 fraction digits.
    static func declaration(of type: DataType, width: Int? = nil) throws(HeadraceError) -> SQL {
        switch type {
        case .bool: return "TINYINT(1)"
        case .int8: return "TINYINT"
        case .int16: return "SMALLINT"
        case .int32: return "INT"
        case .int64: return "BIGINT"
        case .uint8: return "TINYINT UNSIGNED"
        case .uint16: return "SMALLINT UNSIGNED"
        case .uint32: return "INT UNSIGNED"
        case .uint64: return "BIGINT UNSIGNED"
        case .float32: return "FLOAT"
        case .float64: return "DOUBLE"
        case .decimal(let precision, let scale):
            guard scale >= 0, scale <= 30 else {
                throw HeadraceError(
                    .unsupported, "MySQL has no decimal of \(scale) fraction digits", hint: "it has up to 30; cast it")
            }
            return "DECIMAL(\(precision),\(scale))"
        case .utf8: return width.map { "VARCHAR(\($0))" } ?? "LONGTEXT"
        case .json, .list, .struct: return "JSON"
        case .binary: return width.map { "VARBINARY(\($0))" } ?? "LONGBLOB"
        case .date32: return "DATE"
        case .time64: return "TIME(6)"
        case .timestamp(nil): return "DATETIME(6)"
        case .timestamp(.some): return "DATETIME(6)"
        }
    }

    /// What follows the nullability of a column's declaration: TIMESTAMP ends in 2038, so that an instant is a DATETIME in
    /// UTC whose comment says so.
    static func comment(of type: DataType) -> SQL {
        guard case .timestamp(let zone?) = type else { return "" }
        return " COMMENT \(MySQLComment(zoneComment + zone).sql)"
    }

    /// The type that a column written as `type` reads back with.
    static func readBack(_ type: DataType) -> DataType {
        switch type {
        case .list, .struct: .json
        default: type
        }
    }
}

/// A comment in a definition, where no expression may stand, so that it is quoted instead of written in hexadecimal.
struct MySQLComment {
    let sql: SQL

    init(_ text: String) {
        // Names of zones and our own words only: all other characters are left out.
        let kept = text.unicodeScalars.filter { scalar in
            scalar.isASCII && scalar.value >= 0x20 && scalar != "'" && scalar != "\\"
        }
        sql = SQL(writtenByUser: "'\(String(String.UnicodeScalarView(kept)))'")
    }
}

/// What the server says about a column of a result.
struct MySQLFieldDescription: Sendable {
    let name: String
    let type: enum_field_types
    let isUnsigned: Bool
    let isNotNull: Bool
    /// Bytes, not text: no character set.
    let isBinary: Bool
    let length: Int
    let decimals: Int

    init(_ field: MYSQL_FIELD) {
        name = field.name.map { String(cString: $0) } ?? ""
        type = field.type
        isUnsigned = field.flags & UInt32(UNSIGNED_FLAG) != 0
        isNotNull = field.flags & UInt32(NOT_NULL_FLAG) != 0
        isBinary = field.charsetnr == 63
        length = Int(field.length)
        decimals = Int(field.decimals)
    }

    var typeName: String { isUnsigned ? "integer unsigned" : "integer" }
}
