import Glibc
import Headrace
import HeadraceTesting

extension Bench {
    /// What a step that does nothing costs a batch in processor time, ledger, progress and accounting on: the difference between jobs with many
    /// such steps and jobs without, over many small batches.
    func overhead() async throws -> [(String, String)] {
        let batches = 50_000
        let steps = 20
        let values = PrimitiveBuilder<Int64>(.int64, capacity: batches)
        for value in 0..<batches { values.append(Int64(value)) }
        let records = RecordBatch(
            schema: Schema([Field("value", .int64, nullable: false)]), columns: [values.finish()], count: batches)
        let source = MemorySource("rows", records, chunkSize: 1)
        var best = [Double.infinity, Double.infinity]
        for _ in 0..<5 {
            for (index, count) in [0, steps].enumerated() {
                var pipeline = Pipeline("rows", from: source)
                for step in 0..<count { pipeline = try pipeline.through(PassThrough(name: "pass \(step)")) }
                let sink = DigestSink(keepsRows: false)
                let began = Self.processorTime
                _ = try await run(pipeline.loading(into: sink, mode: .append))
                let spent = Self.processorTime - began
                guard sink.digest.rows == batches else { throw UsageError() }
                best[index] = min(best[index], spent)
            }
        }
        let cost = (best[1] - best[0]) / Double(steps * batches)
        let whole = best[0] / Double(batches)
        return [
            ("batches", "\(batches)"), ("pass-through step", "\(Int(cost.rounded())) ns a batch"),
            ("source to sink without it", "\(Int(whole.rounded())) ns a batch"),
        ]
    }

    /// Nanoseconds of all threads of the process, in user and system mode.
    private static var processorTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}
