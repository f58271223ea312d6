import HeadraceColumnar
import Testing

@Suite("Precision and scale of decimal operators")
struct DecimalRulesTests {
    private func shape(_ precision: Int, _ scale: Int) -> DecimalShape {
        DecimalShape(precision: precision, scale: scale)
    }

    /// The expected shapes are Spark SQL's, computed by its documented formulas.
    @Test("The documented rules hold, with room and without")
    func rules() {
        #expect(DecimalRules.add(shape(12, 2), shape(10, 4)) == shape(15, 4))
        #expect(DecimalRules.add(shape(38, 10), shape(38, 10)) == shape(38, 9))
        #expect(DecimalRules.add(shape(38, 0), shape(38, 38)) == shape(38, 6))
        #expect(DecimalRules.multiply(shape(12, 2), shape(18, 10)) == shape(31, 12))
        #expect(DecimalRules.multiply(shape(38, 10), shape(38, 10)) == shape(38, 6))
        #expect(DecimalRules.multiply(shape(20, 2), shape(20, 2)) == shape(38, 4))
        #expect(DecimalRules.divide(shape(12, 2), shape(12, 2)) == shape(27, 15))
        #expect(DecimalRules.divide(shape(10, 0), shape(3, 0)) == shape(16, 6))
        #expect(DecimalRules.divide(shape(38, 10), shape(38, 10)) == shape(38, 6))
        #expect(DecimalRules.remainder(shape(12, 2), shape(5, 4)) == shape(5, 4))
        #expect(DecimalRules.common(shape(12, 2), shape(10, 4)) == shape(14, 4))
        #expect(DecimalRules.sum(shape(12, 2)) == shape(22, 2))
        #expect(DecimalRules.sum(shape(38, 2)) == shape(38, 2))
        #expect(DecimalRules.average(shape(12, 2)) == shape(16, 6))
        #expect(DecimalRules.average(shape(38, 10)) == shape(38, 10))
        #expect(DecimalRules.round(shape(12, 4), toScale: 2) == shape(11, 2))
        #expect(DecimalRules.round(shape(12, 2), toScale: 4) == shape(12, 2))
        #expect(DecimalRules.round(shape(2, 2), toScale: 0) == shape(1, 0))
        #expect(DecimalRules.integer(bits: 64, isSigned: true) == shape(19, 0))
        #expect(DecimalRules.integer(bits: 64, isSigned: false) == shape(20, 0))
        #expect(DecimalRules.integer(bits: 32, isSigned: true).description == "decimal(10,0)")
    }

    @Test("The extreme values of two columns fit the result of the rule")
    func holdsExtremes() {
        for (p1, s1, p2, s2) in [(1, 0, 1, 0), (12, 2, 10, 4), (18, 18, 18, 0), (5, 5, 9, 2), (18, 2, 18, 10)] {
            let left = DecimalMath.widePowerOfTen(p1) - 1
            let right = DecimalMath.widePowerOfTen(p2) - 1
            let sum = DecimalRules.add(shape(p1, s1), shape(p2, s2))
            let total = DecimalMath.add(left, scale: s1, right, scale: s2, to: sum.scale, .halfEven)
            #expect(total.map { DecimalMath.fits($0, precision: sum.precision) } == true)
            let product = DecimalRules.multiply(shape(p1, s1), shape(p2, s2))
            let result = DecimalMath.multiply(left, right, dropping: s1 + s2 - product.scale, .halfEven)
            #expect(result.map { DecimalMath.fits($0, precision: product.precision) } == true)
            let quotient = DecimalRules.divide(shape(p1, s1), shape(p2, s2))
            let ratio = DecimalMath.divide(left, by: 1, appending: quotient.scale + s2 - s1, .halfEven)
            #expect(ratio.map { DecimalMath.fits($0, precision: quotient.precision) } == true)
        }
    }
}
