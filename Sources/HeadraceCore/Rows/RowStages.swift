import HeadraceColumnar

/// Calls a filter's closure a row; a row that it throws for is refused.
package final class RowFilterStage: Stage {
    private let name: String
    private let binding: RowBinding
    private let keep: (borrowing Row) throws -> Bool

    init(_ name: String, _ binding: RowBinding, _ keep: @escaping (borrowing Row) throws -> Bool) {
        self.name = name
        self.binding = binding
        self.keep = keep
    }

    package func process(_ batch: Batch) throws -> StageResult {
        try binding.bind(batch.records)
        let keep = keep
        var rejects: [Reject] = []
        var kept: [Int32] = []
        kept.reserveCapacity(batch.count)
        var row = Row(binding)
        for index in 0..<batch.count {
            do {
                if try keep(row) { kept.append(Int32(truncatingIfNeeded: index)) }
            } catch {
                rejects.append(try batch.refusal(of: index, by: name, error))
            }
            row.advance()
        }
        withExtendedLifetime(binding) {}
        if kept.count == batch.count { return StageResult(batch) }
        var output = kept.withUnsafeBufferPointer { batch.taking($0) }
        output.rejects += rejects
        return StageResult(output, filtered: batch.count - kept.count - rejects.count)
    }
}

/// Calls a map's closure a row; a row that it throws for, or whose values do not fit, is refused.
package final class RowMapStage: Stage {
    private let name: String
    private let assembly: RowAssembly
    private let change: (borrowing Row, inout RowWriter) throws -> Void

    init(_ name: String, _ assembly: RowAssembly, _ change: @escaping (borrowing Row, inout RowWriter) throws -> Void) {
        self.name = name
        self.assembly = assembly
        self.change = change
    }

    package func process(_ batch: Batch) throws -> StageResult {
        try assembly.binding.bind(batch.records)
        let change = change
        let written = WrittenRows(assembly.mapping, rows: batch.count + 1)
        var writer = RowWriter(written)
        var row = Row(assembly.binding)
        var rejects: [Reject] = []
        /// The rows that were made something of, once one has not been.
        var parents: [Int32]?
        for index in 0..<batch.count {
            do {
                try change(row, &writer)
                try writer.close()
                parents?.append(Int32(truncatingIfNeeded: index))
                writer.advance()
            } catch {
                rejects.append(try batch.refusal(of: index, by: name, error))
                if parents == nil { parents = (0..<Int32(index)).map { $0 } }
                writer.rewind(to: writer.row)
            }
            row.advance()
        }
        withExtendedLifetime(assembly) {}
        var output = assembly.batch(of: batch, parents, written, rows: writer.row)
        output.rejects += rejects
        return StageResult(output)
    }
}

/// Calls a flat map's closure a row; a row that it throws for, or one of whose rows does not fit, is refused whole.
package final class RowFlatMapStage: Stage {
    private let name: String
    private let assembly: RowAssembly
    private let expand: (borrowing Row, inout RowEmitter) throws -> Void

    init(_ name: String, _ assembly: RowAssembly, _ expand: @escaping (borrowing Row, inout RowEmitter) throws -> Void)
    {
        self.name = name
        self.assembly = assembly
        self.expand = expand
    }

    package func process(_ batch: Batch) throws -> StageResult {
        try assembly.binding.bind(batch.records)
        let expand = expand
        let written = WrittenRows(assembly.mapping, rows: batch.count + 1)
        var emitter = RowEmitter(written, capacity: batch.count)
        var row = Row(assembly.binding)
        var rejects: [Reject] = []
        var added = 0
        var filtered = 0
        for index in 0..<batch.count {
            let start = emitter.parents.count
            emitter.parent = Int32(truncatingIfNeeded: index)
            do {
                try expand(row, &emitter)
                try emitter.close()
                let made = emitter.parents.count - start
                if made == 0 { filtered += 1 } else { added += made - 1 }
            } catch {
                rejects.append(try batch.refusal(of: index, by: name, error))
                emitter.rewind(to: start)
            }
            if emitter.isTooMuch {
                throw HeadraceError(
                    .outOfBudget, "step \(name) makes more than 1 GiB of rows of one batch",
                    hint: "make fewer rows of a row, or read the source in smaller batches")
            }
            row.advance()
        }
        withExtendedLifetime(assembly) {}
        let parents = emitter.parents
        var output = assembly.batch(of: batch, parents, written, rows: parents.count)
        output.rejects += rejects
        return StageResult(output, added: added, filtered: filtered)
    }
}

/// Puts the columns that a closure kept and wrote together.
///
/// Used by one thread.
final class RowAssembly {
    let mapping: RowMapping
    let binding: RowBinding
    private let schema: Schema

    init(_ mapping: RowMapping) throws {
        self.mapping = mapping
        binding = RowBinding(mapping)
        schema = try mapping.outputSchema()
    }

    /// The rows made of `batch`, each of its row in `parents`; nil when they are all of its rows in order.
    func batch(of batch: Batch, _ parents: [Int32]?, _ written: WrittenRows, rows: Int) -> Batch {
        let made = written.finish(rows: rows)
        func columns(_ keep: (ColumnVector) -> ColumnVector) -> RecordBatch {
            RecordBatch(
                schema: schema,
                columns: mapping.outputs.map { _, output in
                    switch output {
                    case .kept(let index): keep(batch.records.columns[index])
                    case .written(let slot): made[slot]
                    }
                },
                count: rows)
        }
        var result = batch
        guard let parents else {
            result.records = columns { $0 }
            return result
        }
        parents.withUnsafeBufferPointer { indices in
            result.records = columns { Kernels.take($0, indices: indices) }
            result.provenance = batch.provenance.selecting(indices)
        }
        return result
    }
}

extension Batch {
    /// The reject that an error thrown by a closure makes of a row.
    /// - Throws: the error itself when the run was asked to stop, which is no row's fault.
    fileprivate func refusal(of row: Int, by step: String, _ error: any Error) throws -> Reject {
        switch error {
        case let error as RowError:
            return reject(row: row, rule: step, code: error.code, field: error.field, message: error.message)
        case let error as HeadraceError:
            if error.code == .cancelled { throw error }
            return reject(row: row, rule: step, code: error.code.rawValue, message: error.message)
        case is CancellationError: throw error
        default: return reject(row: row, rule: step, code: "failed", message: "\(error)")
        }
    }
}
