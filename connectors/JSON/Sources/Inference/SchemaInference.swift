import HeadraceColumnar
import HeadraceCore

/// Makes columns of the shapes of values.
struct SchemaInference {
    let format: JSONFormat
    /// Whether every record was seen, so that what never was null never will be.
    let isWhole: Bool
    /// Findings for people, one sentence each.
    private(set) var notes: [String] = []
    /// The numbers of columns that hold nothing else.
    private(set) var numbers: [String: SeenNumbers] = [:]

    init(_ format: JSONFormat, isWhole: Bool) {
        self.format = format
        self.isWhole = isWhole
    }

    /// The columns of records.
    ///
    /// - Throws: `schemaMismatch` where two members ask for one column.
    mutating func schema(of records: Shape) throws(HeadraceError) -> Schema {
        var fields: [Field] = []
        let others = records.values - records.objects
        if records.objects > 0 {
            fields = columns(of: records, prefix: [], isOptional: false)
            if records.isCutOff {
                notes.append("only the first members of the records become columns, they have too many")
            }
            if others + records.nulls > 0 {
                notes.append(
                    "\(others + records.nulls) of \(records.values + records.nulls) records are not objects: rejects")
            }
        } else if others + records.nulls > 0 {
            let isNullable = records.nulls > 0 || !isWhole
            fields = [Field(DecodingPlan.valueName, type(of: records) ?? .json, nullable: isNullable)]
        }
        if let name = format.recordColumn { fields.append(Field(name, .json, nullable: false)) }
        guard let schema = Schema(unique: fields) else { throw repeated(fields) }
        return schema
    }

    private func repeated(_ fields: [Field]) -> HeadraceError {
        var seen: Set<String> = []
        let name = fields.first { !seen.insert($0.name).inserted }?.name ?? ""
        let ways = fields.filter { $0.name == name }.map { $0.metadata[DecodingPlan.pathKey] ?? "/\($0.name)" }
        return HeadraceError(
            .schemaMismatch, "two members ask for the column \"\(name)\"",
            fields: [("members", ways.joined(separator: ", "))],
            hint: "choose another separator=, leave flatten= out, or declare a schema")
    }

    /// The columns of an object's members; `isOptional` if the object itself may be missing.
    private mutating func columns(of object: Shape, prefix: [String], isOptional: Bool) -> [Field] {
        var fields: [Field] = []
        for (bytes, shape) in object.members {
            let names = prefix + [String(decoding: bytes, as: UTF8.self)]
            let isNullable = isOptional || !isWhole || shape.nulls > 0 || shape.values < object.objects
            if format.flattens, shape.objects > 0, shape.objects == shape.values, !shape.members.isEmpty,
                !shape.isCutOff
            {
                fields += columns(of: shape, prefix: names, isOptional: isNullable)
                continue
            }
            let name = names.joined(separator: format.separator)
            let type = type(of: shape)
            if type == nil, shape.values > 0 { note(name, shape) }
            if type?.isNumeric == true, !shape.isBinary, shape.numbers == shape.values { numbers[name] = shape.seen }
            var field = Field(name, type ?? .json, nullable: isNullable)
            if names.count > 1 { field.metadata[DecodingPlan.pathKey] = DecodingPlan.pointer(names) }
            fields.append(field)
        }
        return fields
    }

    private mutating func note(_ name: String, _ shape: Shape) {
        let kinds = [
            ("truth values", shape.bools), ("numbers", shape.numbers), ("strings", shape.strings),
            ("arrays", shape.arrays), ("objects", shape.objects),
        ].filter { $0.1 > 0 }.map(\.0)
        if kinds.count > 1 { notes.append("column \"\(name)\" has \(kinds.joined(separator: " and ")): read as JSON") }
    }

    /// The type that holds all values of a shape exactly; nil where only JSON text does.
    private func type(of shape: Shape) -> DataType? {
        guard format.infersTypes else { return shape.arrays + shape.objects > 0 || shape.values == 0 ? nil : .utf8 }
        let values = shape.values
        guard values > 0, !shape.isCutOff else { return nil }
        if shape.bools == values { return .bool }
        if shape.strings == values { return textType(shape) }
        if shape.numbers > 0, shape.numbers + shape.nonFiniteStrings == values {
            return shape.nonFiniteStrings > 0 ? .float64 : numberType(shape)
        }
        if shape.arrays == values, let elements = shape.elements, let element = type(of: elements) {
            return .list(Field("item", element, nullable: elements.nulls > 0 || !isWhole))
        }
        if shape.objects == values, !shape.members.isEmpty {
            return .struct(
                shape.members.map { name, member in
                    Field(
                        String(decoding: name, as: UTF8.self), type(of: member) ?? .json,
                        nullable: !isWhole || member.nulls > 0 || member.values < shape.objects)
                })
        }
        return nil
    }

    private func textType(_ shape: Shape) -> DataType {
        shape.areDates ? .date32 : shape.areZonedTimes ? .instant : shape.areLocalTimes ? .timestamp(zone: nil) : .utf8
    }

    private func numberType(_ shape: Shape) -> DataType? {
        if shape.isBinary { return .float64 }
        let seen = shape.seen
        if seen.scale == 0, !seen.isBeyondInt64 { return .int64 }
        let digits = seen.wholeDigits + seen.scale
        guard digits <= 38 else { return nil }
        return .decimal(precision: digits <= 18 ? 18 : 38, scale: seen.scale)
    }
}
