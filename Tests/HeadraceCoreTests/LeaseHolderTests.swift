import Glibc
import HeadraceCore
import Testing

@Suite struct LeaseHolderTests {
    @Test("This process is told from every other that has had or will have its number")
    func thisProcess() throws {
        let holder = LeaseHolder.thisProcess(run: "a")
        #expect(holder.process == getpid())
        #expect(holder.processStart == LeaseHolder.processStart(of: getpid()))
        #expect(holder.processStart.hasSuffix(":") == false)
        #expect(LeaseHolder.processStart(of: 1) != holder.processStart)
        #expect(LeaseHolder.processStart(of: Int32.max) == nil)
    }

    @Test("A process number that was given again, or belongs to another machine, is told apart")
    func reusedNumbers() {
        let holder = LeaseHolder.thisProcess(run: "a")
        #expect(!holder.isGone)
        var other = holder
        other.processStart = "another-boot:1"
        #expect(other.isGone)
        other.host = "elsewhere"
        #expect(!other.isGone)
        other = holder
        other.processStart = ""
        #expect(!other.isGone)
        other = holder
        other.process = Int32.max
        #expect(other.isGone)
        other.process = 0
        #expect(!other.isGone)
    }
}
