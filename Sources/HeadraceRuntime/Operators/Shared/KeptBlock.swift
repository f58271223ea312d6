import HeadraceColumnar

/// Rows of a partition between coming in and going out, packed where their columns can be.
struct KeptBlock: Sendable {
    private enum Storage {
        case plain(RecordBatch)
        case packed(PackedRows)
    }

    private let storage: Storage
    /// The number of rows.
    let count: Int
    /// Bytes held, which are reserved for the block.
    let byteCount: Int
    /// Bytes of the rows as a batch.
    let rowBytes: Int

    /// Rows that are kept as they are.
    init(_ rows: RecordBatch) { self.init(rows, packed: nil) }

    private init(_ rows: RecordBatch, packed: PackedRows?) {
        storage = packed.map(Storage.packed) ?? .plain(rows)
        count = rows.count
        rowBytes = PartitionStore.size(rows)
        byteCount = packed?.byteCount ?? rowBytes
    }

    /// Packs rows in pieces whose numbers are near one another.
    static func packing(_ rows: RecordBatch, in arena: PackedArena) -> [KeptBlock] {
        stride(from: 0, to: rows.count, by: pieceRows).map { start in
            let count = min(pieceRows, rows.count - start)
            let piece = count == rows.count ? rows : rows.slice(from: start, count: count)
            return KeptBlock(piece, packed: PackedRows(piece, in: arena))
        }
    }

    private static let pieceRows = 4096

    /// The rows as a batch; unpacked each time.
    var rows: RecordBatch {
        switch storage {
        case .plain(let rows): rows
        case .packed(let packed): PackedRows.unpack([packed])
        }
    }

    /// The rows of `blocks`, of which there must be at least one, one after the other.
    static func joined(_ blocks: some Collection<KeptBlock>) -> RecordBatch {
        var batches: [RecordBatch] = []
        var packed: [PackedRows] = []
        for block in blocks {
            switch block.storage {
            case .packed(let rows): packed.append(rows)
            case .plain(let rows):
                if !packed.isEmpty { batches.append(PackedRows.unpack(packed)) }
                packed = []
                batches.append(rows)
            }
        }
        if !packed.isEmpty { batches.append(PackedRows.unpack(packed)) }
        return Kernels.concat(batches)
    }
}
