public import HeadraceColumnar

/// Declares what a closure that makes rows reads, writes and keeps. Only what is declared comes out, in this order.
public final class RowMapping: RowInputs {
    enum Output {
        /// The input's column at this position, as it is.
        case kept(Int)
        /// The written column of this slot.
        case written(Int)
    }

    private(set) var outputs: [(name: String, output: Output)] = []
    /// The columns written, by slot.
    private(set) var written: [Field] = []

    /// Keeps all columns of the input that are not written: they come out as they went in.
    public func keepAll() {
        for (index, name) in schema.names.enumerated() where !outputs.contains(where: { $0.name == name }) {
            outputs.append((name, .kept(index)))
        }
    }

    /// Keeps columns of the input: they come out as they went in, at next to no cost.
    /// - Throws: `schemaMismatch` when there is no such column.
    public func keep(_ names: String...) throws {
        for name in names {
            guard let index = schema.index(of: name) else {
                throw HeadraceError(
                    .schemaMismatch, "there is no column \"\(name)\"",
                    fields: [("columns", schema.names.joined(separator: ", "))])
            }
            put(name, .kept(index))
        }
    }

    /// A handle to write a column by, in the place of a kept one of its name. A row that does not set it has a null there,
    /// or is refused when the column is not `nullable`.
    public func write<V: PlainRowValue>(_ column: Column<V>, nullable: Bool = true) -> RowOutput<V> {
        write(Field(column.name, V.columnType, nullable: nullable))
    }

    /// A handle to write a decimal column by; a value with more digits refuses its row, nothing is rounded.
    public func write(
        _ column: Column<DecimalValue>, precision: Int, scale: Int, nullable: Bool = true
    ) throws -> RowOutput<DecimalValue> {
        guard (1...38).contains(precision), (0...precision).contains(scale) else {
            throw HeadraceError(
                .schemaMismatch, "decimal(\(precision),\(scale)) of column \"\(column.name)\" is no type",
                hint: "a decimal has 1 to 38 digits, none to all of them after the point")
        }
        return write(Field(column.name, .decimal(precision: precision, scale: scale), nullable: nullable))
    }

    private func write<V: RowValue>(_ field: Field) -> RowOutput<V> {
        written.append(field)
        put(field.name, .written(written.count - 1))
        return RowOutput(slot: written.count - 1, token: token)
    }

    private func put(_ name: String, _ output: Output) {
        if let place = outputs.firstIndex(where: { $0.name == name }) {
            outputs[place].output = output
        } else {
            outputs.append((name, output))
        }
    }

    /// The fields of the rows that come out.
    func outputSchema() throws -> Schema {
        guard !outputs.isEmpty else {
            throw HeadraceError(
                .schemaMismatch, "a closure over rows neither keeps nor writes a column",
                hint: "declare what comes out with keepAll(), keep(_:) or write(_:)")
        }
        return Schema(
            outputs.map { name, output in
                switch output {
                case .kept(let index): schema.fields[index]
                case .written(let slot): written[slot]
                }
            })
    }
}

/// A handle by which a closure writes a column of its rows.
@frozen public struct RowOutput<Value: RowValue>: Sendable {
    @usableFromInline let slot: Int
    @usableFromInline let token: UInt32
}
