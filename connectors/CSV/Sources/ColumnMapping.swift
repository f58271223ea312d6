import HeadraceColumnar
import HeadraceCore

/// Which column of an object each field of the schema comes from.
struct ColumnMapping: Sendable {
    let schema: Schema
    /// Columns of the object, those that no field wants included.
    let columns: Int
    /// The object's column of each field; nil for a nullable field that the object lacks.
    let sources: [Int?]
    /// Where the texts of each field are numbered, nil where they are read as they are.
    private let encodings: [TextEncoding?]

    /// Matches by name where the object has a header, else by place. Throws `schemaMismatch` for a field that must not
    /// be null and is not there, and when none is there.
    init(_ layout: CSVLayout, to schema: Schema, object: String, in context: RunContext) throws(HeadraceError) {
        self.schema = schema
        let log = context.log
        encodings = schema.fields.map { field in
            field.type == .utf8 ? context.dictionaries?.encoding(of: field.name) : nil
        }
        let places = Dictionary(layout.names.enumerated().map { ($1, $0) }) { first, _ in first }
        if !layout.hasHeader, !schema.names.allSatisfy({ places[$0] != nil }) {
            columns = max(schema.count, 1)
            sources = schema.fields.indices.map { $0 }
            return
        }
        columns = max(layout.names.count, 1)
        sources = schema.names.map { places[$0] }
        let missing = schema.fields.filter { places[$0.name] == nil }
        if missing.count == schema.count, schema.count > 0 {
            throw HeadraceError(
                .schemaMismatch, "\(object) has none of the columns that are wanted",
                fields: [
                    ("wanted", schema.names.joined(separator: ", ")),
                    ("header", layout.names.joined(separator: ", ")),
                ], hint: "check delimiter, header and skip")
        }
        if let required = missing.first(where: { !$0.isNullable }) {
            let near = layout.names.filter {
                $0.lowercased().split(separator: " ") == required.name.lowercased().split(separator: " ")
            }
            throw HeadraceError(
                .schemaMismatch, "\(object) has no column \"\(required.name)\", which must not be null",
                fields: [("header", layout.names.joined(separator: ", "))],
                hint: near.first.map { "did you mean \"\($0)\"? Names are compared exactly" })
        }
        for field in missing {
            log.warning("csv: a column is missing and read as null", [("file", object), ("column", field.name)])
        }
        let extra = layout.names.filter { schema.index(of: $0) == nil }
        if !extra.isEmpty {
            log.warning(
                "csv: columns that the schema lacks are not read",
                [("file", object), ("columns", extra.joined(separator: ", "))])
        }
    }

    /// The rows of a chunk, with the first failed field of each row that has one.
    func decode(
        _ chunk: CSVChunk, dialect: CSVDialect
    ) -> (records: RecordBatch, failures: [Int32: (field: Int, problem: CellProblem)]) {
        var columns: [ColumnVector] = []
        var failed: [Int32: (field: Int, problem: CellProblem)] = [:]
        columns.reserveCapacity(schema.count)
        for (index, field) in schema.fields.enumerated() {
            guard let source = sources[index] else {
                columns.append(.nulls(field.type, count: chunk.rows))
                continue
            }
            let cells = ColumnCells(chunk, column: source, dialect: dialect, isRequired: !field.isNullable)
            var failures: [CellFailure] = []
            columns.append(
                withExtendedLifetime(chunk) {
                    encodings[index].flatMap { EncodedColumn.decode(as: field.type, cells, $0, &failures) }
                        ?? CellDecoder.decode(field.type, cells, &failures)
                })
            for failure in failures where failed[failure.row] == nil { failed[failure.row] = (index, failure.problem) }
        }
        return (RecordBatch(schema: schema, columns: columns, count: chunk.rows), failed)
    }
}

/// Chooses the kernel of a type, once a column and batch.
enum CellDecoder {
    static func decode(_ type: DataType, _ cells: ColumnCells, _ failures: inout [CellFailure]) -> ColumnVector {
        switch type {
        case .bool: FixedColumn.decodeBooleans(cells, &failures)
        case .int8: FixedColumn.decode(IntegerParser<Int8>(), as: type, cells, &failures)
        case .int16: FixedColumn.decode(IntegerParser<Int16>(), as: type, cells, &failures)
        case .int32: FixedColumn.decode(IntegerParser<Int32>(), as: type, cells, &failures)
        case .int64: FixedColumn.decode(IntegerParser<Int64>(), as: type, cells, &failures)
        case .uint8: FixedColumn.decode(IntegerParser<UInt8>(), as: type, cells, &failures)
        case .uint16: FixedColumn.decode(IntegerParser<UInt16>(), as: type, cells, &failures)
        case .uint32: FixedColumn.decode(IntegerParser<UInt32>(), as: type, cells, &failures)
        case .uint64: FixedColumn.decode(IntegerParser<UInt64>(), as: type, cells, &failures)
        case .float32: FixedColumn.decode(FloatParser(), as: type, cells, &failures)
        case .float64: FixedColumn.decode(DoubleParser(), as: type, cells, &failures)
        case .decimal(let precision, let scale):
            precision <= 18
                ? FixedColumn.decode(Decimal64Parser(precision: precision, scale: scale), as: type, cells, &failures)
                : FixedColumn.decode(Decimal128Parser(precision: precision, scale: scale), as: type, cells, &failures)
        case .date32: FixedColumn.decode(DateParser(), as: type, cells, &failures)
        case .time64: FixedColumn.decode(TimeParser(), as: type, cells, &failures)
        case .timestamp(let zone):
            FixedColumn.decode(TimestampParser(hasZone: zone != nil), as: type, cells, &failures)
        case .utf8: TextColumn.decode(as: type, cells, &failures)
        case .json: StructuredColumn.decodeJSON(cells, &failures)
        case .binary: StructuredColumn.decodeBinary(cells, &failures)
        case .list, .struct: StructuredColumn.decodeNested(type, cells, &failures)
        }
    }
}
