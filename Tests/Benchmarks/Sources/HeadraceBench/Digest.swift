import Headrace
import Synchronization

/// Sums over all columns of the rows that pass, from which a wrong result shows.
struct Digest: Sendable {
    var rows = 0
    /// In hundredths.
    var price: Int128 = 0
    var quantity: Int64 = 0
    var date = Int64.min
    /// The bytes of each text column.
    var bytes: [String: Int] = [:]

    init() {}

    init(_ records: RecordBatch) {
        rows = records.count
        for (field, column) in zip(records.schema.fields, records.columns) { add(column, field) }
    }

    private mutating func add(_ column: ColumnVector, _ field: Field) {
        let view = column.unsafeView
        switch field.type {
        case .utf8:
            let whole = Kernels.decoded(column)
            let text = whole.unsafeView
            bytes[field.name, default: 0] += Int(text.textOffset(whole.count) - text.textOffset(0))
            withExtendedLifetime(whole) {}
        case .decimal:
            let values = view.values(as: Int64.self)
            var sum: Int64 = 0
            for row in 0..<column.count where view.isValid(row) { sum &+= values[row] }
            price += Int128(sum)
        case .timestamp:
            let values = view.values(as: Int64.self)
            for row in 0..<column.count where view.isValid(row) { date = max(date, values[row]) }
        case .int32:
            let values = view.values(as: Int32.self)
            for row in 0..<column.count where view.isValid(row) { quantity &+= Int64(values[row]) }
        default: break
        }
        withExtendedLifetime(column) {}
    }

    static func + (left: Digest, right: Digest) -> Digest {
        var sum = left
        sum.rows += right.rows
        sum.price += right.price
        sum.quantity += right.quantity
        sum.date = max(left.date, right.date)
        sum.bytes.merge(right.bytes) { $0 + $1 }
        return sum
    }

    var lines: [(String, String)] {
        [
            ("rows", "\(rows)"), ("price sum", "\(DecimalValue(coefficient: price, scale: 2))"),
            ("qty sum", "\(quantity)"), ("product_name bytes", "\(bytes["product_name"] ?? 0)"),
            ("text bytes", "\(bytes.values.reduce(0, +))"),
            ("max scraped_date", "\(Temporal.formatTimestamp(date))Z"),
        ]
    }
}

/// A sink that looks at every value and, when told so, keeps the rows.
final class DigestSink: AppendingSink, Sendable {
    let name = "digest"
    private let keepsRows: Bool
    private let state = Mutex((digest: Digest(), kept: [RecordBatch]()))

    init(keepsRows: Bool) { self.keepsRows = keepsRows }

    var digest: Digest { state.withLock { $0.digest } }
    var keptRows: Int { state.withLock { $0.kept.reduce(0) { $0 + $1.count } } }

    func openWriter(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> Writer { Writer(self) }
    func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String] { ["digest rows"] }

    /// - Invariant (`@unchecked Sendable`): `waiting` is touched by one caller at a time, as `SinkWriter` promises.
    final class Writer: SynchronousSinkWriter, @unchecked Sendable {
        private let sink: DigestSink
        private var waiting = 0

        init(_ sink: DigestSink) { self.sink = sink }

        struct Encoded: Sendable {
            let digest: Digest
            let kept: RecordBatch?
        }

        func encode(_ batch: Batch) throws -> Encoded {
            Encoded(digest: Digest(batch.records), kept: sink.keepsRows ? batch.records : nil)
        }

        func writeNow(_ encoded: Encoded) throws -> [Reject] {
            waiting += encoded.digest.rows
            sink.state.withLock { state in
                state.digest = state.digest + encoded.digest
                if let kept = encoded.kept { state.kept.append(kept) }
            }
            return []
        }

        func settle() async throws -> WriteCounts { WriteCounts(inserted: waiting) }
        func commit(_ checkpoint: Checkpoint) async throws { waiting = 0 }
        func abort() async { waiting = 0 }
    }
}
