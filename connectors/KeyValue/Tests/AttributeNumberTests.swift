import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceKeyValue

@Suite struct AttributeNumberTests {
    @Test("Ordered bytes order as the numbers do")
    func order() throws {
        let random = RunRandom(seed: 11)
        var texts = [
            "0", "1", "-1", "9.99", "10", "1E-130", "-1E-130", "9E125", "-9E125", "0.1", "0.09", "-0.1", "-0.09",
        ]
        for _ in 0..<300 {
            let coefficient = Int64(bitPattern: random.next()) >> Int64(random.below(60))
            texts.append("\(coefficient)E\(Int64(random.below(60)) - 30)")
        }
        let numbers = try texts.map { text in (try AttributeNumber(text), try #require(DecimalValue(text))) }
        for (left, leftValue) in numbers {
            for (right, rightValue) in numbers {
                let isLess = left.orderedBytes.lexicographicallyPrecedes(right.orderedBytes)
                #expect(isLess == (leftValue < rightValue))
                #expect((left.orderedBytes == right.orderedBytes) == (leftValue == rightValue))
            }
        }
    }

    @Test("The text reads back as the same number")
    func text() throws {
        let random = RunRandom(seed: 12)
        for _ in 0..<500 {
            let text = "\(Int64(bitPattern: random.next()))E\(Int64(random.below(140)) - 100)"
            let number = try AttributeNumber(text)
            #expect(try AttributeNumber(number.text) == number)
            #expect(DecimalValue(number.text) == DecimalValue(text))
        }
    }

    @Test("Sizes are those that DynamoDB counts")
    func sizes() {
        #expect(ItemRules.size(.number("12345")) == 4)
        #expect(ItemRules.size(.number("-1")) == 3)
        #expect(ItemRules.size(.map(["ab": .list([.null, .string("xyz")])])) == 3 + 1 + 2 + 3 + 2 + 1 + 3)
    }
}
