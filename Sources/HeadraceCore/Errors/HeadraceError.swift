/// What went wrong, where, why and what to try: the one error type of Headrace's public API.
///
/// Printed it reads as `error: <message> [<code>]` followed by indented `at`, `because` and `try` lines. Values of
/// rows belong in `fields` only when they are safe to print; secrets never do.
public struct HeadraceError: Error, Sendable {
    /// An extensible set of error kinds; the raw value is what scripts and tests compare.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        /// A code of a connector's own, in lower camel case; scripts compare it, so it stays the same between releases.
        public init(_ rawValue: String) { self.rawValue = rawValue }
    }

    /// Whether doing the same again can help.
    public enum Retry: Sendable, Hashable {
        /// The same call fails again until somebody changes something: bad input, a wrong name, a missing right.
        case never
        /// The cause may pass: a lock, a dropped connection, an overloaded server.
        case mayHelp
        /// The other side asked to wait this long first.
        case after(Duration)
    }

    /// The kind of error, for programs; people read `message`.
    public var code: Code
    /// One sentence without a full stop.
    public var message: String
    /// Structured details in the order they should print: expected, found, valid names.
    public var fields: [(name: String, value: String)]
    /// From the innermost place outwards: file and line, step, job.
    public var trail: [String]
    /// The cause in words, when it is not an error of its own.
    public var reason: String?
    /// What the reader can do about it.
    public var hint: String?
    /// Whether a caller with patience left may do the same again.
    public var retry: Retry
    /// The error underneath, kept for programs; its text is part of the description.
    public var underlying: (any Error)?

    /// An error for a problem that a repetition does not mend, unless `retry` says otherwise.
    public init(
        _ code: Code, _ message: String, fields: [(name: String, value: String)] = [], trail: [String] = [],
        because reason: String? = nil, hint: String? = nil, retry: Retry = .never, underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.fields = fields
        self.trail = trail
        self.reason = reason
        self.hint = hint
        self.retry = retry
        self.underlying = underlying
    }

    /// The same error with one more enclosing place at the end of its trail.
    public func at(_ place: String) -> HeadraceError {
        var copy = self
        copy.trail.append(place)
        return copy
    }

    /// `error` itself when it is ours, else wrapped under `code` so that nothing reaches a user untyped.
    public static func wrapping(_ error: any Error, _ message: String, code: Code = .unexpected) -> HeadraceError {
        if let ours = error as? HeadraceError { return ours }
        if error is CancellationError { return .cancelled }
        return HeadraceError(code, message, underlying: error)
    }

    /// The run was asked to stop.
    public static var cancelled: HeadraceError { HeadraceError(.cancelled, "the run was cancelled") }
}

extension HeadraceError: CustomStringConvertible {
    public var description: String {
        var lines = ["error: \(message) [\(code.rawValue)]"]
        lines += trail.map { "  at \($0)" }
        lines += fields.map { "  \($0.name): \($0.value)" }
        if let reason { lines.append("  because: \(reason)") }
        if let underlying {
            let text = "\(underlying)"
            let indented = text.hasPrefix("error: ") ? String(text.dropFirst(7)) : text
            lines.append("  because: \(indented)")
        }
        if let hint { lines.append("  try: \(hint)") }
        return lines.joined(separator: "\n")
    }
}

extension HeadraceError.Code {
    /// The run was asked to stop.
    public static let cancelled = Self("cancelled")
    /// An error of a kind that has no code of its own.
    public static let unexpected = Self("unexpected")
    /// A location, option or command line that cannot be understood.
    public static let badLocation = Self("badLocation")
    /// An option that the connector does not know, or a value it does not take.
    public static let badOption = Self("badOption")
    /// A file, table or object that is not there.
    public static let notFound = Self("notFound")
    /// A file, server or table that does not let this user in.
    public static let accessDenied = Self("accessDenied")
    /// A system call on a file or socket that failed.
    public static let inputOutput = Self("inputOutput")
    /// Two schemas that should match and do not, or a column that is not there.
    public static let schemaMismatch = Self("schemaMismatch")
    /// Something the other side does not offer.
    public static let unsupported = Self("unsupported")
    /// Input that is damaged beyond rows: a truncated archive, a document that does not parse.
    public static let malformedInput = Self("malformedInput")
    /// Rows that do not add up between two sides of a border.
    public static let accountMismatch = Self("accountMismatch")
    /// Another run holds the job, so this one did not begin.
    public static let leaseHeld = Self("leaseHeld")
    /// Another run has taken over the job since this one began, so this one commits nothing more.
    public static let leaseLost = Self("leaseLost")
    /// More rejects than the job allows.
    public static let tooManyRejects = Self("tooManyRejects")
    /// A limit in bytes that cannot be kept.
    public static let outOfBudget = Self("outOfBudget")
}
