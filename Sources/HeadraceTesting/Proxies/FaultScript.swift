import HeadraceCore

/// What a `FaultProxy` does to the bytes that pass through it. An empty script lets everything pass.
public struct FaultScript: Sendable, Hashable {
    /// Which way bytes go.
    public enum Direction: String, Sendable, Hashable, CaseIterable {
        /// From who connected to the proxy to the server behind it.
        case toServer
        /// From the server back.
        case toClient
    }

    /// When a rule acts. Every rule acts once, on the connection that reaches its moment first.
    public enum Moment: Sendable, Hashable {
        /// When so many bytes have passed that way, counted over all connections since the script was played. With 0 the
        /// first byte does not pass.
        case bytes(Int, Direction)
        /// When this text has passed that way within one connection, to its last byte.
        case after([UInt8], Direction)
        /// When all of this text but its last byte has passed: the other end never hears the whole of it.
        case before([UInt8], Direction)
    }

    /// What happens at that moment.
    public enum Action: String, Sendable, Hashable, CaseIterable {
        /// Both ends get a reset, and what was on its way is lost.
        case reset
        /// Both ends see an orderly end of data.
        case end
        /// Nothing passes any more in either direction; the connection stays open.
        case stall
        /// Bytes to the server still pass, its answers are kept back.
        case hold
        /// Nothing but that it is counted: the next rule for the same text waits for its next time.
        case note
    }

    /// A moment and what happens then.
    public struct Rule: Sendable, Hashable {
        /// When it happens.
        public var moment: Moment
        /// What happens.
        public var action: Action

        /// Does `action` at `moment`.
        public init(at moment: Moment, _ action: Action) {
            self.moment = moment
            self.action = action
        }
    }

    /// The rules; of several that are due at one byte the first acts.
    public var rules: [Rule]
    /// Whether connections are refused as by a server that does not run. Those that are open go on.
    public var refuses: Bool
    /// Milliseconds that every piece waits, in either direction.
    public var delay: Int
    /// How many bytes a connection passes a second, nil for as many as come. A twentieth of a second's bytes pass at once.
    public var bytesPerSecond: Int?

    /// A script of these rules.
    public init(_ rules: [Rule] = [], refuses: Bool = false, delay: Int = 0, bytesPerSecond: Int? = nil) {
        self.rules = rules
        self.refuses = refuses
        self.delay = delay
        self.bytesPerSecond = bytesPerSecond
    }

    /// One cut, by reset or by end, at a byte of either direction that the seed chooses.
    /// - Parameters:
    ///   - seed: the same seed chooses the same cut.
    ///   - toServer: how many bytes an undisturbed client sends.
    ///   - toClient: how many bytes it receives. Every byte of the two is as likely as any other.
    public static func cut(seed: UInt64, toServer: Int, toClient: Int) -> FaultScript {
        let random = RunRandom(seed: seed)
        let byte = Int(random.below(UInt64(max(1, toServer + toClient))))
        let action: Action = random.below(2) == 0 ? .reset : .end
        let moment: Moment = byte < toServer ? .bytes(byte, .toServer) : .bytes(byte - toServer, .toClient)
        return FaultScript([Rule(at: moment, action)])
    }
}

// MARK: - As text

extension FaultScript {
    /// Reads a script of words apart by spaces, as the program `headrace-fault-proxy` takes it: `refuse`, `delay=MS`,
    /// `rate=BYTES` and rules `ACTION@DIRECTION:MOMENT`, where a moment is a number of bytes, `after=TEXT` or `before=TEXT`.
    ///
    /// In a text `%XX` stands for the byte of that hexadecimal number: `hold@toServer:after=COMMIT%00`.
    /// - Throws: `badOption` for a word that is none of these.
    public init(_ text: String) throws {
        self.init()
        for word in text.split(separator: " ") {
            if word == "refuse" {
                refuses = true
            } else if word.hasPrefix("delay="), let number = Int(word.dropFirst(6)), number >= 0 {
                delay = number
            } else if word.hasPrefix("rate="), let number = Int(word.dropFirst(5)), number > 0 {
                bytesPerSecond = number
            } else if let rule = Self.rule(word) {
                rules.append(rule)
            } else {
                throw HeadraceError(
                    .badOption, "\"\(word)\" is no rule of a fault proxy",
                    hint: "such as: reset@toServer:1000 hold@toServer:after=COMMIT refuse delay=5 rate=1000")
            }
        }
    }

    private static func rule(_ word: Substring) -> Rule? {
        let sides = word.split(separator: "@", maxSplits: 1)
        guard sides.count == 2, let action = Action(rawValue: String(sides[0])) else { return nil }
        let words = sides[1].split(separator: ":", maxSplits: 1)
        guard words.count == 2, let direction = Direction(rawValue: String(words[0])) else { return nil }
        if let count = Int(words[1]), count >= 0 { return Rule(at: .bytes(count, direction), action) }
        let parts = words[1].split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let text = unescaped(parts[1]), !text.isEmpty else { return nil }
        switch parts[0] {
        case "after": return Rule(at: .after(text, direction), action)
        case "before": return Rule(at: .before(text, direction), action)
        default: return nil
        }
    }

    private static func unescaped(_ text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
