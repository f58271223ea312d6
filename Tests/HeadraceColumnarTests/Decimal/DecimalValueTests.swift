import Foundation
import HeadraceColumnar
import Testing

@Suite("Decimal values")
struct DecimalValueTests {
    @Test("Values are equal by worth, whatever their scales, and hash alike")
    func equality() throws {
        let texts = ["1.5", "1.50", "15e-1", "0.15e1", "1.50000000000000000000000000000"]
        let values = try texts.map { try #require(DecimalValue($0)) }
        #expect(Set(values).count == 1)
        #expect(Set(values.map(\.scale)) == [1, 2, 29])
        #expect(DecimalValue("0.00") == 0)
        #expect(Set([DecimalValue("0.00"), DecimalValue("0e9"), 0]).count == 1)
        #expect(try #require(DecimalValue("-1.51")) < -1.5)
        #expect(DecimalValue(1) != 1.000000001)
        #expect([1.5, -2, 0.25, 1].sorted() == [-2, 0.25, 1, 1.5] as [DecimalValue])
    }

    @Test("Literals are the decimal as written")
    func literals() {
        let values: [(DecimalValue, String)] = [
            (1.1, "1.1"), (0.1, "0.1"), (-2.675, "-2.675"), (100.0, "100"), (0.0067, "0.0067"), (1e-7, "0.0000001"),
            (123456789012.345, "123456789012.345"), (42, "42"), (-7, "-7"), (999999999999999.0, "999999999999999"),
            (12345678901234567890123456789012345678, "12345678901234567890123456789012345678"),
        ]
        for (value, text) in values { #expect(value.description == text) }
        #expect(1e22 as DecimalValue == 10_000_000_000_000_000_000_000)
    }

    @Test("A literal that a double cannot hold ends the process")
    func longLiteral() async {
        await #expect(processExitsWith: .failure) { _ = 1.2345678901234567 as DecimalValue }
        await #expect(processExitsWith: .failure) { _ = 12345678901234567890.0 as DecimalValue }
        await #expect(processExitsWith: .failure) { _ = 150000000000000000000000000000000000000 as DecimalValue }
    }

    @Test("Text is read with the scale as written and described the same")
    func text() {
        for text in ["0", "1.50", "-0.05", "12E+3", "0.000", "1E-40", "99999999999999999999999999999999999999"] {
            #expect(DecimalValue(text)?.description == text)
        }
        #expect(DecimalValue("1e3")?.plainDescription == "1000")
        #expect(DecimalValue("1e-3")?.description == "0.001")
        #expect(DecimalValue("1e99")?.plainDescription == nil)
        #expect(DecimalValue("00.10")?.description == "0.10")
        #expect(DecimalValue("1." + String(repeating: "0", count: 60))?.scale == 37)
        #expect(DecimalValue("0." + String(repeating: "1", count: 38))?.scale == 38)
        for text in [
            "", " 1", "1 ", ".", "abc", "NaN", "1e", "1" + String(repeating: "0", count: 37) + "1.5",
            "1e99999999999999999999",
        ] {
            #expect(DecimalValue(text) == nil, "\(text)")
        }
    }

    @Test("Arithmetic keeps or rounds to the scale asked for")
    func arithmetic() throws {
        let price = try #require(DecimalValue("19.99"))
        #expect(price.adding(0.005)?.description == "19.995")
        #expect(price.adding(0.005, scale: 2)?.description == "20.00")
        #expect(price.subtracting(20)?.description == "-0.01")
        #expect(price.subtracting(0.005, scale: 2, .down)?.description == "19.98")
        #expect(price.multiplied(by: 1.0837)?.description == "21.663163")
        #expect(price.multiplied(by: 1.0837, scale: 2)?.description == "21.66")
        #expect(price.divided(by: 3, scale: 2)?.description == "6.66")
        #expect(price.divided(by: 3, scale: 2, .up)?.description == "6.67")
        #expect(price.divided(by: 0, scale: 2) == nil)
        #expect(price.divided(by: 0, digits: 9) == nil)
        #expect((1 as DecimalValue).divided(by: 3, digits: 5)?.description == "0.33333")
        #expect((1 as DecimalValue).divided(by: 4, digits: 5)?.description == "0.25")
        #expect(price.rounded(toScale: 1)?.description == "20.0")
        #expect(price.rounded(toScale: 40) == nil)
        #expect(price.rounded(toScale: .max) == nil)
        #expect(price.rounded(toDigits: 1)?.description == "2E+1")
        #expect(price.rounded(toDigits: 2)?.description == "20")
        #expect(price.negated.magnitude == price)
        #expect(price.precision == 4)
        let most = DecimalValue(coefficient: DecimalMath.widePowerOfTen(38) - 1, scale: 0)
        #expect(most.adding(1) == nil)
        #expect(most.multiplied(by: most) == nil)
        #expect(most.multiplied(by: 10) == nil)
        #expect(
            most.adding(1, digits: 3)?.description == "1.00E+38" || most.adding(1, digits: 3)?.description == "100E+36")
        let odd = DecimalValue(coefficient: .min, scale: 0)
        #expect(odd.negated.adding(1) == nil)
        #expect(odd.divided(by: 7, digits: 5) == nil)
        #expect(odd.description == "-170141183460469231731687303715884105728")
    }

    @Test("A column's coefficient is given only without loss")
    func exactCoefficient() {
        #expect((1.5 as DecimalValue).exactCoefficient(precision: 12, scale: 2) == 150)
        #expect(DecimalValue("1.500")?.exactCoefficient(precision: 12, scale: 2) == 150)
        #expect((1.505 as DecimalValue).exactCoefficient(precision: 12, scale: 2) == nil)
        #expect((100 as DecimalValue).exactCoefficient(precision: 4, scale: 2) == nil)
        #expect((99.99 as DecimalValue).fits(precision: 4, scale: 2))
        #expect((0 as DecimalValue).exactCoefficient(precision: 1, scale: 1) == 0)
        #expect(DecimalValue(coefficient: .max, scale: 0).exactCoefficient(precision: 38, scale: 0) == nil)
        #expect(DecimalValue("1.0")?.reduced().scale == 0)
        #expect((100 as DecimalValue).reduced().description == "1E+2")
        #expect((100 as DecimalValue).reduced(toScaleAtLeast: 0).description == "100")
        #expect(DecimalValue("0.00")?.reduced().scale == 0)
    }

    @Test("Doubles become the shortest decimal and come back unchanged")
    func doubles() throws {
        #expect(DecimalValue(shortest: 0.1)?.description == "0.1")
        #expect(DecimalValue(shortest: 2.0)?.description == "2")
        #expect(DecimalValue(shortest: .nan) == nil)
        #expect(DecimalValue(shortest: -.infinity) == nil)
        #expect(Double(1.5 as DecimalValue) == 1.5)
        #expect(Double(DecimalValue(coefficient: 1, scale: -400)) == .infinity)
        #expect(Double(DecimalValue(coefficient: -1, scale: -400)) == -.infinity)
        #expect(Double(DecimalValue(coefficient: 1, scale: 400)) == 0)
        var random = SplitMix(state: 13)
        for _ in 0..<5000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            let decimal = try #require(DecimalValue(shortest: value))
            #expect(Double(decimal) == value)
        }
    }

    @Test("The name lives beside Foundation's decimal")
    func foundation() {
        #expect(Decimal(string: "1.5")?.description == (1.5 as DecimalValue).description)
    }
}
