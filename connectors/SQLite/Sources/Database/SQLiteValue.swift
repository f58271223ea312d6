/// One value bound to a statement or read from a row, outside hot loops.
enum SQLiteValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    init(_ text: String?) { self = text.map(SQLiteValue.text) ?? .null }
    init(_ number: Int?) { self = number.map { .integer(Int64($0)) } ?? .null }
    init(_ number: Int64?) { self = number.map(SQLiteValue.integer) ?? .null }
    init(_ bytes: [UInt8]?) { self = bytes.map(SQLiteValue.blob) ?? .null }
    init(_ flag: Bool) { self = .integer(flag ? 1 : 0) }
}
