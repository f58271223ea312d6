extension ColumnVector {
    /// The value at `index` of the window.
    public func scalar(at index: Int) -> Scalar {
        precondition(index >= 0 && index < count, "row \(index) lies outside a column of \(count) values")
        guard isValid(index) else { return .null }
        if let dictionary { return dictionary.scalar(at: unsafeView.key(index)) }
        let view = unsafeView
        return withExtendedLifetime(self) { Self.value(of: self, view, index) }
    }

    private static func value(of vector: ColumnVector, _ view: UnsafeColumnView, _ index: Int) -> Scalar {
        switch vector.type {
        case .bool: .bool(view.bool(index))
        case .int8: .integer(Int128(view.values(as: Int8.self)[index]))
        case .int16: .integer(Int128(view.values(as: Int16.self)[index]))
        case .int32: .integer(Int128(view.values(as: Int32.self)[index]))
        case .int64: .integer(Int128(view.values(as: Int64.self)[index]))
        case .uint8: .integer(Int128(view.values(as: UInt8.self)[index]))
        case .uint16: .integer(Int128(view.values(as: UInt16.self)[index]))
        case .uint32: .integer(Int128(view.values(as: UInt32.self)[index]))
        case .uint64: .integer(Int128(view.values(as: UInt64.self)[index]))
        case .float32: .double(Double(view.values(as: Float.self)[index]))
        case .float64: .double(view.values(as: Double.self)[index])
        case .decimal(let precision, let scale):
            .decimal(
                DecimalValue(
                    coefficient: precision <= 18
                        ? Int128(view.values(as: Int64.self)[index]) : view.values(as: Int128.self)[index],
                    scale: scale))
        case .utf8, .json: .utf8(String(decoding: view.bytes(index), as: UTF8.self))
        case .binary: .binary(Array(view.bytes(index)))
        case .date32: .date(view.values(as: Int32.self)[index])
        case .time64: .time(view.values(as: Int64.self)[index])
        case .timestamp: .timestamp(view.values(as: Int64.self)[index])
        case .list:
            .list(
                (Int(view.textOffset(index))..<Int(view.textOffset(index + 1))).map {
                    vector.children[0].scalar(at: $0)
                })
        case .struct: .struct(vector.children.map { $0.scalar(at: vector.offset + index) })
        }
    }

    /// All values of the window; for tests, reports and small lookups.
    public var scalars: [Scalar] { (0..<count).map { scalar(at: $0) } }

    /// A column of `values`, nil when one of them does not fit `type`.
    public static func of(_ type: DataType, _ values: [Scalar]) -> ColumnVector? {
        let builder = makeBuilder(for: type, capacity: values.count)
        for value in values {
            guard builder.append(value) else { return nil }
        }
        return builder.finish()
    }

    /// A column of `count` nulls.
    public static func nulls(_ type: DataType, count: Int) -> ColumnVector {
        let builder = makeBuilder(for: type, capacity: count)
        for _ in 0..<count { builder.appendNull() }
        return builder.finish()
    }
}

extension RecordBatch {
    /// Row `index` as values in field order; for tests, previews and rejects.
    public func row(at index: Int) -> [Scalar] { columns.map { $0.scalar(at: index) } }

    /// A batch of rows given as values, nil when a value does not fit its field.
    public init?(schema: Schema, rows: [[Scalar]]) {
        var columns: [ColumnVector] = []
        for (index, field) in schema.fields.enumerated() {
            guard let column = ColumnVector.of(field.type, rows.map { $0[index] }) else { return nil }
            columns.append(column)
        }
        self.init(schema: schema, columns: columns, count: rows.count)
    }
}
