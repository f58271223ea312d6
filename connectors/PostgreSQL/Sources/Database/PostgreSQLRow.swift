import HeadraceCPQ

/// One row of a result that is held whole: for catalogs and counts, never for data.
struct PostgreSQLRow: ~Copyable {
    private let result: OpaquePointer
    private let row: Int32

    init(_ result: OpaquePointer, _ row: Int32) {
        self.result = result
        self.row = row
    }

    /// The value as the server prints it, nil for null.
    func text(_ column: Int) -> String? {
        guard PQgetisnull(result, row, Int32(column)) == 0, let value = PQgetvalue(result, row, Int32(column)) else {
            return nil
        }
        return String(cString: value)
    }

    /// The value as an integer, nil for null and for other text.
    func integer(_ column: Int) -> Int64? { text(column).flatMap { Int64($0) } }

    /// Whether the value is true.
    func bool(_ column: Int) -> Bool { text(column) == "t" }
}
