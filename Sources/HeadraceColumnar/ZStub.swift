// Stands in until Decimal/ and Temporal/ land; deleted by that change.
enum Temporal {
    static func formatDate(_ d: Int32) -> String { "" }
    static func formatTime(_ d: Int64) -> String { "" }
    static func formatTimestamp(_ d: Int64) -> String { "" }
}
