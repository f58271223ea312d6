import Foundation
import HeadraceCore
import Testing

/// Where the outside suites are: `HEADRACE_SUITES`, else `shared/suites` in a folder above this file.
enum JSONSuites {
    static func folder(_ name: String) throws -> URL? {
        if let given = ProcessInfo.processInfo.environment["HEADRACE_SUITES"] {
            let folder = URL(fileURLWithPath: given).appendingPathComponent(name)
            try #require(FileManager.default.fileExists(atPath: folder.path), "HEADRACE_SUITES has no \(name)")
            return folder
        }
        var parent = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while parent.path != "/" {
            let folder = parent.appendingPathComponent("shared/suites/\(name)")
            if FileManager.default.fileExists(atPath: folder.path) { return folder }
            parent = parent.deletingLastPathComponent()
        }
        print("suite \(name) is missing: not run (set HEADRACE_SUITES to the folder that holds it)")
        return nil
    }
}

/// SplitMix64: the same numbers for the same seed on every machine.
struct JSONSeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension JSONValue {
    /// A random tree that favours what goes wrong: empty things, escapes, other scripts, long numbers.
    static func random(depth: Int, using random: inout JSONSeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .integer(Int64.random(in: .min ... .max, using: &random))
        case 3:
            let texts = ["0", "-0", "0.10", "1E400", "-1.5e-07", "123456789012345678901234567890", "2e+1"]
            return JSONNumber(texts.randomElement(using: &random) ?? "").map(JSONValue.number) ?? .null
        case 4, 5: return .string(randomText(using: &random))
        case 6:
            return .array(
                (0..<Int.random(in: 0...5, using: &random)).map { _ in .random(depth: depth - 1, using: &random) })
        default:
            return .object(
                (0..<Int.random(in: 0...5, using: &random)).map { _ in
                    (randomText(using: &random), .random(depth: depth - 1, using: &random))
                })
        }
    }

    static func randomText(using random: inout JSONSeededGenerator) -> String {
        let pieces = [
            "a", "name", "\"", "\\", "/", "\u{0}", "\u{1F}", "\n", "\r\n", "\t", "\u{8}\u{C}", "é", "ж", "漢字", "😀",
            "\u{7F}",
            "\u{2028}", "{", "}", "[", "]", ",", ":", " ", "plain text of some length", "\u{FFFF}", "\u{10FFFF}",
        ]
        return (0..<Int.random(in: 0...6, using: &random)).compactMap { _ in pieces.randomElement(using: &random) }
            .joined()
    }
}

/// A slow reader of RFC 8259 written straight from its grammar, to judge the fast one by.
struct JSONReference {
    let bytes: [UInt8]
    var position = 0

    static func accepts(_ bytes: [UInt8], depth: Int = 512) -> Bool {
        guard String(validating: bytes, as: UTF8.self) != nil else { return false }
        var reader = JSONReference(bytes: bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
        guard reader.value(depth) else { return false }
        reader.blank()
        return reader.position == bytes.count
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ text: String) -> Bool {
        guard bytes[position...].starts(with: text.utf8) else { return false }
        position += text.utf8.count
        return true
    }

    private mutating func blank() {
        while let byte = current, " \n\r\t".utf8.contains(byte) { position += 1 }
    }

    private mutating func value(_ depth: Int) -> Bool {
        blank()
        switch current {
        case UInt8(ascii: "{"):
            return depth > 0
                && list("{", "}") {
                    $0.blank(); return $0.string() && $0.colon() && $0.value(depth - 1)
                }
        case UInt8(ascii: "["): return depth > 0 && list("[", "]") { $0.value(depth - 1) }
        case UInt8(ascii: "\""): return string()
        default: return take("true") || take("false") || take("null") || number()
        }
    }

    private mutating func colon() -> Bool {
        blank()
        return take(":")
    }

    private mutating func list(_ open: String, _ close: String, _ item: (inout JSONReference) -> Bool) -> Bool {
        guard take(open) else { return false }
        blank()
        if take(close) { return true }
        while item(&self) {
            blank()
            if take(close) { return true }
            guard take(",") else { return false }
        }
        return false
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        var high = false
        while let byte = current {
            if high, !bytes[position...].starts(with: "\\u".utf8) { return false }
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case 0..<0x20: return false
            case UInt8(ascii: "\\"):
                guard let escape = current else { return false }
                position += 1
                if escape != UInt8(ascii: "u") {
                    guard "\"\\/bfnrt".utf8.contains(escape) else { return false }
                    continue
                }
                guard position + 4 <= bytes.count else { return false }
                let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
                guard digits.allSatisfy(\.isHexDigit), digits.utf8.count == 4, let unit = UInt16(digits, radix: 16)
                else { return false }
                position += 4
                let isLow = unit & 0xFC00 == 0xDC00
                guard isLow == high else { return false }
                high = unit & 0xFC00 == 0xD800
            default: continue
            }
        }
        return false
    }

    private mutating func digits() -> Bool {
        let start = position
        while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
        return position > start
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0") { guard digits() else { return false } }
        if take(".") { guard digits() else { return false } }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() else { return false }
        }
        return true
    }
}

/// Changes a few bytes of a text: overwrite, delete, insert, cut off.
func jsonMutated(_ text: [UInt8], using random: inout JSONSeededGenerator) -> [UInt8] {
    var text = text
    let likely = Array("{}[],:\"\\u0019.eE+-tfn \n\u{1}".utf8) + [0x80, 0xC3, 0xE2, 0xED, 0xF0, 0xFF]
    for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0...text.count, using: &random)
        let byte = likely.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<8, using: &random) {
        case 0: text.removeSubrange(place...)
        case 1, 2: text.insert(byte, at: place)
        case 3, 4: if place < text.count { text.remove(at: place) }
        default: if place < text.count { text[place] = byte }
        }
    }
    return text
}
