import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime

/// What a run did, for people and for scripts.
enum RunSummary {
    /// Prints the account and the reasons of rejects to standard error, as the command was asked to talk.
    static func print(_ report: RunReport, ledger: any LedgerStore, as common: CommonOptions) async throws {
        if common.quiet { return }
        if common.jsonLog {
            let record = try await ledger.run(report.run)
            let members: [(String, JSONValue)] = [
                ("job", .string(record?.job ?? "")), ("run", .string(report.run)),
                ("state", .string(report.state.rawValue)), ("rejected", .integer(report.rejected)),
                ("steps", .array(report.accounts.map(step))),
                ("failures", .array(report.failures.map { .string($0.error.description) })),
            ]
            LogOutput.write(.info, "run ended", members, at: SystemClock().now())
            return
        }
        var text = "run \(report.run): \(report.state.rawValue)\n"
        text += table(report.accounts)
        text += try await reasons(of: report.run, ledger)
        for failure in report.failures { text += "\(failure.error)\n" }
        StandardStreams.error(text)
    }

    static func table(_ accounts: [StepAccount]) -> String {
        guard !accounts.isEmpty else { return "" }
        let rows = accounts.map { account -> [String] in
            let numbers = [
                account.input, account.added, account.output, account.rejected, account.filtered, account.merged,
            ]
            return [account.step] + numbers.map(ProgressLine.grouped) + [written(account.written)]
        }
        return TableText.render(
            header: ["step", "in", "added", "out", "rejected", "filtered", "merged", "written"], rows: rows,
            rightAligned: Set(1...6))
    }

    private static func written(_ counts: WriteCounts?) -> String {
        guard let counts else { return "" }
        let parts = [
            ("inserted", counts.inserted), ("updated", counts.updated), ("unchanged", counts.unchanged),
            ("deleted", counts.deleted),
        ].filter { $0.1 > 0 }
        return parts.isEmpty ? "0" : parts.map { "\(ProgressLine.grouped($0.1)) \($0.0)" }.joined(separator: ", ")
    }

    /// Rejects by step, rule and code.
    static func reasons(of run: String, _ ledger: any LedgerStore) async throws -> String {
        let summary = try await ledger.rejectSummary(of: run)
        guard !summary.isEmpty else { return "" }
        return "rejects (headrace rejects \(run)):\n"
            + summary.map { "  \(ProgressLine.grouped($0.count)) \($0.step): \($0.rule) [\($0.code)]\n" }.joined()
    }

    /// One run as JSON: its record, steps and inputs.
    static func json(_ run: RunRecord, _ accounts: [StepAccount], _ inputs: [InputRecord]) -> JSONValue {
        .object([
            ("run", .string(run.identifier)), ("job", .string(run.job)), ("state", .string(run.state.rawValue)),
            ("started", .string(Temporal.formatTimestamp(run.started, hasZone: true))),
            ("ended", run.ended.map { .string(Temporal.formatTimestamp($0, hasZone: true)) } ?? .null),
            ("error", run.error.map { .string($0) } ?? .null), ("parameters", run.parameters),
            ("steps", .array(accounts.map(step))),
            (
                "inputs",
                .array(
                    inputs.map {
                        .object([
                            ("step", .string($0.step)), ("name", .string($0.name)), ("bytes", .integer($0.bytes)),
                            ("sha256", .string($0.sha256)), ("rows", .integer($0.rows)),
                        ])
                    })
            ),
        ])
    }

    private static func step(_ account: StepAccount) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("step", .string(account.step)), ("in", .integer(account.input)), ("added", .integer(account.added)),
            ("out", .integer(account.output)), ("rejected", .integer(account.rejected)),
            ("filtered", .integer(account.filtered)), ("merged", .integer(account.merged)),
            ("milliseconds", .integer(account.nanoseconds / 1_000_000)),
        ]
        if let written = account.written {
            members.append(
                (
                    "written",
                    .object([
                        ("inserted", .integer(written.inserted)), ("updated", .integer(written.updated)),
                        ("unchanged", .integer(written.unchanged)), ("deleted", .integer(written.deleted)),
                    ])
                ))
        }
        return .object(members)
    }
}
