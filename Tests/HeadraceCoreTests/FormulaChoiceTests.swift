import HeadraceColumnar
import HeadraceCore
import Testing

@Suite struct FormulaChoiceTests {
    private let price = Column<DecimalValue>("price")
    private let quantity = Column<Int64>("quantity")

    private func batch() throws -> RecordBatch {
        let schema = Schema([
            Field("price", .decimal(precision: 10, scale: 2)), Field("quantity", .int64), Field("small", .int8),
            Field("name", .utf8), Field("day", .date32),
        ])
        func price(_ text: String) -> Scalar { DecimalValue(text).map(Scalar.decimal) ?? .null }
        return try #require(
            RecordBatch(
                schema: schema,
                rows: [
                    [price("10.50"), .integer(2), .integer(1), .utf8("lamp"), .date(1)],
                    [price("-1.00"), .integer(0), .integer(-1), .utf8("7"), .date(2)],
                    [.null, .integer(1 << 40), .null, .null, .null],
                ]))
    }

    private func result(_ formula: Formula) throws -> (type: DataType, texts: [String], failed: [Int32]) {
        let compiled = try CompiledFormula(formula, over: try batch().schema)
        let result = try compiled.evaluate(try batch())
        #expect(result.column.type == compiled.type)
        return (compiled.type, result.column.scalars.map(\.description), result.failures.map(\.row))
    }

    @Test("A price or a bare number is a price, whichever comes first")
    func literals() throws {
        let decimal = DataType.decimal(precision: 10, scale: 2)
        let last = try result(choose((when: quantity > 0, then: price.expression), otherwise: 0).formula)
        #expect(last == (decimal, ["10.50", "0.00", "null"], []))
        let first = try result(choose((when: quantity > 0, then: 0), otherwise: price.expression).formula)
        #expect(first == (decimal, ["0.00", "-1.00", "0.00"], []))
        let finer = try result(choose((when: quantity > 0, then: price.expression), otherwise: 0.125).formula)
        #expect(finer == (.decimal(precision: 11, scale: 3), ["10.500", "0.125", "null"], []))
    }

    @Test("Columns of different numbers meet in the type that holds both")
    func numbers() throws {
        let choice = Formula.choice(
            [.init(when: .call(.isNull, [.column("small")]), then: .column("quantity"))], otherwise: .column("small"))
        #expect(try result(choice) == (.int64, ["1", "-1", "1099511627776"], []))
        let three = Formula.choice(
            [
                .init(when: (price < 0).formula, then: .column("small")),
                .init(when: (price > 0).formula, then: .column("price")),
            ], otherwise: .column("quantity"))
        #expect(try result(three).texts == ["10.50", "-1.00", "1099511627776.00"])
    }

    @Test("Without an arm the last result is all there is")
    func noArms() throws {
        #expect(try result(.choice([], otherwise: .column("price"))).texts == ["10.50", "-1.00", "null"])
    }

    @Test("Results without a type in common and conditions that are none are refused when the plan is made")
    func refusals() throws {
        let schema = try batch().schema
        func refusal(_ formula: Formula) -> HeadraceError? {
            #expect(throws: HeadraceError.self) { try CompiledFormula(formula, over: schema) }
        }
        let condition = (price > 0).formula
        let mixed = refusal(.choice([.init(when: condition, then: .column("price"))], otherwise: .column("name")))
        #expect(mixed?.code == .schemaMismatch)
        #expect(mixed?.message == "a choice between decimal(10,2) and utf8 has no one type")
        #expect(mixed?.hint == "cast one side to the other's type")
        let third = refusal(
            .choice(
                [.init(when: condition, then: .column("small")), .init(when: condition, then: .column("day"))],
                otherwise: .column("quantity")))
        #expect(third?.message == "a choice between int8 and date32 has no one type")
        let number = refusal(
            .choice([.init(when: .column("quantity"), then: .column("price"))], otherwise: .column("price")))
        #expect(number?.code == .schemaMismatch)
        #expect(number?.message == "a choice needs conditions, not a int64")
        let text = refusal(.choice([.init(when: .column("name"), then: .column("price"))], otherwise: .column("price")))
        #expect(text?.code == .schemaMismatch)
    }

    @Test("A row fails by the conditions and the result that it gets to, not by those of other arms")
    func failures() throws {
        let ratio = Expr<Int64>.literal(6) / quantity
        // Row 1 has the quantity 0: the second condition cannot be computed for it, but the first is true.
        let safe = choose(
            (when: quantity == 0, then: Expr<Int64>.literal(0)), (when: ratio > 1, then: Expr<Int64>.literal(1)),
            otherwise: 2)
        #expect(try result(safe.formula) == (.int64, ["1", "0", "2"], []))
        let reached = choose(
            (when: quantity > 100, then: Expr<Int64>.literal(0)), (when: ratio > 1, then: Expr<Int64>.literal(1)),
            otherwise: 2)
        #expect(try result(reached.formula).failed == [1])
        // "lamp" is no number, "7" is one: only the row that takes the cast fails.
        let number = Expr<Int64>(.cast(.column("name"), .int64))
        #expect(try result(choose((when: quantity == 0, then: number), otherwise: 5).formula).failed == [])
        #expect(try result(choose((when: quantity == 2, then: number), otherwise: 5).formula).failed == [0])
    }

    @Test("What stands in for null fails only the rows that need it")
    func coalesce() throws {
        let ratio = Formula.call(.divide, [.literal(.integer(6), .int64), .column("quantity")])
        let fallback = try result(.call(.coalesce, [.column("price"), ratio]))
        #expect(fallback == (.decimal(precision: 10, scale: 2), ["10.50", "-1.00", "0.00"], []))
        // 1000 is no int8, which only the row without a value needs to know.
        let narrow = try result(.call(.coalesce, [.column("small"), .literal(.integer(1000), .int64)]))
        #expect(narrow == (.int8, ["1", "-1", "null"], [2]))
        let failed = try result(.call(.coalesce, [ratio, .literal(.integer(9), .int64)]))
        #expect(failed.failed == [1], "a row for which the first cannot be computed is refused, not filled")
    }

    @Test("Constants that their type does not hold and types that cannot be are refused when the plan is made")
    func constants() throws {
        let schema = try batch().schema
        for formula: Formula in [
            .call(.add, [.column("quantity"), .literal(.utf8("x"), .int64)]),
            .call(.add, [.column("quantity"), .literal(.integer(300), .int8)]),
            .call(.equal, [.column("quantity"), .literal(.utf8("x"), .int64)]),
            .call(.concatenate, [.column("name"), .literal(.integer(1), .utf8)]),
            .literal(.bool(true), .utf8), .literal(.null, .decimal(precision: 50, scale: 2)),
            .cast(.column("price"), .decimal(precision: 50, scale: 2)),
            price.asDecimal(precision: 3, scale: 4).formula,
            Expr<DecimalValue>.literal(DecimalValue(coefficient: 1, scale: 60)).formula,
        ] {
            let error = #expect(throws: HeadraceError.self, "\(formula)") { try CompiledFormula(formula, over: schema) }
            #expect(error?.code == .schemaMismatch)
        }
    }
}
