import HeadraceRuntime
import Testing

@testable import HeadraceCommand

struct RunningOptionsTests {
    @Test(arguments: [
        ("0", RejectAllowance.rows(0)), ("12", .rows(12)), ("5%", .share(0.05)), ("0.5%", .share(0.005)),
        ("100%", .share(1)),
    ])
    func `an allowance is rows or a share`(text: String, allowance: RejectAllowance) {
        #expect(RunningOptions.allowance(text) == allowance)
    }

    @Test(arguments: ["", "-1", "101%", "-5%", "%", "x", "nan%"])
    func `anything else is no allowance`(text: String) {
        #expect(RunningOptions.allowance(text) == nil)
    }
}
