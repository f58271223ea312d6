/// What a text parser made of one cell: a value, or the reason why there is none.
///
/// A plain pair rather than an optional or a thrown error, so that a kernel can store the value unconditionally and
/// test the problem with one comparison.
@frozen
public struct Parsed<Value: BitwiseCopyable & Sendable>: Sendable, BitwiseCopyable {
    /// The value. Meaningless (zero, false) unless `problem` is `.none`.
    public var value: Value
    /// `.none`, or why there is no value.
    public var problem: ParseProblem

    /// Pairs a value with a problem; a parser passes a neutral value beside any problem other than `.none`.
    @inlinable
    public init(_ value: Value, _ problem: ParseProblem = .none) {
        self.value = value
        self.problem = problem
    }

    /// Whether the text was a value of the type.
    @inlinable public var isValid: Bool { problem == .none }

    /// The value, or nil if the text was not one.
    @inlinable public var valid: Value? { problem == .none ? value : nil }
}

extension Parsed: Equatable where Value: Equatable {}
