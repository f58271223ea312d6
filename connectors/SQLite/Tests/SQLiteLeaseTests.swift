import Foundation
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

@Suite struct SQLiteLeaseTests {
    let bench: Workbench
    var path: String { bench.folder + "/ledger.db" }

    init() throws { bench = try Workbench() }

    private func holder(
        _ run: String, host: String = LeaseHolder.thisHost, process: Int32 = getpid(), start: String? = nil
    ) -> LeaseHolder {
        LeaseHolder(
            run: run, host: host, process: process,
            processStart: start ?? LeaseHolder.processStart(of: process) ?? "unknown")
    }

    @Test("A job is held by one run; the error says by which")
    func excludes() async throws {
        let (one, two) = (try await SQLiteLedger.open(at: path), try await SQLiteLedger.open(at: path))
        let lease = try await one.acquire("j", holder: holder("a"), now: 1000, duration: 500)
        #expect(lease.expires == 1500)
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await two.acquire("j", holder: holder("b"), now: 1400, duration: 500)
        }
        #expect(error?.code == .leaseHeld)
        #expect(error?.fields.first?.value == "a")
        _ = try await two.acquire("other job", holder: holder("b"), now: 1400, duration: 500)
        await one.close()
        await two.close()
    }

    @Test("A run whose process is gone is no longer running: it ended when its lease was last renewed")
    func interrupted() async throws {
        let ledger = try await SQLiteLedger.open(at: path)
        func begin(_ run: String, _ holder: LeaseHolder, now: Int64) async throws -> Lease {
            let lease = try await ledger.acquire("j", holder: holder, now: now, duration: 500)
            try await ledger.begin(
                RunRecord(identifier: run, job: "j", parameters: [:], started: now, fence: lease.fence))
            return lease
        }
        // This process with another start time: its number was taken over.
        let lease = try await begin("a", holder("a", start: "0:1"), now: 1000)
        _ = try await ledger.renew(lease, now: 1300, duration: 500)
        let seen = try #require(try await ledger.run("a"))
        #expect(seen.state == .failed && seen.ended == 1300)
        #expect(seen.error?.hasPrefix("interrupted") == true)
        #expect(
            try bench.sqlite("SELECT state, ended FROM runs", file: path) == ["'running',NULL"],
            "looking writes nothing")
        _ = try await begin("b", holder("b"), now: 2000)
        #expect(
            try bench.sqlite("SELECT state, ended FROM runs WHERE identifier = 'a'", file: path) == ["'failed',1300"])
        let runs = try await ledger.runs(job: "j", limit: 9)
        #expect(runs.map(\.state) == [.running, .failed], "the second is at work")
        await ledger.close()
    }

    @Test("A fence is higher than any before, after a release too")
    func fences() async throws {
        let ledger = try await SQLiteLedger.open(at: path)
        var last: Int64 = 0
        for now in [Int64(0), 0, 5_000_000, 4_000_000, 1_700_000_000_000_000, 3] {
            let lease = try await ledger.acquire("j", holder: holder("r"), now: now, duration: 10)
            #expect(lease.fence > last)
            last = lease.fence
            try await ledger.release(lease)
            try await ledger.release(lease)
        }
        await ledger.close()
    }

    @Test("A lost state folder does not bring lower fences than before")
    func fenceOfNewLedger() async throws {
        let old = try await SQLiteLedger.open(at: path)
        let before = try await old.acquire("j", holder: holder("r"), now: 1_700_000_000_000_000, duration: 10)
        let fresh = try await SQLiteLedger.open(at: path + "2")
        let after = try await fresh.acquire("j", holder: holder("r"), now: 1_700_000_001_000_000, duration: 10)
        #expect(after.fence > before.fence)
        await old.close()
        await fresh.close()
    }

    @Test("A lease past its time is taken over; its old holder can neither renew nor release it")
    func takesOverExpired() async throws {
        let ledger = try await SQLiteLedger.open(at: path)
        let old = try await ledger.acquire("j", holder: holder("a"), now: 0, duration: 100)
        let renewed = try await ledger.renew(old, now: 90, duration: 100)
        #expect(renewed.expires == 190 && renewed.fence == old.fence)
        let new = try await ledger.acquire("j", holder: holder("b"), now: 190, duration: 100)
        #expect(new.fence > old.fence)
        let lost = await #expect(throws: HeadraceError.self) {
            _ = try await ledger.renew(renewed, now: 195, duration: 100)
        }
        #expect(lost?.code == .leaseLost)
        try await ledger.release(renewed)
        let held = await #expect(throws: HeadraceError.self) {
            _ = try await ledger.acquire("j", holder: holder("c"), now: 200, duration: 100)
        }
        #expect(held?.code == .leaseHeld)
        await ledger.close()
    }

    @Test("The lease of a process of this machine that is gone is taken over at once")
    func takesOverDead() async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sleep")
        // Longer than this test can take on a busy machine.
        process.arguments = ["3600"]
        try process.run()
        defer { kill(process.processIdentifier, SIGKILL) }
        let dead = holder("dead", process: process.processIdentifier)
        let ledger = try await SQLiteLedger.open(at: path)
        _ = try await ledger.acquire("j", holder: dead, now: 0, duration: 1000)
        await #expect(throws: HeadraceError.self) {
            _ = try await ledger.acquire("j", holder: holder("b"), now: 1, duration: 1000)
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let lease = try await ledger.acquire("j", holder: holder("b"), now: 1, duration: 1000)
        #expect(lease.holder.run == "b")
        await ledger.close()
    }

    @Test("Of many runs that ask at once one gets the job")
    func race() async throws {
        let path = self.path
        let got = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<10 {
                let holder = holder("r\(index)")
                group.addTask {
                    let ledger = try await SQLiteLedger.open(at: path)
                    defer { Task { await ledger.close() } }
                    do {
                        _ = try await ledger.acquire("j", holder: holder, now: 0, duration: 1000)
                        return true
                    } catch let error as HeadraceError where error.code == .leaseHeld {
                        return false
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(got == 1)
    }
}
