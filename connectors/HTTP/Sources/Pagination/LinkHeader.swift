import HeadraceHTTPClient

/// `Link` of RFC 8288, as far as pagination needs it.
enum LinkHeader {
    /// The target of the first link whose relation is `next`; nil when there is none.
    static func next(in headers: HTTPHeaders) -> String? {
        for value in headers.values("Link") {
            var scanner = Scanner(value)
            while let link = scanner.link() {
                // A link with an anchor is about another resource than this page.
                guard link.parameters["anchor"] == nil, let relations = link.parameters["rel"] else { continue }
                if relations.split(separator: " ").contains(where: { $0.lowercased() == "next" }) { return link.target }
            }
        }
        return nil
    }

    /// Reads links as leniently as RFC 8288 appendix B.2 asks for. Targets may hold commas and semicolons.
    private struct Scanner {
        private let bytes: [UInt8]
        private var index = 0

        init(_ value: String) { bytes = Array(value.utf8) }

        private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

        mutating func link() -> (target: String, parameters: [String: String])? {
            while let byte = current, byte != UInt8(ascii: "<") { index += 1 }
            guard current != nil else { return nil }
            index += 1
            let target = take { $0 != UInt8(ascii: ">") }
            guard current != nil else { return nil }
            index += 1
            var parameters: [String: String] = [:]
            while true {
                skipBlanks()
                guard current == UInt8(ascii: ";") else { break }
                index += 1
                skipBlanks()
                let name = take { ![UInt8(ascii: "="), UInt8(ascii: ";"), UInt8(ascii: ","), 0x20, 0x09].contains($0) }
                skipBlanks()
                var value = ""
                if current == UInt8(ascii: "=") {
                    index += 1
                    skipBlanks()
                    value = self.value()
                }
                // Of a parameter given twice the first counts.
                if !name.isEmpty, parameters[name.lowercased()] == nil { parameters[name.lowercased()] = value }
            }
            return (target, parameters)
        }

        private mutating func value() -> String {
            guard current == UInt8(ascii: "\"") else {
                return take { ![UInt8(ascii: ";"), UInt8(ascii: ","), 0x20, 0x09].contains($0) }
            }
            index += 1
            var text: [UInt8] = []
            while let byte = current, byte != UInt8(ascii: "\"") {
                if byte == UInt8(ascii: "\\"), index + 1 < bytes.count { index += 1 }
                text.append(bytes[index])
                index += 1
            }
            index += 1
            return String(decoding: text, as: UTF8.self)
        }

        private mutating func take(while passes: (UInt8) -> Bool) -> String {
            let start = index
            while let byte = current, passes(byte) { index += 1 }
            return String(decoding: bytes[start..<index], as: UTF8.self)
        }

        private mutating func skipBlanks() {
            while let byte = current, byte == 0x20 || byte == 0x09 { index += 1 }
        }
    }
}
