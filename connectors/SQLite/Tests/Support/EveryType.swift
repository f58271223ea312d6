import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceSQLite

/// Every type that SQLite keeps one to one, with its extremes.
enum EveryType {
    struct Case: Sendable, CustomTestStringConvertible {
        let type: DataType
        let declared: String
        let values: [Scalar]
        /// What an independent client reads, as SQL literals.
        let stored: [String]
        var testDescription: String { "\(type)" }
    }

    private static func decimal(_ text: String) -> Scalar { DecimalValue(text).map(Scalar.decimal) ?? .null }

    static let cases: [Case] = [
        Case(type: .bool, declared: "BOOLEAN", values: [.bool(true), .bool(false)], stored: ["1", "0"]),
        Case(type: .int8, declared: "TINYINT", values: [.integer(-128), .integer(127)], stored: ["-128", "127"]),
        Case(
            type: .int16, declared: "SMALLINT", values: [.integer(-32768), .integer(32767)],
            stored: ["-32768", "32767"]),
        Case(
            type: .int32, declared: "INT4", values: [.integer(-2_147_483_648), .integer(2_147_483_647)],
            stored: ["-2147483648", "2147483647"]),
        Case(
            type: .int64, declared: "BIGINT", values: [.integer(Int128(Int64.min)), .integer(Int128(Int64.max))],
            stored: ["-9223372036854775808", "9223372036854775807"]),
        Case(type: .uint8, declared: "TINYINT UNSIGNED", values: [.integer(0), .integer(255)], stored: ["0", "255"]),
        Case(type: .uint16, declared: "SMALLINT UNSIGNED", values: [.integer(65535)], stored: ["65535"]),
        Case(type: .uint32, declared: "INT4 UNSIGNED", values: [.integer(4_294_967_295)], stored: ["4294967295"]),
        Case(
            type: .uint64, declared: "UNSIGNED64 BLOB",
            values: [
                .integer(0), .integer(Int128(Int64.max)), .integer(Int128(Int64.max) + 1), .integer(Int128(UInt64.max)),
            ],
            stored: ["0", "9223372036854775807", "'9223372036854775808'", "'18446744073709551615'"]),
        Case(
            type: .float32, declared: "FLOAT4",
            values: [.double(1.5), .double(-0.25), .double(.infinity)],
            stored: ["1.5", "-0.25", "Inf"]),
        Case(
            type: .float64, declared: "REAL",
            values: [
                .double(0.1), .double(-2.5),
                .double(3),
            ],
            stored: ["0.1", "-2.5", "3.0"]),
        Case(
            type: .decimal(precision: 10, scale: 2), declared: "DECIMAL(10,2)",
            values: [decimal("0.10"), decimal("-99999999.99"), decimal("12.00"), decimal("0.29")],
            stored: ["0.1", "-99999999.99", "12", "0.29"]),
        Case(
            type: .decimal(precision: 15, scale: 15), declared: "DECIMAL(15,15)",
            values: [decimal("0.999999999999999"), decimal("0.000000000000001")],
            stored: ["0.999999999999999", "1.0e-15"]),
        Case(
            type: .decimal(precision: 15, scale: 0), declared: "DECIMAL(15,0)", values: [decimal("999999999999999")],
            stored: ["999999999999999"]),
        Case(
            type: .decimal(precision: 18, scale: 4), declared: "DECIMAL TEXT(18,4)",
            values: [decimal("12345678901234.5678"), decimal("-0.0001")],
            stored: ["'12345678901234.5678'", "'-0.0001'"]),
        Case(
            type: .decimal(precision: 38, scale: 10), declared: "DECIMAL TEXT(38,10)",
            values: [decimal("9999999999999999999999999999.9999999999"), decimal("1.0000000000")],
            stored: ["'9999999999999999999999999999.9999999999'", "'1.0000000000'"]),
        Case(
            type: .utf8, declared: "TEXT",
            values: [.utf8(""), .utf8("007"), .utf8("it's; DROP TABLE t; --"), .utf8("žluť 😀"), .utf8("1e5")],
            stored: ["''", "'007'", "'it''s; DROP TABLE t; --'", "'žluť 😀'", "'1e5'"]),
        Case(
            type: .json, declared: "JSON TEXT", values: [.utf8("{\"a\":[1,null]}"), .utf8("1.0"), .utf8("null")],
            stored: ["'{\"a\":[1,null]}'", "'1.0'", "'null'"]),
        Case(
            type: .binary, declared: "BLOB", values: [.binary([]), .binary([0, 255, 39])], stored: ["X''", "X'00FF27'"]),
        Case(
            type: .date32, declared: "DATE", values: [.date(0), .date(-719_162), .date(2_932_896)],
            stored: ["'1970-01-01'", "'0001-01-01'", "'9999-12-31'"]),
        Case(
            type: .time64, declared: "TIME", values: [.time(0), .time(86_399_999_999)],
            stored: ["'00:00:00'", "'23:59:59.999999'"]),
        Case(
            type: .timestamp(zone: nil), declared: "TIMESTAMP",
            values: [.timestamp(-1), .timestamp(1_700_000_000_000_000)],
            stored: ["'1969-12-31T23:59:59.999999'", "'2023-11-14T22:13:20'"]),
        Case(
            type: .instant, declared: "TIMESTAMPTZ", values: [.timestamp(1_700_000_000_500_000)],
            stored: ["'2023-11-14T22:13:20.500Z'"]),
        Case(
            type: .timestamp(zone: "Europe/\"Köln\""), declared: "TIMESTAMPTZ \"Europe/\"\"Köln\"\"\"",
            values: [.timestamp(0)], stored: ["'1970-01-01T00:00:00Z'"]),
    ]
}
