import HeadraceTesting
import Testing

@Suite struct LTSVKillTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A copy by the package's own command, of a megabyte and a bit: two epochs where the target has them.
    private func copy(_ target: String, _ kept: [String], rows: @escaping @Sendable () throws -> [[String?]]) throws
        -> KillTrial
    {
        let lines = (0..<6000).map { "id:\($0)\tname:\(String(repeating: "x", count: 190))\n" }
        try folder.write(lines.joined(), to: "log")
        let folder = self.folder
        return KillTrial(
            [
                try ChildProcess.product("headrace-ltsv"), "copy", "ltsv:\(folder("log"))", target, "--commit", "1",
                "--quiet",
            ],
            environment: ["HEADRACE_STATE": folder("state"), "TMPDIR": folder.path],
            restore: {
                for name in try folder.names() where name != "log" {
                    _ = try ChildProcess.run(["rm", "-rf", folder(name)])
                }
            },
            rows: rows, leftovers: { try folder.names().filter { !(["log", "state"] + kept).contains($0) } })
    }

    @Test("A copy into a table that is killed at any stage of a commit and run again has every line once")
    func table() async throws {
        let database = folder("w.db")
        let trial = try copy("sqlite:\(database)?table=t", ["w.db"]) {
            let query = "SELECT id, length(name) FROM t"
            return try ChildProcess.run(["sqlite3", "-batch", database, query]).output.split(separator: "\n").map {
                [String($0)]
            }
        }
        let landed = try await trial.run(
            points: KillTrial.commitStages + ["sqlite.beforeCommit", "sqlite.afterCommit"], times: 2, random: 3)
        #expect(landed.filter { $0.key != "random" }.allSatisfy { $0.value == 2 }, "two epochs: \(landed)")
    }

    @Test("A copy into a file is there whole or not at all")
    func file() async throws {
        let folder = self.folder
        let trial = try copy("ltsv:\(folder("out"))", ["out"]) {
            guard try folder.names().contains("out") else { return [] }
            return try ChildProcess.run(["cat", folder("out")]).output.split(separator: "\n").map { [String($0)] }
        }
        let landed = try await trial.run(points: KillTrial.commitStages + ["file.publish"], random: 3)
        #expect(landed["file.publish"] == 1)
    }
}
