import HeadraceColumnar
import HeadraceCore
import Testing

@Suite struct ExpressionTests {
    private let price = Column<DecimalValue>("price")
    private let quantity = Column<Int64>("quantity")
    private let name = Column<String>("name")

    private func batch() throws -> RecordBatch {
        let schema = Schema([
            Field("price", .decimal(precision: 10, scale: 2)), Field("quantity", .int64), Field("name", .utf8),
        ])
        func price(_ text: String) -> Scalar { DecimalValue(text).map(Scalar.decimal) ?? .null }
        return try #require(
            RecordBatch(
                schema: schema,
                rows: [
                    [price("10.50"), .integer(2), .utf8("lamp")], [price("-1.00"), .integer(0), .utf8("desk")],
                    [.null, .integer(3), .null], [price("99999999.99"), .null, .utf8("chair")],
                ]))
    }

    private func values<V: ColumnValue>(_ expression: Expr<V>) throws -> [String] {
        let batch = try batch()
        return try CompiledFormula(expression.formula, over: batch.schema).evaluate(batch).column.scalars.map(
            \.description)
    }

    @Test("Comparisons and logic follow three-valued logic")
    func logic() throws {
        #expect(try values(price > 0) == ["true", "false", "null", "true"])
        #expect(try values(price > 0 && quantity > 1) == ["true", "false", "null", "null"])
        #expect(try values(price > 0 || name == "desk") == ["true", "true", "null", "true"])
        #expect(try values(!(name == "lamp")) == ["false", "true", "null", "true"])
        #expect(try values(price.isNull) == ["false", "false", "true", "false"])
    }

    @Test("Arithmetic on decimals and integers is exact")
    func arithmetic() throws {
        #expect(try values(price * 1.1) == ["11.550", "-1.100", "null", "109999999.989"])
        #expect(try values(quantity + 1) == ["3", "1", "4", "null"])
        #expect(
            try values(choose((when: quantity > 1, then: quantity * 10), otherwise: quantity.expression)) == [
                "20", "0", "30", "null",
            ])
        #expect(try values(price.or(0)) == ["10.50", "-1.00", "0.00", "99999999.99"])
    }

    @Test("A division by zero fails its row only, and not where another branch is taken")
    func failures() throws {
        let batch = try batch()
        let quotient = try CompiledFormula((Expr<Int64>.literal(6) / quantity).formula, over: batch.schema).evaluate(
            batch)
        #expect(quotient.failures.map(\.row) == [1])
        #expect(quotient.failures.first?.code == "divisionByZero")
        let guarded = choose((when: quantity > 0, then: Expr<Int64>.literal(6) / quantity), otherwise: 0)
        let safe = try CompiledFormula(guarded.formula, over: batch.schema).evaluate(batch)
        #expect(safe.failures.isEmpty)
        #expect(safe.column.scalars.map(\.description) == ["3", "0", "2", "0"])
    }

    @Test("A column that is not there and types that do not go together are refused before any row")
    func refusals() throws {
        let schema = try batch().schema
        let missing = #expect(throws: HeadraceError.self) {
            try CompiledFormula((Column<Int64>("qty") > 1).formula, over: schema)
        }
        #expect(missing?.message == "there is no column \"qty\"")
        #expect(throws: HeadraceError.self) {
            try CompiledFormula(.call(.greater, [.column("name"), .literal(.integer(1), .int64)]), over: schema)
        }
    }
}
