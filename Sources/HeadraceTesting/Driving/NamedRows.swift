public import HeadraceColumnar

/// The rows that contracts write and read: a key, and a name that every seventh row lacks.
public enum NamedRows {
    /// `id` of `int64` without nulls and `name` of `utf8`.
    public static var schema: Schema { Schema([Field("id", .int64, nullable: false), Field("name", .utf8)]) }

    /// The rows with the keys `ids`, called `name 0`, `name 1` and so on.
    public static func rows(_ ids: Range<Int>, named name: String = "name") -> [[Scalar]] {
        ids.map { [.integer(Int128($0)), $0 % 7 == 3 ? .null : .utf8("\(name) \($0)")] }
    }

    /// The same rows as another program tells them.
    public static func texts(_ ids: Range<Int>, named name: String = "name") -> Set<[String?]> {
        Set(ids.map { ["\($0)", $0 % 7 == 3 ? nil : "\(name) \($0)"] })
    }
}

extension String {
    /// The text as an identifier of SQL, between `mark`s, those inside doubled.
    package func quoted(by mark: Character) -> String {
        "\(mark)\(split(separator: mark, omittingEmptySubsequences: false).joined(separator: "\(mark)\(mark)"))\(mark)"
    }
}
