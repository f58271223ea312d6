import Foundation
import HeadraceColumnar

/// One line of the General Decimal Arithmetic vectors with the context that holds there.
struct DecimalVector: Sendable {
    var name: String
    var operation: String
    var operands: [String]
    var result: String
    var conditions: Set<String>
    var precision: Int
    var rounding: String
    var isExtended: Bool
    /// The exponents of a leading digit that the context allows; our decimals have no such limits.
    var exponents: ClosedRange<Int>

    /// The folder with the `.decTest` files: that of the environment, or the one of Debian's `libpython3.*-testsuite`.
    static var folder: String? {
        if let folder = ProcessInfo.processInfo.environment["HEADRACE_DECIMAL_VECTORS"] { return folder }
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        return versions.filter { $0.hasPrefix("python3") }.sorted()
            .map { "/usr/lib/\($0)/test/decimaltestdata" }
            .last { FileManager.default.fileExists(atPath: $0 + "/quantize.decTest") }
    }

    static func read(_ file: String) throws -> [DecimalVector] {
        var vectors: [DecimalVector] = []
        var context: [String: String] = [:]
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let tokens = tokens(of: line)
            guard let first = tokens.first, !first.hasPrefix("--") else { continue }
            if first.hasSuffix(":"), tokens.count > 1 {
                context[first.dropLast().lowercased()] = tokens[1].lowercased()
            } else if let arrow = tokens.firstIndex(of: "->"), arrow >= 2, arrow + 1 < tokens.count {
                vectors.append(
                    DecimalVector(
                        name: first, operation: tokens[1].lowercased(), operands: Array(tokens[2..<arrow]),
                        result: tokens[arrow + 1], conditions: Set(tokens[(arrow + 2)...].map { $0.lowercased() }),
                        precision: context["precision"].flatMap(Int.init) ?? 9,
                        rounding: context["rounding"] ?? "half_up", isExtended: context["extended"] != "0",
                        exponents: (context["minexponent"].flatMap(Int.init) ?? -999)...(context["maxexponent"].flatMap(
                            Int.init) ?? 999)))
            }
        }
        return vectors
    }

    /// Splits at spaces outside quotes, up to a comment.
    private static func tokens(of line: Substring) -> [String] {
        var tokens: [String] = []
        var token = ""
        var quote: Character?
        var isQuoted = false
        for character in line + " " {
            if let open = quote {
                if character == open { quote = nil } else { token.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                isQuoted = true
            } else if character == " " || character == "\t" {
                if token.hasPrefix("--") { return tokens }
                if !token.isEmpty || isQuoted { tokens.append(token) }
                token = ""
                isQuoted = false
            } else {
                token.append(character)
            }
        }
        return tokens
    }
}

extension RoundingMode {
    /// The mode by the name the vectors give it.
    init?(vectorName: String) {
        let names: [String: RoundingMode] = [
            "half_even": .halfEven, "half_up": .halfUp, "half_down": .halfDown, "down": .down, "up": .up,
            "ceiling": .ceiling, "floor": .floor, "05up": .up05,
        ]
        guard let mode = names[vectorName] else { return nil }
        self = mode
    }
}
