import HeadraceColumnar
import HeadraceCore

/// Random records, and a slow judge of what a column made of them.
enum RandomJSON {
    static let names = ["id", "name", "a_b", "é", "", "price", "when", "tags", "nested", "\"q\"\n"]

    static func object(_ random: inout Seeded, depth: Int = 3) -> JSONValue {
        var left = names
        return .object(
            (0..<Int.random(in: 0...6, using: &random)).map { _ in
                let name = left.remove(at: Int.random(in: 0..<left.count, using: &random))
                return (name, value(for: name, &random, depth: depth))
            })
    }

    /// A value of the kind that a name usually has, now and then another.
    static func value(for name: String, _ random: inout Seeded, depth: Int) -> JSONValue {
        if Int.random(in: 0..<12, using: &random) == 0 { return anything(&random, depth: depth) }
        switch name {
        case "id": return .integer(Int64.random(in: .min ... .max, using: &random))
        case "price":
            let cents = Int.random(in: -100_000...100_000, using: &random)
            return JSONNumber("\(cents / 100).\(abs(cents) % 100 + 100)".replacing(".1", with: ".")).map(
                JSONValue.number)
                ?? .null
        case "when":
            return .string(
                Temporal.formatTimestamp(
                    Int64.random(in: -4_000_000_000_000_000...4_000_000_000_000_000, using: &random), hasZone: true))
        case "tags": return .array((0..<Int.random(in: 0...3, using: &random)).map { _ in .string(text(&random)) })
        case "nested": return depth > 0 ? object(&random, depth: depth - 1) : .null
        default: return .string(text(&random))
        }
    }

    static func anything(_ random: inout Seeded, depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2:
            let texts = ["0", "-0", "0.10", "1E40", "-1.5e-07", "123456789012345678901234567890", "2e+1", "7"]
            return texts.randomElement(using: &random).flatMap { JSONNumber($0) }.map(JSONValue.number) ?? .null
        case 3, 4: return .string(text(&random))
        case 5, 6:
            return .array((0..<Int.random(in: 0...4, using: &random)).map { _ in anything(&random, depth: depth - 1) })
        default: return object(&random, depth: depth - 1)
        }
    }

    static func text(_ random: inout Seeded) -> String {
        let pieces = [
            "a", "name", "\"", "\\", "/", "\u{0}", "\n", "\t", "é", "漢字", "😀", "\u{2028}", "{", "}", "[", "]", ",", ":",
            "2024-01-01", " ", "plain text of some length", "NaN",
        ]
        return (0..<Int.random(in: 0...4, using: &random)).compactMap { _ in pieces.randomElement(using: &random) }
            .joined()
    }

    /// Whether a column of `type` with `scalar` says what the JSON value says.
    static func equal(_ scalar: Scalar, _ type: DataType, _ value: JSONValue) -> Bool {
        if value.isNull { return scalar == .null }
        switch (scalar, type) {
        case (.bool(let bit), .bool): return value.boolValue == bit
        case (.integer(let number), _): return value.numberValue.map { Int128($0.text) == number } ?? false
        case (.decimal(let number), _):
            guard let text = value.numberValue?.text, let exact = DecimalValue(text) else { return false }
            return number == exact
        case (.double(let number), _):
            if let text = value.stringValue { return number.isNaN == (text == "NaN") }
            return value.doubleValue == number
        case (.utf8(let text), .utf8): return value.stringValue == text
        case (.utf8(let text), .json): return (try? JSONValue.parse(text)) == value
        case (.date(let days), _):
            return value.stringValue.map { text in DateText.parse(Array(text.utf8).span).valid == days } ?? false
        case (.timestamp(let time), _):
            return value.stringValue.map { text in
                TimestampText.parse(Array(text.utf8).span) == ParsedTimestamp(time, hasZone: type == .instant)
            } ?? false
        case (.list(let items), .list(let element)):
            guard let elements = value.arrayValue, elements.count == items.count else { return false }
            return zip(items, elements).allSatisfy { equal($0, element.type, $1) }
        case (.struct(let items), .struct(let fields)):
            return zip(items, fields).allSatisfy { equal($0, $1.type, value[$1.name] ?? .null) }
        default: return false
        }
    }
}
