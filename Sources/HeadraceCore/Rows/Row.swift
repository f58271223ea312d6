public import HeadraceColumnar

/// One row of a batch in place: nothing is copied or allocated for it, and it cannot outlive the call it is given to.
///
/// Read by the handles that the closure declared: `row[price]` is nil where the column is null.
public struct Row: ~Copyable {
    @usableFromInline let columns: UnsafePointer<BoundColumn>
    @usableFromInline let count: Int
    @usableFromInline var index = 0

    init(_ binding: RowBinding) {
        columns = UnsafePointer(binding.columns)
        count = binding.count
    }

    /// Moves on to the batch's next row.
    mutating func advance() { index &+= 1 }

    /// The value of a column, nil when it is null.
    @inlinable public subscript<V: RowValue>(_ input: RowInput<V>) -> V.View? {
        let column = bound(input.slot, input.token)
        guard column.pointee.view.isValid(index) else { return nil }
        return V.view(of: column.pointee, at: index)
    }

    /// The value of a column that the plan knows to have no nulls.
    @inlinable public subscript<V: RowValue>(_ input: FilledRowInput<V>) -> V.View {
        let column = bound(input.slot, input.token)
        return V.view(of: column.pointee, at: index)
    }

    /// The value of a column that this row must have.
    /// - Throws: `RowError` with code `missing` when it is null, which makes the row a reject.
    @inlinable public func required<V: RowValue>(_ input: RowInput<V>) throws -> V.View {
        guard let value = self[input] else { throw RowError.missing(input.name) }
        return value
    }

    @inlinable func bound(_ slot: Int, _ token: UInt32) -> UnsafePointer<BoundColumn> {
        precondition(
            slot < count && columns[slot].token == token, "a handle was used outside the closure it was made for")
        return columns + slot
    }
}

/// Why a closure refuses a row; the row becomes a reject with this code and message.
///
/// Any other error that a closure throws refuses the row too, under the code `failed` and with the error's text.
public struct RowError: Error, Sendable, Hashable, CustomStringConvertible {
    /// For programs: `missing`, `outOfRange`, or what the closure's author chooses.
    public var code: String
    /// One sentence for people.
    public var message: String
    /// The column at fault, whose value the reject shows.
    public var field: String?

    /// A reason to refuse a row: `throw RowError("tooOld", "older than the shop")`.
    public init(_ code: String, _ message: String, field: String? = nil) {
        self.code = code
        self.message = message
        self.field = field
    }

    public var description: String { message }

    /// A column without a value where there must be one.
    public static func missing(_ field: String) -> RowError {
        RowError("missing", "column \(field) has no value", field: field)
    }
}
