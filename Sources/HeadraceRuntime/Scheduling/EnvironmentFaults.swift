import Glibc
public import HeadraceCore
import Synchronization

/// Fault points steered by `HEADRACE_FAULTS`, so that a test can kill a real process at a named place.
///
/// The variable holds `POINT@COUNT=ACTION[,…]`: at the COUNTth time (from 1) that POINT is reached, `kill` ends the process
/// by SIGKILL, `fail` throws, `stop` suspends it by SIGSTOP.
public final class EnvironmentFaults: FaultPoints {
    private struct Rule {
        let point: String
        var left: Int
        let action: String
    }
    private let rules: Mutex<[Rule]>

    private init(_ rules: [Rule]) { self.rules = Mutex(rules) }

    /// The faults that the environment asks for; none when the variable is not set.
    public static func fromEnvironment() -> any FaultPoints {
        guard let value = getenv("HEADRACE_FAULTS") else { return NoFaults() }
        let rules = String(cString: value).split(separator: ",").compactMap { text -> Rule? in
            let sides = text.split(separator: "=")
            guard sides.count == 2 else { return nil }
            let place = sides[0].split(separator: "@")
            return Rule(
                point: String(place[0]), left: place.count > 1 ? Int(place[1]) ?? 1 : 1, action: String(sides[1]))
        }
        return EnvironmentFaults(rules)
    }

    public func reach(_ point: String) throws {
        let action = rules.withLock { rules -> String? in
            for index in rules.indices where rules[index].point == point {
                rules[index].left -= 1
                if rules[index].left == 0 { return rules[index].action }
            }
            return nil
        }
        switch action {
        case "kill": kill(getpid(), SIGKILL)
        // To this very thread, which goes no further then; a signal to the process may stop another thread first.
        case "stop": raise(SIGSTOP)
        case "fail": throw HeadraceError(.unexpected, "fault point \(point) was asked to fail", retry: .mayHelp)
        default: break
        }
    }
}
