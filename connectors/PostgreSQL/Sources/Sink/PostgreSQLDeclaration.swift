import HeadraceColumnar
import HeadraceCore

/// The types that columns of new tables get, and what they read back as.
enum PostgreSQLDeclaration {
    /// The column type for values of `field` in DDL: the server's own type where the field came from one, else by its type
    /// in a batch, so that every value fits.
    /// - Parameter takesText: whether text may be read by the server on its way into the column, so that the type need have no
    ///   binary form here.
    static func type(of field: Field, width: Int? = nil, takesText: Bool = false) -> SQL {
        if let width, field.type == .utf8 { return "character varying(\(width))" }
        if let name = field.metadata[Field.postgreSQLTypeKey], isPlain(name, takesText: takesText) {
            return SQL(writtenByUser: name)
        }
        return type(of: field.type)
    }

    /// The column type for values of a type.
    static func type(of type: DataType) -> SQL {
        switch type {
        case .bool: "boolean"
        case .int8, .int16, .uint8: "smallint"
        case .int32, .uint16: "integer"
        case .int64, .uint32: "bigint"
        case .uint64: "numeric(20,0)"
        case .float32: "real"
        case .float64: "double precision"
        case .decimal(let precision, let scale): "numeric(\(precision),\(scale))"
        case .binary: "bytea"
        case .date32: "date"
        case .time64: "time"
        case .timestamp(let zone): zone == nil ? "timestamp" : "timestamptz"
        case .json: "json"
        case .struct: "jsonb"
        case .list(let element): "\(self.type(of: element.type))[]"
        default: "text"
        }
    }

    /// The type that a column made for `type` has when it is read.
    static func readBack(_ type: DataType) -> DataType {
        switch type {
        case .int8, .uint8: .int16
        case .uint16: .int32
        case .uint32: .int64
        case .uint64: .decimal(precision: 20, scale: 0)
        case .struct: .json
        case .timestamp(.some): .instant
        default: type
        }
    }

    /// Whether a type's name is one of the server's own that rows can be written into. Nothing else of a field's metadata
    /// becomes part of a statement.
    private static func isPlain(_ name: String, takesText: Bool) -> Bool {
        var base = Substring(name)
        if let open = name.firstIndex(of: "("), name.hasSuffix(")") {
            let digits = name[name.index(after: open)...].dropLast()
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2c || $0 == 0x2d }) else {
                return false
            }
            base = name[..<open]
        }
        let readAsText = [
            "money", "int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange", "point", "line", "lseg",
            "box", "path", "polygon", "circle", "bit", "bit varying",
        ]
        if takesText, readAsText.contains(String(base)) { return true }
        return [
            "uuid", "interval", "jsonb", "numeric", "character varying", "character", "oid", "inet", "cidr", "macaddr",
            "macaddr8", "time with time zone",
        ].contains(base)
    }
}
