// Stands in until Decimal/ and Temporal/ land; deleted by that change.
enum Temporal {
    static func formatDate(_ d: Int32) -> String { "" }
    static func formatTime(_ d: Int64) -> String { "" }
    static func formatTimestamp(_ d: Int64) -> String { "" }
}
public enum RoundingMode: Sendable, Hashable { case halfEven, halfUp, halfDown, down, up, ceiling, floor }
public enum Kernels {
    public static func take(_ records: RecordBatch, indices: UnsafeBufferPointer<Int32>) -> RecordBatch {
        RecordBatch(schema: records.schema, rows: indices.map { records.row(at: Int($0)) }) ?? records
    }
}
