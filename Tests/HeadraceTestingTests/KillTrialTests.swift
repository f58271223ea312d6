import HeadraceTesting
import Testing

/// A job written in the shell, which dies where `HEADRACE_FAULTS` says, and may do what no job should.
private struct ShellJob {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Puts `3` behind `1` and `2`: beside them, and then in their place.
    static let honest = """
        printf '1\\n2\\n3\\n' > t.new; die commit.begin; mv t.new t; die commit.recorded
        """

    func trial(_ script: String) -> KillTrial {
        let (folder, die) = (self.folder, "die() { [ \"$HEADRACE_FAULTS\" != \"$1@1=kill\" ] || kill -9 $$; }")
        return KillTrial(
            ["sh", "-c", "cd \(folder.path); \(die); \(script)"],
            restore: {
                _ = try ChildProcess.run(["sh", "-c", "cd \(folder.path) && rm -f *"])
                try folder.write("1\n2\n", to: "t")
            },
            rows: { try ChildProcess.run(["cat", folder("t")]).output.split(separator: "\n").map { [String($0)] } },
            leftovers: { try folder.names().filter { $0 != "t" } })
    }
}

struct KillTrialTests {
    private let points = ["commit.begin", "commit.recorded"]

    @Test func `an honest job is killed at every point and passes`() async throws {
        let trial = try ShellJob().trial("\(ShellJob.honest); sleep 0.3")
        let landed = try await trial.run(points: points, random: 6)
        #expect(landed["commit.begin"] == 1)
        #expect(landed["commit.recorded"] == 1)
        #expect(landed["random", default: 0] > 0)
    }

    @Test(arguments: [
        // Rows are there twice after another run.
        ("echo 3 >> t; die commit.begin; die commit.recorded", "and another run"),
        // Rows are lost by another run.
        (
            "if [ -e done ]; then : > t; fi; echo 3 >> t; touch done; die commit.begin; die commit.recorded; rm done",
            "and another run"
        ),
        // Half of the work shows too often in between, and another run mends it.
        ("echo 2 >> t; die commit.begin; printf '1\\n2\\n3\\n' > t; die commit.recorded", "rows too many after"),
        // Something stays.
        (
            "echo x > part.$$; printf '1\\n2\\n3\\n' > t; die commit.begin; die commit.recorded; rm part.$$",
            "what is left"
        ),
        // It cannot be run again.
        (
            "if [ -e lock ]; then exit 1; fi; touch lock; die commit.begin; echo 3 >> t; die commit.recorded; rm lock",
            "exit status"
        ),
        // It does nothing, or fails, or never comes by.
        ("die commit.begin; die commit.recorded", "another than before"), ("exit 4", "exit status"),
        ("printf '1\\n2\\n3\\n' > t; die commit.begin", "times it passes commit.recorded"),
    ])
    func `a job that breaks a promise is found out`(script: String, words: String) async throws {
        let trial = try ShellJob().trial(script)
        let error = await #expect(throws: BrokenPromise.self) { try await trial.run(points: points) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
}
