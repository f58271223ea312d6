import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceJSON

@Suite("Flattening nested objects into columns", .serialized) struct JSONFlatteningTests {
    static let text = """
        {"id":1,"offer":{"amount":19.99,"seller":{"name":"A","tags":["x"]}},"is_new":true}
        {"id":2,"offer":null}
        {"id":3,"offer":{"amount":5.00},"is_new":false}
        """

    @Test("Columns are named by the way to them and typed like others")
    func inferred() async throws {
        let reading = try await read(Self.text, JSONFormat(flattens: true))
        #expect(
            reading.schema.fields.map { "\($0)" } == [
                "id: int64 not null", "offer_amount: decimal(18,2)", "offer_seller_name: utf8",
                "offer_seller_tags: list<utf8>", "is_new: bool",
            ])
        #expect(
            reading.rows == [
                [.integer(1), decimal("19.99"), .utf8("A"), .list([.utf8("x")]), .bool(true)],
                [.integer(2), .null, .null, .null, .null], [.integer(3), decimal("5.00"), .null, .null, .bool(false)],
            ])
        #expect(try await read(Self.text, JSONFormat(flattens: true, separator: ".")).schema.names[1] == "offer.amount")
    }

    @Test("A declared column finds its member however the separator is to be read")
    func declared() async throws {
        let schema = Schema([
            Field("is_new", .bool), Field("offer_seller_name", .utf8),
            Field("offer_amount", .decimal(precision: 9, scale: 2)),
        ])
        let reading = try await read(Self.text, JSONFormat(flattens: true), schema: schema)
        #expect(reading.rows.map { $0[1] } == [.utf8("A"), .null, .null])
        #expect(reading.rows.map { $0[2] } == [decimal("19.99"), .null, decimal("5.00")])
        #expect(reading.rows.map { $0[0] } == [.bool(true), .null, .bool(false)])
        let odd = try await read(
            #"{"a_b":{"c":1},"a":{"b_d":2,"b":{"e":3}},"a_f":4}"#, JSONFormat(flattens: true),
            schema: Schema([
                Field("a_b_c", .int64), Field("a_b_d", .int64), Field("a_b_e", .int64), Field("a_f", .int64),
            ]))
        #expect(odd.rows == [[.integer(1), .integer(2), .integer(3), .integer(4)]])
    }

    @Test("Something else where an object was seen is a reject")
    func wrongKind() async throws {
        let schema = try #require(Schema(unique: try describe(Self.text, JSONFormat(flattens: true)).schema.fields))
        let reading = try await read(
            "{\"id\":1,\"offer\":5}\n{\"id\":2}\n{\"id\":3,\"offer\":{\"seller\":[]}}", JSONFormat(flattens: true),
            schema: schema)
        #expect(reading.rows.map { $0[0] } == [.integer(2)])
        #expect(reading.rejects.map(\.code) == ["wrongKind", "wrongKind"])
        #expect(reading.rejects.map(\.field) == ["offer", "offer.seller"])
    }

    @Test("An object that comes twice counts the last time only")
    func repeated() async throws {
        let schema = try describe(Self.text, JSONFormat(flattens: true)).schema
        let reading = try await read(
            #"{"id":1,"offer":{"amount":1.00,"seller":{"name":"A"}},"offer":{"amount":2.00}}"#,
            JSONFormat(flattens: true),
            schema: schema)
        #expect(reading.rows == [[.integer(1), decimal("2.00"), .null, .null, .null]])
    }

    @Test("Two members that ask for one column are refused by name")
    func collision() {
        let error = #expect(throws: HeadraceError.self) {
            try describe(#"{"a_b":1,"a":{"b":2}}"#, JSONFormat(flattens: true))
        }
        #expect(error?.code == .schemaMismatch && error?.message.contains("\"a_b\"") == true)
        #expect(throws: Never.self) {
            try describe(#"{"a_b":1,"a":{"b":2}}"#, JSONFormat(flattens: true, separator: "."))
        }
    }
}
