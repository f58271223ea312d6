public import HeadraceColumnar
public import HeadraceCore

/// A schema kept in a JSON file: an array of `{"name", "type", "nullable"}`, or an object whose `fields` is one.
///
/// Types are written as `DataType` prints them (`int64`, `decimal(12,2)`, `timestamp(UTC)`); a list is
/// `{"list": TYPE}` and a struct `{"struct": [FIELDS]}`. `nullable` is true where it is missing. What
/// `headrace schema --json` prints is such a file.
public enum SchemaFile {
    /// The schema in the file at `path`. Blocks; throws `badOption` where the file does not say a schema.
    public static func read(_ path: String) throws -> Schema {
        do {
            return try schema(JSONValue.parse(FileContents.read(path)))
        } catch let error as JSONError {
            throw HeadraceError(.badOption, "\(path) is not JSON", because: "\(error)")
        } catch let error as HeadraceError {
            throw error.at("schema file \(path)")
        }
    }

    /// The schema that a JSON value says.
    public static func schema(_ value: JSONValue) throws(HeadraceError) -> Schema {
        let fields = try fields(value["fields"] ?? value)
        guard let schema = Schema(unique: fields) else {
            var seen: Set<String> = []
            let twice = fields.first { !seen.insert($0.name).inserted }?.name ?? ""
            throw HeadraceError(.badOption, "the schema names the field \"\(twice)\" twice")
        }
        return schema
    }

    private static func fields(_ value: JSONValue) throws(HeadraceError) -> [Field] {
        guard let items = value.arrayValue else {
            throw HeadraceError(
                .badOption, "a schema is an array of fields",
                hint: "write [{\"name\": \"id\", \"type\": \"int64\", \"nullable\": false}, …]")
        }
        var fields: [Field] = []
        for item in items { fields.append(try field(item)) }
        return fields
    }

    private static func field(_ value: JSONValue) throws(HeadraceError) -> Field {
        guard let name = value["name"]?.stringValue, let type = value["type"] else {
            throw HeadraceError(.badOption, "a field needs a \"name\" and a \"type\"", fields: [("found", "\(value)")])
        }
        return Field(name, try self.type(type, of: name), nullable: value["nullable"]?.boolValue ?? true)
    }

    private static func type(_ value: JSONValue, of name: String) throws(HeadraceError) -> DataType {
        if let text = value.stringValue, let type = DataType(text) { return type }
        if let element = value["list"] { return .list(Field("item", try type(element, of: name))) }
        if let members = value["struct"] { return .struct(try fields(members)) }
        throw HeadraceError(
            .badOption, "the type of field \"\(name)\" is not known", fields: [("found", "\(value)")],
            hint: "use bool, int8 to int64, uint8 to uint64, float32, float64, decimal(P,S), utf8, binary, date32, "
                + "time64, timestamp, timestamp(ZONE), json, {\"list\": …} or {\"struct\": […]}")
    }
}
