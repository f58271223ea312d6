import HeadraceColumnar
import HeadraceCore
import Testing

private let table = Schema([
    Field("id", .int32, nullable: false), Field("price", .decimal(precision: 8, scale: 2)), Field("name", .utf8),
])

private func fit(_ fields: [Field], _ policy: SchemaPolicy) throws -> SchemaFit {
    try SchemaFit(rows: Schema(fields), table: table, called: "t", keys: ["id"], policy: policy)
}

@Suite struct SchemaFitTests {
    @Test(
        "Rows that have a column for every field change nothing, whatever the policy", arguments: SchemaPolicy.allCases)
    func nothing(policy: SchemaPolicy) throws {
        let found = try fit([Field("name", .utf8), Field("id", .int32)], policy)
        #expect(found.written == [0, 1] && found.added.isEmpty && found.widened.isEmpty && found.ignored.isEmpty)
    }

    @Test("Evolve adds what is missing, nullable, and widens what is too narrow")
    func evolves() throws {
        let found = try fit(
            [
                Field("id", .int64, nullable: false), Field("note", .utf8, nullable: false),
                Field("price", .decimal(precision: 10, scale: 4)),
            ], .evolve)
        #expect(found.written == [0, 1, 2])
        #expect(found.added == [Field("note", .utf8)])
        #expect(found.widened.map(\.column) == ["id", "price"])
        #expect(found.widened.map(\.to) == [.int64, .decimal(precision: 10, scale: 4)])
    }

    @Test("Freeze leaves out what is missing, and refuses rows of which nothing is left")
    func freezes() throws {
        let found = try fit([Field("note", .utf8), Field("id", .int64), Field("tag", .bool)], .freeze)
        #expect(found.written == [1] && found.ignored.map(\.name) == ["note", "tag"] && found.widened.isEmpty)
        let error = #expect(throws: HeadraceError.self) { try fit([Field("note", .utf8)], .freeze) }
        #expect(error?.hint?.contains("nothing would be left") == true)
    }

    @Test("Refuse names what differs and what to try")
    func refuses() throws {
        let error = #expect(throws: HeadraceError.self) {
            try fit([Field("id", .int32), Field("Name", .utf8), Field("tag", .bool)], .refuse)
        }
        #expect(error?.code == .schemaMismatch)
        #expect(error?.message == "table t has no column \"Name\", \"tag\"")
        #expect(error?.fields.map(\.value) == ["id, price, name", "Name: utf8, tag: bool"])
        #expect(error?.hint?.contains("schemaPolicy=evolve") == true)
    }

    @Test("A key is never added and never left out", arguments: SchemaPolicy.allCases)
    func keys(policy: SchemaPolicy) {
        #expect(throws: HeadraceError.self) {
            try SchemaFit(
                rows: Schema([Field("key", .int64), Field("name", .utf8)]), table: table, called: "t", keys: ["key"],
                policy: policy)
        }
    }

    @Test(
        "A type is widened only where every value of both stays what it is",
        arguments: [
            (DataType.int16, DataType.int64, DataType?.some(.int64)), (.int64, .int16, nil), (.int64, .uint8, nil),
            (.int32, .decimal(precision: 4, scale: 1), .decimal(precision: 11, scale: 1)),
            (.decimal(precision: 8, scale: 2), .int64, .decimal(precision: 21, scale: 2)),
            (.decimal(precision: 8, scale: 2), .decimal(precision: 6, scale: 1), nil),
            (.decimal(precision: 38, scale: 0), .decimal(precision: 2, scale: 2), nil),
            (.float32, .float64, .float64), (.float32, .int16, nil), (.float32, .int32, .float64),
            (.float32, .int64, nil), (.int32, .float64, .float64), (.int64, .float64, nil), (.float64, .int64, nil),
            (.decimal(precision: 4, scale: 1), .float64, nil), (.utf8, .int64, nil), (.int64, .utf8, nil),
            (.date32, .timestamp(zone: nil), nil),
        ])
    func widening(column: DataType, rows: DataType, expected: DataType?) {
        #expect(SchemaFit.widening(column, toHold: rows) == expected)
    }

    @Test("The option's words are the policies; anything else names them")
    func option() throws {
        #expect(try SchemaPolicy(option: nil) == .refuse)
        for policy in SchemaPolicy.allCases { #expect(try SchemaPolicy(option: policy.rawValue) == policy) }
        let error = #expect(throws: HeadraceError.self) { try SchemaPolicy(option: "public") }
        #expect(error?.fields.first?.value == "evolve, freeze, refuse")
    }
}
