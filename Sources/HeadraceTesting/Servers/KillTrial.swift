import Glibc
import HeadraceCore

/// Kills a job by SIGKILL, runs it again, and compares: nothing lost, nothing doubled, nothing left behind.
///
/// The job runs as a process of its own, such as `headrace copy FROM TO`. It is killed where it passes the fault points of a commit,
/// which programs of `HeadraceTool` reach as the variable `HEADRACE_FAULTS` says, and at random moments. Each time everything is
/// first put back to where it was before the job, and in the end the target must be what an undisturbed run makes of it.
///
/// ```swift
/// let trial = KillTrial(
///     ["headrace", "copy", from, to, "--state", state], restore: { … }, rows: { … }, leftovers: { … })
/// let landed = try await trial.run(points: KillTrial.commitStages, random: 5)
/// ```
public struct KillTrial: Sendable {
    /// The points that every job passes at each of its commits, in this order; connectors have others besides.
    public static let commitStages = [
        "commit.begin", "commit.settled", "commit.rejectsDurable", "commit.prepared", "commit.sinkCommitted",
        "commit.ledgerCommitted", "commit.recorded",
    ]

    private let job: [String]
    private let environment: [String: String?]
    private let statuses: Set<Int32>
    private let restore: @Sendable () throws -> Void
    private let rows: @Sendable () throws -> [[String?]]
    private let leftovers: @Sendable () throws -> [String]

    /// - Parameters:
    ///   - job: the program, found on the path or named in full, and its arguments; the same run again must finish the job, and
    ///     change nothing where the kill came after its last commit. A completed append loads again: let it read by a cursor.
    ///   - environment: variables added to ours; nil takes one out.
    ///   - statuses: exit statuses of a run that is complete; with rejects it is 3.
    ///   - restore: brings target and state to what they were before the job.
    ///   - rows: the target's rows as another program reads them, in any order; none when there is no target.
    ///   - leftovers: what no run may leave behind.
    public init(
        _ job: [String], environment: [String: String?] = [:], statuses: Set<Int32> = [0],
        restore: @escaping @Sendable () throws -> Void, rows: @escaping @Sendable () throws -> [[String?]],
        leftovers: @escaping @Sendable () throws -> [String]
    ) {
        self.job = job
        self.environment = environment
        self.statuses = statuses
        self.restore = restore
        self.rows = rows
        self.leftovers = leftovers
    }

    /// Kills the job at the first `times` times that it reaches each of the points, and at `random` moments.
    ///
    /// - Parameter seed: what random moments are chosen by.
    /// - Returns: how many kills landed at each point, and under `random` at random moments; one that came after the end of the
    ///   job does not count.
    /// - Throws: `BrokenPromise` for what was lost, doubled or left, with where the kill was; and for a point that the job does
    ///   not pass.
    public func run(
        points: [String] = KillTrial.commitStages, times: Int = 1, random: Int = 0, seed: UInt64 = 1
    ) async throws -> [String: Int] {
        try await BlockingWork.run { try self.runNow(points, times, random, RunRandom(seed: seed)) }
    }

    private func runNow(_ points: [String], _ times: Int, _ random: Int, _ chosen: RunRandom) throws -> [String: Int] {
        try restore()
        let before = try Self.counted(rows())
        let began = SystemTime.milliseconds
        try finish("the undisturbed run")
        var span = max(1, SystemTime.milliseconds - began)
        let goal = try Self.counted(rows())
        guard goal != before else {
            throw Expectations(promise: "The job does something")
                .broken("the target after it", expected: "another than before", found: "the same")
        }
        var landed: [String: Int] = [:]
        for point in points {
            for time in 1...max(1, times) {
                try restore()
                let process = try start(faults: "\(point)@\(time)=kill")
                guard try end(of: process, at: point) else { break }
                landed[point, default: 0] += 1
                try judge("a kill at \(point), the \(time). time", before, goal)
            }
            guard landed[point] != nil else {
                throw Expectations(promise: "The job passes the points at which it is to be killed")
                    .broken("the number of times it passes \(point)", expected: "1 or more", found: "0")
            }
        }
        for number in 0..<max(0, random) {
            try restore()
            let process = try start(faults: nil)
            let moment = Int64(chosen.below(UInt64(span)))
            SystemTime.wait(milliseconds: moment)
            kill(process, SIGKILL)
            // One that came too late tells how long the job takes on this machine at this time.
            guard try end(of: process, at: "random") else {
                span = max(1, moment)
                continue
            }
            landed["random", default: 0] += 1
            try judge("kill \(number + 1) at random, after \(moment) ms", before, goal)
        }
        return landed
    }

    private func start(faults: String?) throws -> Int32 {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        return try ChildProcess.start(
            job, descriptors: [null, null, null], environment: environment.merging(["HEADRACE_FAULTS": faults]) { $1 })
    }

    /// Waits for the job.
    /// - Returns: whether it was killed.
    private func end(of process: Int32, at point: String) throws -> Bool {
        let status = ChildProcess.wait(for: process)
        if status == 128 + SIGKILL { return true }
        guard statuses.contains(status) else {
            throw Expectations(promise: "The job ends well or is killed")
                .broken("its exit status (\(point))", expected: "\(statuses.sorted()) or 137", found: "\(status)")
        }
        return false
    }

    private func finish(_ what: String) throws {
        let done = try ChildProcess.run(job, environment: environment.merging(["HEADRACE_FAULTS": nil]) { $1 })
        guard statuses.contains(done.status) else {
            throw Expectations(promise: "The job ends well")
                .broken(what, expected: "exit status \(statuses.sorted())", found: "\(done.status): \(done.errors)")
        }
    }

    /// Looks at what a killed run has left, runs the job again, and looks at what it is then.
    private func judge(_ when: String, _ before: [[String?]: Int], _ goal: [[String?]: Int]) throws {
        let torn = Expectations(
            promise: "A killed run shows rows of before and of its own, each as often as it should be there")
        let found = try Self.counted(rows())
        let strange = found.filter { $0.value > max(before[$0.key] ?? 0, goal[$0.key] ?? 0) }
        try torn.equal("rows too many after \(when)", strange.map { "\($0.key) \($0.value) times" }.sorted(), [])
        let lost = before.filter { (found[$0.key] ?? 0) < min($0.value, goal[$0.key] ?? 0) }
        try torn.equal("rows that are not there after \(when)", lost.map { "\($0.key)" }.sorted(), [])
        try finish("the run after \(when)")
        let whole = Expectations(
            promise: "A job that was killed and run again makes the same of its target as one that was not")
        let end = try Self.counted(rows())
        let names = Set(end.keys).union(goal.keys).filter { end[$0] != goal[$0] }
        let differences = names.map { "\($0) \(end[$0] ?? 0) times, not \(goal[$0] ?? 0)" }.sorted()
        try whole.equal("rows that differ after \(when) and another run", Array(differences.prefix(5)), [])
        try whole.equal("what is left after \(when) and another run", try leftovers(), [])
    }

    private static func counted(_ rows: [[String?]]) -> [[String?]: Int] {
        Dictionary(rows.map { ($0, 1) }, uniquingKeysWith: +)
    }
}

/// Real time, for what happens to real processes.
private enum SystemTime {
    static var milliseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    static func wait(milliseconds: Int64) { usleep(UInt32(milliseconds * 1000)) }
}
