import HeadraceCore
import HeadraceTesting
import Testing

struct FaultScriptTests {
    @Test("A script reads as it is written")
    func reads() throws {
        let script = try FaultScript(
            "reset@toServer:1000 end@toClient:before=a%20b hold@toServer:after=COMMIT%00 delay=5 rate=1000")
        #expect(
            script
                == FaultScript(
                    [
                        .init(at: .bytes(1000, .toServer), .reset),
                        .init(at: .before(Array("a b".utf8), .toClient), .end),
                        .init(at: .after(Array("COMMIT".utf8) + [0], .toServer), .hold),
                    ], delay: 5, bytesPerSecond: 1000))
        #expect(try FaultScript("refuse") == FaultScript(refuses: true))
        #expect(try FaultScript("") == FaultScript())
    }

    @Test(
        "What is no rule is refused",
        arguments: [
            "cut@toServer:1", "reset@both:1", "reset@toServer:-1", "reset@toServer:after=", "reset@toServer:after=%f",
            "reset@toServer:after=%zz", "delay=-1", "rate=0", "stop",
        ])
    func refuses(text: String) {
        let error = #expect(throws: HeadraceError.self) { try FaultScript(text) }
        #expect(error?.code == .badOption)
    }

    @Test("A seed chooses a byte of either direction, the same each time")
    func seeds() {
        var directions: Set<FaultScript.Direction> = []
        var actions: Set<FaultScript.Action> = []
        for seed in 0..<200 as Range<UInt64> {
            let script = FaultScript.cut(seed: seed, toServer: 100, toClient: 50)
            #expect(script == .cut(seed: seed, toServer: 100, toClient: 50))
            for rule in script.rules {
                actions.insert(rule.action)
                guard case .bytes(let byte, let direction) = rule.moment else { continue }
                directions.insert(direction)
                #expect((0..<(direction == .toServer ? 100 : 50)).contains(byte))
            }
        }
        #expect(directions.count == 2)
        #expect(actions == [.reset, .end])
    }
}
