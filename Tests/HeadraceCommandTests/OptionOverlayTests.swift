import ArgumentParser
import Testing

@testable import HeadraceCommand

struct OptionOverlayTests {
    private func take(_ line: String) throws -> (rest: [String], overlays: [OptionOverlay]) {
        try OptionOverlay.take(
            from: line.split(separator: " ").map(String.init), connectors: HeadraceTool.standardConnectors)
    }

    @Test(arguments: [
        ("--from-delimiter ;", OptionOverlay(end: .from, name: "delimiter", value: ";")),
        ("--to-null=NA", OptionOverlay(end: .to, name: "null", value: "NA")),
        ("--delimiter=;", OptionOverlay(end: .either, name: "delimiter", value: ";")),
        ("--from-null=", OptionOverlay(end: .from, name: "null", value: "")),
        ("--from-null a=b", OptionOverlay(end: .from, name: "null", value: "a=b")),
        ("--to-key Id", OptionOverlay(end: .to, name: "key", value: "Id")),
    ])
    func `an option of a connector is taken out of the line`(flag: String, expected: OptionOverlay) throws {
        let (rest, overlays) = try take("copy a.csv b.csv \(flag) --quiet")
        #expect(overlays == [expected])
        #expect(rest == ["copy", "a.csv", "b.csv", "--quiet"])
    }

    @Test(arguments: ["--mode upsert", "--key id", "--threads 2", "--nonsense x", "-n 3", "--", "--from-null"])
    func `what is the command's, unknown or without a value stays`(flags: String) throws {
        let (rest, overlays) = try take("copy a b \(flags)")
        #expect(overlays.isEmpty)
        #expect(rest == "copy a b \(flags)".split(separator: " ").map(String.init))
    }

    @Test(arguments: ["preview", "schema", "check"])
    func `a command with one location gives it every option, with a prefix and without`(command: String) throws {
        let (rest, overlays) = try take("\(command) feed.xml --rows /catalog/item --from-format xml")
        #expect(rest == [command, "feed.xml"])
        #expect(overlays.map(\.name) == ["rows", "format"])
        #expect(try take("\(command) feed.xml --to-rows x").overlays.isEmpty)
    }

    @Test(arguments: [
        "runs --delimiter x", "run daily-prices --attempts 1", "kv scan kv:x --key y", "show last --from-x y",
    ])
    func `a command without locations keeps what it is given`(line: String) throws {
        let (rest, overlays) = try take(line)
        #expect(rest.joined(separator: " ") == line)
        #expect(overlays.isEmpty)
    }

    @Test func `the query of a standard stream is its end's options`() throws {
        let (rest, overlays) = try take("copy -?rows=/items&format=json -?format=csv&delimiter=tab --quiet")
        #expect(rest == ["copy", "-", "-", "--quiet"])
        #expect(
            overlays == [
                OptionOverlay(end: .from, name: "rows", value: "/items"),
                OptionOverlay(end: .from, name: "format", value: "json"),
                OptionOverlay(end: .to, name: "format", value: "csv"),
                OptionOverlay(end: .to, name: "delimiter", value: "tab"),
            ])
    }

    @Test(arguments: CommandShape.all.map { $0.words.joined(separator: " ") })
    func `the flags of a command are those that its help names`(words: String) throws {
        let shape = try #require(CommandShape.all.first { $0.words.joined(separator: " ") == words })
        let types: [String: any ParsableCommand.Type] = [
            "copy": CopyCommand.self, "plan copy": PlanCopy.self, "preview": PreviewCommand.self,
            "schema": SchemaCommand.self, "check": CheckCommand.self, "replay": ReplayCommand.self,
        ]
        let type = try #require(types[words])
        let options = HeadraceCommand.helpMessage(for: type).split(separator: "OPTIONS:").last ?? ""
        var plain: Set<String> = []
        var valued: Set<String> = []
        for line in options.split(separator: "\n") where line.hasPrefix("  -") {
            let spelled = line.dropFirst(2).split(separator: "  ").first ?? ""
            let takesValue = spelled.contains("<")
            for word in spelled.split(whereSeparator: { $0 == " " || $0 == "," }) where word.hasPrefix("-") {
                let name = String(word.drop { $0 == "-" })
                if takesValue { valued.insert(name) } else { plain.insert(name) }
            }
        }
        #expect(valued == shape.valued)
        #expect(plain == shape.plain)
    }
}
