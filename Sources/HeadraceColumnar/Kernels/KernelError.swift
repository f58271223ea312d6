/// A kernel was asked for something that it cannot do on these types, whatever the values.
public struct KernelError: Error, Hashable {
    /// What went wrong, for programs.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// No rule covers this operation on these types.
        public static let unsupportedTypes = Code(rawValue: "unsupportedTypes")
    }

    /// What went wrong.
    public let code: Code
    /// One sentence that names the operation and the types.
    public let message: String
    /// The types that were given, in order.
    public let types: [DataType]

    init(_ operation: String, unsupported types: [DataType]) {
        code = .unsupportedTypes
        message = "\(operation) is not defined for \(types.map(\.description).joined(separator: " and "))"
        self.types = types
    }
}

extension KernelError: CustomStringConvertible {
    public var description: String { "\(message) [\(code.rawValue)]" }
}

/// A row for which a kernel found no value; the result is null there.
public struct RowFailure: Sendable, Hashable {
    /// Why there is no value.
    public enum Reason: Sendable, Hashable {
        /// Text that is no value of the wanted type, and why.
        case text(ParseProblem)
        /// A value beyond the range or precision of the result's type.
        case outOfRange
        /// A value whose digits or parts the result's type would lose.
        case inexact
        /// A division by zero, of integers, decimals or floats.
        case divisionByZero
        /// Text of a timestamp with a zone for a type without one, or the other way round.
        case zone
    }

    /// The row, counted from the start of the column.
    public let row: Int32
    /// Why the row failed.
    public let reason: Reason

    /// A failure of `row`, for kernels outside this module.
    public init(row: Int32, reason: Reason) {
        self.row = row
        self.reason = reason
    }
}

/// A column made by a kernel that can fail for single rows.
public struct KernelResult: Sendable {
    /// One value a row; null where the input was null or the row failed.
    public let column: ColumnVector
    /// The rows that failed, in ascending order; empty in the ordinary case.
    public let failures: [RowFailure]
}
