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
