public import HeadraceColumnar

/// One column of a batch as closures over rows read it; bound by the engine once a batch.
///
/// - Invariant (`@unchecked Sendable`): the memory is read only, and whoever hands this out keeps `owner` alive.
@frozen public struct BoundColumn: @unchecked Sendable {
    @usableFromInline let view: UnsafeColumnView
    /// The values that `view` has indices into; for text with a dictionary.
    @usableFromInline let dictionary: UnsafeColumnView?
    /// What holds the bytes of text.
    @usableFromInline unowned(unsafe) let owner: ColumnVector
    /// The digits after the point of decimals.
    @usableFromInline let scale: Int
    /// Whether decimals have 128 bits.
    @usableFromInline let isWide: Bool
    /// The declaration that the column belongs to.
    @usableFromInline let token: UInt32

    init(_ vector: ColumnVector, token: UInt32) {
        view = vector.unsafeView
        dictionary = vector.dictionary.map(\.unsafeView)
        owner = vector.dictionary ?? vector
        if case .decimal(let precision, let scale) = vector.type {
            self.scale = scale
            isWide = precision > 18
        } else {
            scale = 0
            isWide = false
        }
        self.token = token
    }
}

/// The columns of the batch that a stage is working on, in the order in which its closure declared them.
///
/// Used by one thread.
final class RowBinding {
    let columns: UnsafeMutablePointer<BoundColumn>
    let count: Int
    private let inputs: [RowInputs.Input]
    private let token: UInt32
    /// Keeps the memory of the bound columns alive.
    private var vectors: [ColumnVector] = []

    init(_ inputs: RowInputs) {
        self.inputs = inputs.declared
        token = inputs.token
        count = self.inputs.count
        columns = .allocate(capacity: max(count, 1))
    }

    deinit { columns.deallocate() }

    /// Binds the columns of `batch`, which hold until the next call.
    func bind(_ batch: RecordBatch) throws {
        var bound: [ColumnVector] = []
        for input in inputs {
            var vector = batch.columns[input.index]
            if vector.type.layout != .bytes { vector = Kernels.decoded(vector) }
            // Only casts that keep every value are declared, so none can fail.
            if vector.type != input.type { vector = try Kernels.cast(vector, to: input.type).column }
            bound.append(vector)
        }
        for (slot, vector) in bound.enumerated() {
            (columns + slot).initialize(to: BoundColumn(vector, token: token))
        }
        vectors = bound
    }
}
