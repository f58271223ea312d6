import Foundation
import HeadraceColumnar
import Testing

@Suite("General Decimal Arithmetic vectors")
struct DecimalVectorTests {
    enum Outcome {
        case agrees
        case outOfScope(String)
        case differs(String)
    }

    static let isContinuousIntegration = ProcessInfo.processInfo.environment["CI"] == "true"

    @Test("The vectors are installed where the tests count")
    func installed() {
        let hint = "install libpython3.11-testsuite or set HEADRACE_DECIMAL_VECTORS"
        if DecimalVector.folder == nil { print("SKIPPED General Decimal Arithmetic vectors: \(hint)") }
        #expect(DecimalVector.folder != nil || !Self.isContinuousIntegration, "no decimal vectors: \(hint)")
    }

    @Test(
        "Every vector in scope gives the result of the specification",
        .enabled(if: DecimalVector.folder != nil || isContinuousIntegration),
        arguments: [
            ("quantize", 620), ("rescale", 470), ("rounding", 850), ("add", 1600), ("subtract", 530), ("multiply", 250),
            ("divide", 460), ("compare", 510), ("ddQuantize", 550), ("dqQuantize", 550), ("dqAdd", 900),
            ("dqSubtract", 430),
            ("dqMultiply", 260), ("dqDivide", 500), ("dqCompare", 560), ("inexact", 140), ("randoms", 2460),
            ("plus", 80),
            ("minus", 80), ("abs", 50), ("randomBound32", 1500), ("tointegral", 150),
        ])
    func agrees(file: String, atLeast: Int) throws {
        let folder = try #require(DecimalVector.folder)
        var ran = 0
        var skipped: [String: Int] = [:]
        for vector in try DecimalVector.read("\(folder)/\(file).decTest") {
            switch Self.run(vector) {
            case .agrees: ran += 1
            case .outOfScope(let reason): skipped[reason, default: 0] += 1
            case .differs(let found):
                let question = "\(vector.operation) \(vector.operands.joined(separator: " "))"
                Issue.record("\(vector.name): \(question) -> \(vector.result), found \(found)")
            }
        }
        let reasons = skipped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        print("\(file).decTest: \(ran) vectors agree; out of scope: \(reasons.isEmpty ? "none" : reasons)")
        #expect(ran >= atLeast)
    }

    private static func run(_ vector: DecimalVector) -> Outcome {
        guard vector.isExtended else { return .outOfScope("of the subset arithmetic") }
        guard let rounding = RoundingMode(vectorName: vector.rounding) else { return .outOfScope("of other modes") }
        guard vector.precision <= 38 else { return .outOfScope("with a precision above 38") }
        guard vector.conditions.isDisjoint(with: ["overflow", "underflow", "subnormal", "clamped"]) else {
            return .outOfScope("at the exponent's limits")
        }
        var operands: [DecimalValue] = []
        for text in vector.operands {
            guard let first = text.first, "+-.0123456789".contains(first), !text.lowercased().contains("inf"),
                !text.lowercased().contains("nan")
            else { return .outOfScope("with special operands") }
            guard let operand = DecimalValue(text) else { return .outOfScope("with operands above 38 digits") }
            operands.append(operand)
        }
        let isInvalid =
            !vector.conditions.isDisjoint(with: ["invalid_operation", "division_by_zero", "division_undefined"])
        let expected = DecimalValue(vector.result)
        guard isInvalid || expected != nil else { return .outOfScope("with special results") }
        guard let found = evaluate(vector, operands, rounding, expected: isInvalid ? nil : expected) else {
            return .outOfScope("of other operations")
        }
        for result in found {
            guard let expected, !isInvalid else {
                if let result { return .differs(result.description) }
                continue
            }
            guard let result, result.coefficient == expected.coefficient, result.scale == expected.scale else {
                return .differs(result?.description ?? "nil")
            }
        }
        return .agrees
    }

    /// All our ways to the result: rounded to digits, and rounded to the scale that the result must have.
    private static func evaluate(
        _ vector: DecimalVector, _ operands: [DecimalValue], _ rounding: RoundingMode, expected: DecimalValue?
    ) -> [DecimalValue?]? {
        let digits = vector.precision
        let left = operands[0]
        let right = operands.count > 1 ? operands[1] : left
        let scale = expected?.scale ?? 0
        func either(_ byDigits: DecimalValue?, _ byScale: DecimalValue?) -> [DecimalValue?] { [byDigits, byScale] }
        /// The specification refuses a quantized result of more digits than the precision and beyond its exponents.
        func limited(_ value: DecimalValue?) -> DecimalValue? {
            guard let value, value.precision <= digits else { return nil }
            let lowest = vector.exponents.lowerBound - digits + 1
            let leading = value.isZero ? -value.scale : value.precision - 1 - value.scale
            return -value.scale >= lowest && leading <= vector.exponents.upperBound ? value : nil
        }
        switch (vector.operation, operands.count) {
        case ("quantize", 2):
            return [limited(left.rounded(toScale: right.scale, rounding))]
        case ("rescale", 2):
            guard right.scale == 0 else { return nil }
            return [limited(left.rounded(toScale: -Int(right.coefficient), rounding))]
        case ("add", 2):
            return either(left.adding(right, digits: digits, rounding), left.adding(right, scale: scale, rounding))
        case ("subtract", 2):
            return either(
                left.subtracting(right, digits: digits, rounding), left.subtracting(right, scale: scale, rounding))
        case ("multiply", 2):
            return either(
                left.multiplied(by: right, digits: digits, rounding),
                left.multiplied(by: right, scale: scale, rounding))
        case ("divide", 2):
            return either(
                left.divided(by: right, digits: digits, rounding), left.divided(by: right, scale: scale, rounding))
        case ("compare", 2):
            return [DecimalValue(left == right ? 0 : left < right ? -1 : 1)]
        case ("plus", 1):
            return either(left.rounded(toDigits: digits, rounding), left.rounded(toScale: scale, rounding))
        case ("minus", 1):
            return [left.negated.rounded(toDigits: digits, rounding)]
        case ("abs", 1):
            return [left.magnitude.rounded(toDigits: digits, rounding)]
        case ("tointegral", 1):
            return [left.scale > 0 ? left.rounded(toScale: 0, rounding) : left]
        default:
            return nil
        }
    }
}
