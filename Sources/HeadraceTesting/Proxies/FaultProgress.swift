/// How far a script has come: which bytes may pass, and what happens after them. No I/O.
struct FaultProgress {
    /// How much of each rule's text a connection has just seen, that way and in the rules' order.
    typealias Matches = [Int]

    private struct Armed {
        let rule: FaultScript.Rule
        let text: [UInt8]
        /// For every length of a matched beginning, how long the longest shorter one is that it ends with.
        let fallback: [Int]
        var hasFired = false

        /// Whether a text is looked for that way.
        func watches(_ direction: FaultScript.Direction) -> Bool {
            switch rule.moment {
            case .bytes: false
            case .after(_, let way), .before(_, let way): way == direction
            }
        }

        /// Takes one byte; whether it is the last of the text.
        func match(_ byte: UInt8, _ length: inout Int) -> Bool {
            while length > 0, length == text.count || text[length] != byte { length = fallback[length] }
            if text[length] == byte { length += 1 }
            return length == text.count
        }
    }

    private var armed: [Armed]
    /// Bytes that have passed to the server.
    private(set) var toServer = 0
    /// Bytes that have passed to clients.
    private(set) var toClient = 0
    /// Rules that have acted.
    private(set) var fired = 0

    init(_ script: FaultScript) {
        armed = script.rules.map { rule in
            let text =
                switch rule.moment {
                case .bytes: [UInt8]()
                case .after(let text, _), .before(let text, _): text
                }
            return Armed(rule: rule, text: text, fallback: Self.fallback(of: text))
        }
    }

    /// The table of Knuth, Morris and Pratt.
    private static func fallback(of text: [UInt8]) -> [Int] {
        var table = [Int](repeating: 0, count: text.count + 1)
        var length = 0
        for index in text.indices.dropFirst() {
            while length > 0, text[length] != text[index] { length = table[length] }
            if text[length] == text[index] { length += 1 }
            table[index + 1] = length
        }
        return table
    }

    /// A connection that has seen nothing yet.
    var start: Matches { Matches(repeating: 0, count: armed.count) }

    /// Lets the first of `bytes` pass, up to where a rule acts.
    /// - Returns: how many pass, and what happens then; without an action all do.
    mutating func pass(
        _ bytes: ArraySlice<UInt8>, _ direction: FaultScript.Direction, _ matches: inout Matches
    ) -> (count: Int, action: FaultScript.Action?) {
        let before = direction == .toServer ? toServer : toClient
        var first: (count: Int, rule: Int)?
        for index in armed.indices where !armed[index].hasFired {
            guard let count = due(armed[index], bytes, direction, before, matches[index]) else { continue }
            if count < first?.count ?? .max { first = (count, index) }
        }
        let count = first?.count ?? bytes.count
        if direction == .toServer { toServer += count } else { toClient += count }
        for index in armed.indices where armed[index].watches(direction) {
            for byte in bytes.prefix(count) { _ = armed[index].match(byte, &matches[index]) }
        }
        guard let first else { return (count, nil) }
        armed[first.rule].hasFired = true
        fired += 1
        return (count, armed[first.rule].rule.action)
    }

    /// How many of the bytes pass until the rule acts; nil when it does not act within them.
    private func due(
        _ armed: Armed, _ bytes: ArraySlice<UInt8>, _ direction: FaultScript.Direction, _ before: Int, _ matched: Int
    ) -> Int? {
        if case .bytes(let count, let way) = armed.rule.moment {
            return way == direction && count <= before + bytes.count ? max(0, count - before) : nil
        }
        guard armed.watches(direction) else { return nil }
        var matched = matched
        for (offset, byte) in bytes.enumerated() where armed.match(byte, &matched) {
            if case .before = armed.rule.moment { return offset }
            return offset + 1
        }
        return nil
    }
}
