import HeadraceColumnar
import HeadraceCore
import Testing

@Suite struct FormulaPropertyTests {
    @Test(
        "A formula of any shape over columns of any type gives a result or an error when it is planned, never a trap",
        arguments: 0..<150)
    func neverTraps(seed: UInt64) throws {
        var random = RandomFormulas(seed: seed)
        let made = random.batch()
        let batch = try #require(made)
        var results = 0
        for number in 0..<40 {
            let formula = random.formula()
            let outcome = FormulaOutcome(of: formula, over: batch)
            if case .wrong(let what) = outcome {
                Issue.record("formula \(number) of seed \(seed): \(what): \(formula) over \(batch.schema)")
            }
            if case .result = outcome { results += 1 }
        }
        // The generator is of use only while most of what it makes can be computed.
        #expect(results >= 8)
    }
}
