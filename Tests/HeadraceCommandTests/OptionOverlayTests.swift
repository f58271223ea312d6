import Testing

@testable import HeadraceCommand

struct OptionOverlayTests {
    private func take(_ line: String) -> (rest: [String], overlays: [OptionOverlay]) {
        OptionOverlay.take(
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
    func `an option of a connector is taken out of the line`(flag: String, expected: OptionOverlay) {
        let (rest, overlays) = take("copy a.csv b.csv \(flag) --quiet")
        #expect(overlays == [expected])
        #expect(rest == ["copy", "a.csv", "b.csv", "--quiet"])
    }

    @Test(arguments: ["--mode upsert", "--key id", "--threads 2", "--nonsense x", "-n 3", "--", "--from-null"])
    func `what is the command's, unknown or without a value stays`(flags: String) {
        let (rest, overlays) = take("copy a b \(flags)")
        #expect(overlays.isEmpty)
        #expect(rest == "copy a b \(flags)".split(separator: " ").map(String.init))
    }
}
