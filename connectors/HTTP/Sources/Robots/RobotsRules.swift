import HeadraceHTTPClient

/// What a robots.txt says to one agent: RFC 9309, and the Crawl-delay that many files hold beside it.
struct RobotsRules: Sendable, Hashable {
    private struct Rule: Sendable, Hashable {
        let pattern: [UInt8]
        let allows: Bool
    }

    private var rules: [Rule] = []
    /// The least time between two requests, in seconds; nil when the file does not ask for one.
    private(set) var crawlDelay: Double?
    private var refusesAll = false

    /// Everything may be fetched: there is no file.
    static let allowAll = RobotsRules()
    /// Nothing may be fetched: whether there is a file is not known.
    static let refuseAll = {
        var rules = RobotsRules()
        rules.refusesAll = true
        return rules
    }()

    /// The most of a file that is read, in bytes: what RFC 9309 section 2.5 asks for at least.
    static let longestFile = 500 << 10

    private init() {}

    /// The rules of a file for an agent: those of all groups that name it, else those of the groups for `*`.
    init(_ file: [UInt8], agent: String) {
        let name = Self.product(agent[...])
        var (own, others) = (RobotsRules(), RobotsRules())
        var hasOwnGroup = false
        // The agents of the group being read; a rule ends the list, so that the next agent begins a new group.
        var (isOwn, isOthers, takesAgents) = (false, false, true)
        for (key, value) in Self.lines(file) {
            switch key {
            case "user-agent":
                if !takesAgents { (isOwn, isOthers, takesAgents) = (false, false, true) }
                if value == "*" {
                    isOthers = true
                } else if Self.product(value) == name {
                    isOwn = true
                    hasOwnGroup = true
                }
            case "allow", "disallow", "crawl-delay":
                takesAgents = false
                if isOwn { own.add(key, value) }
                if isOthers { others.add(key, value) }
            default: break
            }
        }
        self = hasOwnGroup ? own : others
    }

    private mutating func add(_ key: String, _ value: Substring) {
        if key == "crawl-delay" {
            guard let delay = Double(value), delay.isFinite, delay >= 0 else { return }
            crawlDelay = max(crawlDelay ?? 0, delay)
        } else if !value.isEmpty {
            rules.append(Rule(pattern: Self.normalised(value.utf8), allows: key == "allow"))
        }
    }

    /// Whether a path with its query may be fetched. The longest rule that matches decides, of two as long the one that
    /// allows.
    func allows(_ path: String) -> Bool {
        if path == "/robots.txt" { return true }
        if refusesAll { return false }
        let path = Self.normalised(path.utf8)
        var decision = (length: -1, allows: true)
        for rule in rules where Self.matches(rule.pattern, path) {
            if rule.pattern.count > decision.length || (rule.pattern.count == decision.length && rule.allows) {
                decision = (rule.pattern.count, rule.allows)
            }
        }
        return decision.allows
    }

    /// Whether `pattern` matches the start of `path`: `*` is any bytes, `$` at the end is the end.
    private static func matches(_ pattern: [UInt8], _ path: [UInt8]) -> Bool {
        // Greedy with one point to go back to: enough for `*`, and linear in practice.
        var (p, s) = (0, 0)
        var back: (pattern: Int, path: Int)?
        while true {
            if p == pattern.count { return true }
            if pattern[p] == UInt8(ascii: "$"), p == pattern.count - 1, s == path.count { return true }
            if pattern[p] == UInt8(ascii: "*") {
                back = (p, s)
                p += 1
            } else if s < path.count, pattern[p] == path[s] {
                p += 1
                s += 1
            } else if let (star, start) = back, start < path.count {
                back = (star, start + 1)
                p = star + 1
                s = start + 1
            } else {
                return false
            }
        }
    }

    /// One spelling for equal paths: unreserved characters plain, all other bytes beyond ASCII escaped, upper-case digits.
    private static func normalised(_ text: some Sequence<UInt8>) -> [UInt8] {
        let bytes = Array(text)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let value = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                result += PercentEncoding.encode(bytes: [value]).utf8
                index += 3
            } else {
                if bytes[index] < 0x80 {
                    result.append(bytes[index])
                } else {
                    result += PercentEncoding.encode(bytes: [bytes[index]]).utf8
                }
                index += 1
            }
        }
        return result
    }

    /// The product name of an agent, in lower case: what stands before a version.
    private static func product(_ agent: Substring) -> String {
        agent.prefix { $0 != "/" && !$0.isWhitespace }.lowercased()
    }

    /// Keys in lower case and values of the lines that have both, comments and blanks left aside.
    private static func lines(_ file: [UInt8]) -> [(String, Substring)] {
        var text = String(decoding: file.prefix(longestFile), as: UTF8.self)
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        return text.split(whereSeparator: \.isNewline).compactMap { line in
            let plain = line.prefix { $0 != "#" }
            guard let colon = plain.firstIndex(of: ":") else { return nil }
            return (trimmed(plain[..<colon]).lowercased(), trimmed(plain[plain.index(after: colon)...]))
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
