/// The flags that a command which takes locations has itself, so that every other flag can be an option of a connector.
struct CommandShape: Sendable {
    /// The command's words: `plan copy`.
    let words: [String]
    /// Flags that are followed by a value, without their dashes.
    let valued: Set<String>
    /// Flags that stand alone.
    let plain: Set<String>
    /// How many locations it takes: a copy has a source and a target.
    let locations: Int

    private static let common: (valued: Set<String>, plain: Set<String>) = (
        ["state"], ["quiet", "json-log", "help", "version", "h"]
    )
    private static let running: (valued: Set<String>, plain: Set<String>) = (
        ["threads", "memory", "max-rejects"], ["stop-on-rejects", "restart"]
    )
    private static let copy: Set<String> = ["mode", "key", "effective", "versions"]

    /// All commands that take locations; the flags are compared with the commands' own help by a test.
    static let all: [CommandShape] = [
        CommandShape(
            words: ["copy"], valued: copy.union(running.valued).union(common.valued).union(["rejects", "commit"]),
            plain: running.plain.union(common.plain), locations: 2),
        CommandShape(
            words: ["plan", "copy"],
            valued: copy.union(running.valued).union(common.valued).union(["rejects", "commit"]),
            plain: running.plain.union(common.plain), locations: 2),
        CommandShape(
            words: ["preview"], valued: common.valued.union(["count", "n"]), plain: common.plain, locations: 1),
        CommandShape(words: ["schema"], valued: common.valued, plain: common.plain.union(["json"]), locations: 1),
        CommandShape(words: ["check"], valued: common.valued, plain: common.plain, locations: 1),
        CommandShape(
            words: ["replay"],
            valued: running.valued.union(common.valued).union(["warehouse", "kv", "landing", "rates"]),
            plain: running.plain.union(common.plain).union(["errors-only"]), locations: 0),
    ]

    /// The shape of a command line, nil where its command takes no locations.
    static func of(_ arguments: [String]) -> CommandShape? {
        all.first { arguments.starts(with: $0.words) }
    }
}
