public import HeadraceCore

extension SQLiteLedger {
    public func acquire(_ job: String, holder: LeaseHolder, now: Int64, duration: Int64) async throws -> Lease {
        try await database.use { connection in
            try connection.transaction {
                let known = try connection.first(
                    "SELECT fence, is_held, run, host, process, process_start, expires, renewed FROM leases WHERE job = ?",
                    [.text(job)]
                ) { row in
                    (
                        lease: Lease(
                            job: job,
                            holder: LeaseHolder(
                                run: row.text(2) ?? "", host: row.text(3) ?? "",
                                process: Int32(truncatingIfNeeded: row.integer(4)), processStart: row.text(5) ?? ""),
                            fence: row.integer(0), expires: row.integer(6)), isHeld: row.integer(1) != 0,
                        renewed: row.optionalInteger(7)
                    )
                }
                if let known, known.isHeld, known.lease.expires > now, !known.lease.holder.isGone {
                    throw HeadraceError.held(known.lease)
                }
                if let known, known.isHeld {
                    // Whoever held it was killed: it ended when it was last heard of.
                    try connection.run(
                        "UPDATE runs SET state = ?, ended = ?, error = ? WHERE identifier = ? AND state = ?",
                        [
                            .text(RunState.failed.rawValue), .integer(known.renewed ?? now), .text(Self.interruption),
                            .text(known.lease.holder.run), .text(RunState.running.rawValue),
                        ])
                }
                // Milliseconds of the clock keep fences growing though a state folder is lost or another one is used,
                // whose sinks remember the fences of before.
                let fence = max((known?.lease.fence ?? 0) + 1, now / 1000)
                let lease = Lease(job: job, holder: holder, fence: fence, expires: now + duration)
                try connection.run(
                    """
                    INSERT OR REPLACE INTO leases (job, fence, is_held, run, host, process, process_start, expires, renewed)
                    VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)
                    """,
                    [
                        .text(job), .integer(fence), .text(holder.run), .text(holder.host),
                        .integer(Int64(holder.process)), .text(holder.processStart), .integer(lease.expires),
                        .integer(now),
                    ])
                return lease
            }
        }
    }

    public func renew(_ lease: Lease, now: Int64, duration: Int64) async throws -> Lease {
        var renewed = lease
        renewed.expires = now + duration
        let expires = renewed.expires
        let changed = try await database.use { connection in
            try connection.run(
                "UPDATE leases SET expires = ?, renewed = ? WHERE job = ? AND fence = ? AND is_held = 1",
                [.integer(expires), .integer(now), .text(lease.job), .integer(lease.fence)])
        }
        guard changed == 1 else {
            throw HeadraceError(
                .leaseLost, "another run has taken over job \(lease.job)", fields: [("run", lease.holder.run)],
                hint: "the lease had run out; the other run goes on")
        }
        return renewed
    }

    public func release(_ lease: Lease) async throws {
        try await database.use { connection in
            // The row stays, so that the next fence is higher.
            _ = try connection.run(
                "UPDATE leases SET is_held = 0 WHERE job = ? AND fence = ?", [.text(lease.job), .integer(lease.fence)])
        }
    }
}
