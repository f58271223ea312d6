/// Rows as columns: one vector a field, all of the same length.
public struct RecordBatch: Sendable {
    /// The names and types of the columns.
    public let schema: Schema
    /// One vector a field, in the order of the schema.
    public let columns: [ColumnVector]
    /// The number of rows.
    public let count: Int

    /// A batch of `columns`, which must match `schema` in number, type and length.
    public init(schema: Schema, columns: [ColumnVector], count: Int) {
        precondition(columns.count == schema.count, "a batch needs one column a field")
        for (field, column) in zip(schema.fields, columns) {
            precondition(
                column.count == count, "column \(field.name) has \(column.count) values, the batch \(count) rows")
            precondition(column.type == field.type, "column \(field.name) is \(column.type), its field \(field.type)")
        }
        self.schema = schema
        self.columns = columns
        self.count = count
    }

    /// A batch without rows.
    public init(empty schema: Schema) {
        self.init(schema: schema, columns: schema.fields.map { .nulls($0.type, count: 0) }, count: 0)
    }

    /// The column of the field called `name`.
    public subscript(name: String) -> ColumnVector? { schema.index(of: name).map { columns[$0] } }

    /// The window of `count` rows from `start`; copies nothing.
    public func slice(from start: Int, count: Int) -> RecordBatch {
        RecordBatch(schema: schema, columns: columns.map { $0.slice(from: start, count: count) }, count: count)
    }

    /// The bytes that the rows occupy.
    public var byteSize: Int { columns.reduce(0) { $0 + $1.byteSize } }
}
