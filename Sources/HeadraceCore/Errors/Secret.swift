/// A password, token or key that cannot print: description, interpolation and reflection all show `<redacted>`.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Hides `value`; from here on only `reveal()` gives it out.
    public init(_ value: String) { self.value = value }

    /// The secret itself, for the one call that needs it.
    public func reveal() -> String { value }

    public var description: String { "<redacted>" }
    public var debugDescription: String { "<redacted>" }
    /// Without children, so that `dump` and debuggers show nothing either.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
