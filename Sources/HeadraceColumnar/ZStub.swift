// Stands in until Decimal/ and Temporal/ land; deleted by that change.
public struct DecimalValue: Hashable, Sendable, CustomStringConvertible {
    public var coefficient: Int128
    public var scale: Int
    public init(coefficient: Int128, scale: Int) { self.coefficient = coefficient; self.scale = scale }
    public var description: String { "\(coefficient)e-\(scale)" }
    func exactCoefficient(precision: Int, scale: Int) -> Int128? { coefficient }
}
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
