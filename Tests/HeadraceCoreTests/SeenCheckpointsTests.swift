import HeadraceCore
import Testing

struct SeenCheckpointsTests {
    private let first = Checkpoint(epoch: 1, positions: [:], isFinal: false, run: "a")
    private let second = Checkpoint(epoch: 2, positions: [:], isFinal: false, run: "a")

    @Test("A run may commit over what it has read, and over nothing else")
    func reads() throws {
        let seen = SeenCheckpoints()
        seen.note(first, by: "run")
        let expected = seen.take(by: "run")
        try expected.check(first, job: "job", place: "here")
        for other in [second, nil] {
            let error = #expect(throws: HeadraceError.self) {
                try expected.check(other, job: "job", place: "here")
            }
            #expect(error?.code == .leaseLost)
        }
    }

    @Test("A run that found nothing may not commit over something")
    func nothing() throws {
        let seen = SeenCheckpoints()
        seen.note(nil, by: "run")
        let expected = seen.take(by: "run")
        try expected.check(nil, job: "job", place: "here")
        #expect(throws: HeadraceError.self) { try expected.check(first, job: "job", place: "here") }
    }

    @Test("A run that did not ask starts anew whatever is there, and what was read is told once, to that run")
    func anything() throws {
        let seen = SeenCheckpoints()
        seen.note(first, by: "run")
        #expect(seen.take(by: "other") == .anything)
        #expect(seen.take(by: "run") == .only(first))
        #expect(seen.take(by: "run") == .anything)
        try SeenCheckpoints.Expectation.anything.check(second, job: "job", place: "here")
    }
}
