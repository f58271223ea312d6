import HeadraceCore

/// A step's place in its run's account.
struct StepHandle: Sendable, Hashable {
    let ordinal: Int
    let name: String
}

/// What one step did with the rows of one turn.
struct StepDelta: Sendable, Hashable {
    var input = 0
    var added = 0
    var output = 0
    var rejected = 0
    var filtered = 0
    var merged = 0
    var nanoseconds: Int64 = 0
    /// A stateful operator's rows are in its hands between turns; its account is checked when it has ended.
    var isOpen = false

    var isBalanced: Bool { isOpen || input + added == output + rejected + filtered + merged }

    func mismatch(in step: String) -> HeadraceError {
        HeadraceError(
            .accountMismatch, "the rows of step \(step) do not add up",
            fields: [
                ("in", "\(input)"), ("added", "\(added)"), ("out", "\(output)"), ("rejected", "\(rejected)"),
                ("filtered", "\(filtered)"), ("merged", "\(merged)"),
            ],
            hint: "this is a fault in the step, not in the data; nothing of this epoch was committed")
    }
}

/// The steps of a run and their totals.
///
/// - Invariant (`@unchecked Sendable`): `totals` is touched by the holder of the turn, one at a time, and by the run when
///   no worker is active.
final class AccountBook: @unchecked Sendable {
    private let prefix: String
    private let before: [String: StepAccount]
    private(set) var accounts: [StepAccount] = []
    private var names = StepNames()

    /// - Parameter before: the accounts of what earlier runs committed of the same load, which the steps go on from.
    init(prefix: String, before: [StepAccount] = []) {
        self.prefix = prefix
        self.before = Dictionary(before.map { ($0.step, $0) }) { $1 }
    }

    /// Enters a step; a name that is taken gets a number.
    func enter(_ name: String) -> StepHandle {
        let own = names.enter(name)
        let full = prefix.isEmpty ? own : "\(prefix)/\(own)"
        var account = before[full] ?? StepAccount(step: full, ordinal: 0)
        account.ordinal = accounts.count
        accounts.append(account)
        return StepHandle(ordinal: accounts.count - 1, name: full)
    }

    func apply(_ step: Int, _ delta: StepDelta) {
        accounts[step].input += delta.input
        accounts[step].added += delta.added
        accounts[step].output += delta.output
        accounts[step].rejected += delta.rejected
        accounts[step].filtered += delta.filtered
        accounts[step].merged += delta.merged
        accounts[step].nanoseconds += delta.nanoseconds
    }

    /// The accounts, numbered from `ordinal` on.
    func accounts(from ordinal: Int) -> [StepAccount] {
        accounts.map { account in
            var numbered = account
            numbered.ordinal += ordinal
            return numbered
        }
    }

    func addWritten(_ step: Int, _ counts: WriteCounts) {
        accounts[step].written = (accounts[step].written ?? WriteCounts()) + counts
    }

    /// Throws `accountMismatch` for the first step whose totals do not hold.
    func check() throws(HeadraceError) {
        for account in accounts where !account.isBalanced {
            let written = account.written.map { [("written", "\($0.written)")] } ?? []
            throw HeadraceError(
                .accountMismatch, "the rows of step \(account.step) do not add up",
                fields: [
                    ("in", "\(account.input)"), ("added", "\(account.added)"), ("out", "\(account.output)"),
                    ("rejected", "\(account.rejected)"), ("filtered", "\(account.filtered)"),
                    ("merged", "\(account.merged)"),
                ] + written,
                hint: "this is a fault in the step, not in the data; nothing of this epoch was committed")
        }
    }
}
