/// What came over the Arrow C interfaces cannot be held here, or a foreign stream failed.
public struct ArrowError: Error, Hashable {
    /// What went wrong, for programs.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A type that no type of ours holds without loss.
        public static let unsupportedType = Code(rawValue: "unsupportedType")
        /// A value that the type it becomes does not hold, such as nanoseconds below the microsecond.
        public static let inexactValue = Code(rawValue: "inexactValue")
        /// A structure that breaks the specification or was released before.
        public static let malformed = Code(rawValue: "malformed")
        /// The producer of a stream reported an error.
        public static let producerFailed = Code(rawValue: "producerFailed")
    }

    /// What went wrong.
    public let code: Code
    /// One sentence that names the type or value.
    public let message: String
    /// The column, with the path into nested types; empty for the batch or stream itself.
    public let column: String

    init(_ code: Code, _ message: String, column: String = "") {
        self.code = code
        self.message = message
        self.column = column
    }
}

extension ArrowError: CustomStringConvertible {
    public var description: String {
        "\(column.isEmpty ? "" : "column \"\(column)\": ")\(message) [\(code.rawValue)]"
    }
}
