import HeadraceCore

/// The types of a database as the catalog describes them, looked up by number and kept for one look.
final class PostgreSQLTypeCatalog {
    private struct Entry {
        let name: String
        let schema: String
        let kind: String
        let category: String
        let base: UInt32
        let baseModifier: Int32
        let element: UInt32
        let isNotNull: Bool
        let dimensions: Int
        let labels: [String]
    }

    private let connection: PostgreSQLConnection
    private var entries: [UInt32: Entry] = [:]

    init(_ connection: PostgreSQLConnection) { self.connection = connection }

    /// The type of `oid` with the modifier of its column.
    /// - Returns: the type, and whether a domain forbids nulls.
    func type(_ oid: UInt32, modifier: Int32, dimensions: Int = 0) throws -> (PostgreSQLType, isNotNull: Bool) {
        try load([oid])
        var (entry, number, modifier, dimensions, isNotNull) = (entries[oid], oid, modifier, dimensions, false)
        let name = try declaredName(oid, modifier)
        while let domain = entry, domain.kind == "d" {
            isNotNull = isNotNull || domain.isNotNull
            if domain.baseModifier >= 0 { modifier = domain.baseModifier }
            dimensions = max(dimensions, domain.dimensions)
            number = domain.base
            try load([number])
            entry = entries[number]
        }
        guard let entry else { return (PostgreSQLType(oid: number, kind: .other, name: name), isNotNull) }
        let kind = try self.kind(entry, number, modifier)
        let isOfTime = [.time, .timestamp, .timestampWithZone].contains(kind)
        let type = PostgreSQLType(
            oid: number, kind: kind, name: name, dimensions: dimensions,
            stored: number == oid ? name : try declaredName(number, modifier),
            secondDigits: isOfTime && (0..<6).contains(modifier) ? Int(modifier) : nil)
        return (type, isNotNull)
    }

    private func declaredName(_ oid: UInt32, _ modifier: Int32) throws -> String {
        try connection.first("SELECT format_type($1::oid, $2::int)", ["\(oid)", "\(modifier)"]) { $0.text(0) ?? "" }
            ?? ""
    }

    private func load(_ oids: [UInt32]) throws {
        let missing = oids.filter { entries[$0] == nil }
        guard !missing.isEmpty else { return }
        let list = "{\(missing.map(String.init).joined(separator: ","))}"
        let found = try connection.rows(
            """
            SELECT t.oid, t.typname, n.nspname, t.typtype, t.typcategory, t.typbasetype, t.typtypmod,
                CASE WHEN t.typlen = -1 AND t.typcategory = 'A' THEN t.typelem ELSE 0 END, t.typnotnull, t.typndims,
                (SELECT string_agg(encode(convert_to(e.enumlabel, 'UTF8'), 'hex'), ',' ORDER BY e.enumsortorder)
                 FROM pg_enum e WHERE e.enumtypid = t.oid)
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = ANY ($1::oid[])
            """, [list]
        ) { row in
            (
                UInt32(truncatingIfNeeded: row.integer(0) ?? 0),
                Entry(
                    name: row.text(1) ?? "", schema: row.text(2) ?? "", kind: row.text(3) ?? "",
                    category: row.text(4) ?? "", base: UInt32(truncatingIfNeeded: row.integer(5) ?? 0),
                    baseModifier: Int32(truncatingIfNeeded: row.integer(6) ?? -1),
                    element: UInt32(truncatingIfNeeded: row.integer(7) ?? 0), isNotNull: row.bool(8),
                    dimensions: Int(row.integer(9) ?? 0), labels: Self.labels(row.text(10)))
            )
        }
        for (oid, entry) in found { entries[oid] = entry }
    }

    private static func labels(_ hex: String?) -> [String] {
        (hex ?? "").split(separator: ",").map { label in
            let digits = Array(label.utf8)
            let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private func kind(_ entry: Entry, _ oid: UInt32, _ modifier: Int32) throws -> PostgreSQLKind {
        if entry.kind == "e" { return .enumeration(labels: entry.labels) }
        guard entry.schema == "pg_catalog" else { return try arrayKind(entry, modifier) ?? .other }
        switch entry.name {
        case "bool": return .bool
        case "int2": return .int2
        case "int4": return .int4
        case "int8": return .int8
        case "oid", "xid", "cid": return .oid
        case "float4": return .float4
        case "float8": return .float8
        case "numeric": return Self.numeric(modifier)
        case "text", "name", "xml", "unknown": return .text(limit: nil)
        case "varchar", "bpchar": return .text(limit: modifier >= 4 ? Int(modifier) - 4 : nil)
        case "bytea": return .bytea
        case "date": return .date
        case "time": return .time
        case "timetz": return .timeWithZone
        case "timestamp": return .timestamp
        case "timestamptz": return .timestampWithZone
        case "interval": return .interval
        case "uuid": return .uuid
        case "json": return .json
        case "jsonb": return .jsonb
        case "inet": return .network(isCIDR: false)
        case "cidr": return .network(isCIDR: true)
        case "macaddr": return .macAddress(bytes: 6)
        case "macaddr8": return .macAddress(bytes: 8)
        case "int2vector", "oidvector": return .other
        default: return try arrayKind(entry, modifier) ?? .other
        }
    }

    /// An array has the modifier of its elements.
    private func arrayKind(_ entry: Entry, _ modifier: Int32) throws -> PostgreSQLKind? {
        guard entry.element != 0, entry.kind == "b" else { return nil }
        return .array(try type(entry.element, modifier: modifier).0)
    }

    /// Precision in the upper half, scale in the lower eleven bits with a sign, all four higher than they are.
    static func numeric(_ modifier: Int32) -> PostgreSQLKind {
        guard modifier >= 4 else { return .unboundedNumeric }
        let bits = Int(modifier) - 4
        let scale = bits & 0x7ff
        return .numeric(precision: bits >> 16 & 0xffff, scale: scale >= 1024 ? scale - 2048 : scale)
    }
}
