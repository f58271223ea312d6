import HeadraceCSQLite
import HeadraceColumnar
import HeadraceCore

/// A first look at the values of a column whose declared type says too little.
struct SQLiteLook {
    /// Rows that are looked at.
    static let rows = 10_000

    private var integers = 0
    private var reals = 0
    private var texts = 0
    private var blobs = 0
    private var zoned = 0
    private var unzoned = 0
    /// The most digits that a number needs as its shortest decimal, and how many of them lie before and after the point.
    private var digits = 0
    private var whole = 0
    private var scale = 0

    init() {}

    mutating func add(_ value: SQLiteValue, isTemporal: Bool) {
        switch value {
        case .null: break
        case .integer(let number):
            integers += 1
            digits = max(digits, DecimalMath.digitCount(number))
            whole = max(whole, DecimalMath.digitCount(number))
        case .real(let number):
            reals += 1
            guard let decimal = DecimalValue(shortest: number) else {
                digits = .max
                return
            }
            digits = max(digits, decimal.precision)
            whole = max(whole, decimal.precision - decimal.scale)
            scale = max(scale, decimal.scale)
        case .text(let text):
            texts += 1
            guard isTemporal else { return }
            var text = text
            let hasZone = text.withUTF8 { bytes in
                bytes.baseAddress.map { TimestampText.parse($0, count: bytes.count).hasZone } ?? false
            }
            if hasZone { zoned += 1 } else { unzoned += 1 }
        case .blob: blobs += 1
        }
    }

    /// The type that holds the values that were seen.
    func type(_ column: SQLiteColumnType) -> DataType {
        switch column.type {
        case .timestamp(nil), .date32, .time64:
            // Numbers in a column of times are seconds, milliseconds or days: which, only their owner knows.
            if texts == 0, integers > 0, reals == 0, blobs == 0 { return .int64 }
            if texts == 0, reals > 0, blobs == 0 { return .float64 }
            if column.type == .timestamp(zone: nil), zoned > 0, unzoned == 0 { return .instant }
            return column.type ?? .utf8
        case let type?: return type
        case nil: break
        }
        if blobs > 0 { return .binary }
        if texts > 0 { return .utf8 }
        if reals == 0 { return integers > 0 ? .int64 : column.affinity == .numeric ? .float64 : .utf8 }
        // A column that calls itself numeric and holds decimals of few digits is taken at its word.
        let precision = max(whole + scale, SQLiteColumnType.exactDigits)
        if column.affinity == .numeric, digits <= SQLiteColumnType.exactDigits, precision <= 38 {
            return .decimal(precision: precision, scale: scale)
        }
        return .float64
    }

    /// Whether a column needs a look.
    static func isNeeded(_ type: SQLiteColumnType) -> Bool {
        switch type.type {
        case nil, .date32, .time64, .timestamp(nil): true
        default: false
        }
    }

    /// The whole numbers of columns that declare an integer, whose word has no width in SQLite.
    /// - Parameter rows: a table's quoted name, or a query in brackets.
    static func numbers(
        in columns: [String], of rows: String, _ connection: SQLiteConnection
    ) throws(SQLiteFailure) -> [String: SeenNumbers] {
        let statement = try connection.prepare("SELECT \(SQLiteName.list(columns)) FROM \(rows)")
        let whole = columns.indices.filter {
            SQLiteColumnType(declared: statement.declaredType($0) ?? "").type?.isInteger ?? true
        }.map { columns[$0] }
        guard !whole.isEmpty else { return [:] }
        let extremes = whole.map { name -> String in
            let number = "CASE typeof(\(SQLiteName.quoted(name))) WHEN 'integer' THEN \(SQLiteName.quoted(name)) END"
            return "min(\(number)), max(\(number)), total(typeof(\(SQLiteName.quoted(name))) = 'real')"
        }
        let found = try connection.prepare("SELECT \(extremes.joined(separator: ", ")) FROM \(rows)")
        guard try found.step() else { return [:] }
        var numbers: [String: SeenNumbers] = [:]
        for (index, name) in whole.enumerated() where found.value(index * 3 + 2) == .real(0) {
            let (lowest, highest) = (found.optionalInteger(index * 3), found.optionalInteger(index * 3 + 1))
            numbers[name] = SeenNumbers(from: lowest ?? 0, through: highest ?? 0)
        }
        return numbers
    }

    /// The types of a query's columns: as declared, or by a look at the first rows.
    static func types(of statement: SQLiteStatement) throws(SQLiteFailure) -> [DataType] {
        let declared = (0..<statement.columnCount).map { SQLiteColumnType(declared: statement.declaredType($0) ?? "") }
        let unknown = declared.indices.filter { isNeeded(declared[$0]) }
        var looks = [Int: SQLiteLook]()
        for column in unknown { looks[column] = SQLiteLook() }
        if !unknown.isEmpty {
            var rows = 0
            while rows < Self.rows, try statement.step() {
                for column in unknown {
                    looks[column]?.add(statement.value(column), isTemporal: declared[column].type != nil)
                }
                rows += 1
            }
            statement.reset()
        }
        return declared.enumerated().map { looks[$0]?.type($1) ?? $1.type ?? .utf8 }
    }
}
