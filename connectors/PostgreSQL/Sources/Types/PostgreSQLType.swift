import HeadraceColumnar

/// A type of the server as far as its values go over the wire.
indirect enum PostgreSQLKind: Sendable, Hashable {
    case bool, int2, int4, int8
    /// `oid` and its like: 32 bits without a sign.
    case oid
    case float4, float8
    /// With the declared digits and fraction digits, or without any bound.
    case numeric(precision: Int, scale: Int)
    case unboundedNumeric
    /// Text with the most characters that the column takes, where it says so.
    case text(limit: Int?)
    case bytea
    case date, time, timeWithZone, timestamp, timestampWithZone, interval
    case uuid, json, jsonb
    /// `inet` and `cidr`, then `macaddr` and `macaddr8`.
    case network(isCIDR: Bool), macAddress(bytes: Int)
    case enumeration(labels: [String])
    case array(PostgreSQLType)
    /// A type without a place of its own here; it goes as the text that the server prints.
    case other
}

/// The type of a column: what the catalog calls it and how its values go over the wire.
struct PostgreSQLType: Sendable, Hashable {
    /// The type's number in the catalog; the base type's for a domain.
    var oid: UInt32
    var kind: PostgreSQLKind
    /// The type as DDL names it, domains by their own name: `numeric(12,2)`, `shop.mood[]`.
    var name: String
    /// The most dimensions that the column declares; 0 for what is no array.
    var dimensions: Int
    /// What values are kept as: a domain's base, with its length.
    var stored: String
    /// How many digits of a second are kept; nil for all six, and for what is no time.
    var secondDigits: Int?

    init(
        oid: UInt32, kind: PostgreSQLKind, name: String, dimensions: Int = 0, stored: String? = nil,
        secondDigits: Int? = nil
    ) {
        self.oid = oid
        self.kind = kind
        self.name = name
        self.dimensions = dimensions
        self.stored = stored ?? name
        self.secondDigits = secondDigits
    }

    /// The type that a value has in a batch.
    var dataType: DataType {
        switch kind {
        case .bool: .bool
        case .int2: .int16
        case .int4: .int32
        case .int8: .int64
        case .oid: .uint32
        case .float4: .float32
        case .float8: .float64
        case .numeric(let precision, let scale): Self.decimal(precision, scale) ?? .utf8
        case .bytea: .binary
        case .date: .date32
        case .time: .time64
        case .timestamp: .timestamp(zone: nil)
        case .timestampWithZone: .instant
        case .json, .jsonb: .json
        case .array(let element): isCastToText ? .utf8 : .list(Field("item", element.dataType))
        case .unboundedNumeric, .text, .timeWithZone, .interval, .uuid, .network, .macAddress, .enumeration, .other:
            .utf8
        }
    }

    /// `numeric(p, s)` as a decimal; nil for more than 38 digits. A negative scale stands for zeros before the point, a
    /// scale beyond the precision for zeros behind it.
    static func decimal(_ precision: Int, _ scale: Int) -> DataType? {
        let digits = scale < 0 ? precision - scale : max(precision, scale)
        return digits <= 38 ? .decimal(precision: digits, scale: max(scale, 0)) : nil
    }

    /// Whether the server is asked to print the value: it has no form here that would be cheaper or more exact.
    var isCastToText: Bool {
        switch kind {
        case .other, .network, .macAddress: true
        case .array(let element): dimensions > 1 || element.isCastToText
        default: false
        }
    }

    /// Whether the name is a numeric type of the server's own, and no domain's.
    var isOfTheServer: Bool {
        ["smallint", "integer", "bigint", "real", "double precision"].contains(name) || name.hasPrefix("numeric(")
    }

    /// Whether the type's name must travel with the field, because its type in a batch does not tell it.
    var needsAnnotation: Bool {
        switch kind {
        case .unboundedNumeric, .timeWithZone, .interval, .uuid, .network, .macAddress, .enumeration, .other: true
        case .numeric(let precision, let scale): scale < 0 || scale > precision || Self.decimal(precision, scale) == nil
        case .array(let element): isCastToText || element.needsAnnotation
        case .text(let limit): limit != nil
        case .jsonb, .oid: true
        default: false
        }
    }
}

extension Field {
    /// The key of `metadata` under which a field keeps the type that PostgreSQL has for it: `uuid`, `numeric(50,10)`.
    static let postgreSQLTypeKey = "postgresql.type"
    /// The key of `metadata` for the place of a field in the primary key of its table, from 1.
    static let primaryKeyKey = "primaryKey"
}
