/// One thing that a contract demands, to be run against anything that claims to keep it.
///
/// Hand a contract's checks to a parameterised test, so that each is reported by its name:
///
/// ```swift
/// @Test(arguments: WarehouseContract<MyHarness>.checks)
/// func keepsTheContract(_ check: Check<MyHarness>) async throws { try await check.run(on: MyHarness()) }
/// ```
public struct Check<Harness>: Sendable, CustomStringConvertible {
    /// What is promised, as a sentence.
    public let promise: String
    /// Why the promise is not kept, where that is known and declared.
    public let gap: String?
    private let body: @Sendable (Harness, Expectations) async throws -> Void

    init(
        _ promise: String, gap: String? = nil, _ body: @escaping @Sendable (Harness, Expectations) async throws -> Void
    ) {
        self.promise = promise
        self.gap = gap
        self.body = body
    }

    public var description: String { promise }

    /// The check of a promise that is known not to be kept: it passes as long as the promise is broken.
    func asGap(because reason: String) -> Check {
        Check(promise, gap: reason) { harness, expect in
            do { try await body(harness, expect) } catch { return }
            throw expect.broken("the declared gap (\(reason))", expected: "open", found: "closed: declare it no longer")
        }
    }

    /// The checks with those of `gaps` turned into checks that the promise is broken.
    ///
    /// A gap in a promise that is none of `promises` gets a check of its own, which fails: it hides nothing and says nothing.
    static func declaring(_ gaps: [String: String], in checks: [Check], among promises: [String]) -> [Check] {
        checks.map { check in gaps[check.promise].map { check.asGap(because: $0) } ?? check }
            + gaps.keys.filter { !promises.contains($0) }.sorted().map { name in
                Check("A declared gap is in a promise of the contract") { _, expect in
                    throw expect.broken("the gap", expected: "one of the checks' sentences", found: "\"\(name)\"")
                }
            }
    }

    /// Tries the promise on a harness that no other check has used.
    ///
    /// Where the environment names a file as `HEADRACE_PROMISES`, one that is kept, or a gap that is open, is written down there:
    /// a line with the harness's module, its connector, the contract, the promise, `proved` or `gap`, and the reason.
    /// - Throws: `BrokenPromise` when it is not kept, and whatever the thing under test throws where it should not.
    public func run(on harness: Harness) async throws {
        try await body(harness, Expectations(promise: promise))
        try PromiseLog.note(promise, gap: gap, of: Harness.self)
    }
}

/// A promise that was not kept, with what was expected and what was found in its stead.
public struct BrokenPromise: Error, CustomStringConvertible {
    /// The check's sentence.
    public let promise: String
    /// What was looked at.
    public let subject: String
    /// What should have been there.
    public let expected: String
    /// What was there.
    public let found: String

    public var description: String { "\(promise): \(subject) should be \(expected), and is \(found)" }
}

/// Compares what a check finds with what it expects.
struct Expectations {
    let promise: String

    func equal<Value: Equatable>(_ subject: String, _ found: Value, _ expected: Value) throws {
        guard found == expected else { throw broken(subject, expected: "\(expected)", found: "\(found)") }
    }

    func broken(_ subject: String, expected: String, found: String) -> BrokenPromise {
        BrokenPromise(promise: promise, subject: subject, expected: expected, found: found)
    }

    /// Runs `work`, which must fail.
    /// - Returns: its error.
    @discardableResult
    func failure(_ subject: String, _ work: () async throws -> Void) async throws -> any Error {
        do { try await work() } catch { return error }
        throw broken(subject, expected: "an error", found: "no error")
    }
}
