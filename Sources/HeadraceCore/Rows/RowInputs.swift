public import HeadraceColumnar
import Synchronization

/// Declares what a closure over rows reads. Handed to the closure's outer part, once when the plan is made and once a
/// worker; every column is checked there, before any row moves.
public class RowInputs {
    struct Input {
        /// The column's position in the schema.
        let index: Int
        /// The type in which it is read.
        let type: DataType
    }

    private static let tokens = Atomic<UInt32>(0)

    /// The fields of the rows.
    public let schema: Schema
    /// Tells handles of this declaration from all others.
    let token: UInt32
    private(set) var declared: [Input] = []

    init(_ schema: Schema) {
        self.schema = schema
        token = Self.tokens.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// A handle to read a column by; `row[handle]` is nil where it is null.
    /// - Throws: `schemaMismatch` when there is no such column, or its type does not read as a `V` without loss.
    public func read<V: RowValue>(_ column: Column<V>) throws -> RowInput<V> {
        RowInput(slot: try declare(column), token: token, name: column.name)
    }

    /// A handle to a column that can hold no null; `row[handle]` is never nil.
    /// - Throws: `schemaMismatch` as `read` does, and when the column may be null.
    public func readFilled<V: RowValue>(_ column: Column<V>) throws -> FilledRowInput<V> {
        let slot = try declare(column)
        guard !schema.fields[declared[slot].index].isNullable else {
            throw HeadraceError(
                .schemaMismatch, "column \"\(column.name)\" may be null and is read as one that is not",
                hint: "read it with read(_:), and let row.required(_:) refuse the rows where it is null")
        }
        return FilledRowInput(slot: slot, token: token)
    }

    private func declare<V: RowValue>(_ column: Column<V>) throws -> Int {
        guard let index = schema.index(of: column.name) else {
            throw HeadraceError(
                .schemaMismatch, "there is no column \"\(column.name)\"",
                fields: [("columns", schema.names.joined(separator: ", "))])
        }
        guard let type = V.readable(schema.fields[index].type) else {
            throw HeadraceError(
                .schemaMismatch, "column \"\(column.name)\" does not read as \(V.self)",
                fields: [("type", "\(schema.fields[index].type)")],
                hint: "read it as what it is, or cast it before the step")
        }
        declared.append(Input(index: index, type: type))
        return declared.count - 1
    }
}

/// A handle by which a closure reads a column of its rows.
@frozen public struct RowInput<Value: RowValue>: Sendable {
    @usableFromInline let slot: Int
    @usableFromInline let token: UInt32
    /// The column's name.
    public let name: String
}

/// A handle by which a closure reads a column that has no nulls.
@frozen public struct FilledRowInput<Value: RowValue>: Sendable {
    @usableFromInline let slot: Int
    @usableFromInline let token: UInt32
}
