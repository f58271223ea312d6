public import HeadraceColumnar
public import HeadraceCore

extension Source {
    /// Reads to the end, or the first `limit` chunks, and closes the reader on every path.
    ///
    /// Positions go through their text, as those that a later run is given.
    /// - Parameter schema: the fields to read; the source's own when nil.
    /// - Returns: the batches, and the position after each.
    public func readAll(
        _ schema: Schema? = nil, from position: Position? = nil, chunks limit: Int = .max,
        in context: RunContext = .testing()
    ) async throws -> (batches: [Batch], positions: [Position]) {
        let wanted: Schema
        if let schema { wanted = schema } else { wanted = try await self.schema(in: context) }
        let reader = try await openReader(for: wanted, from: position, in: context)
        var batches: [Batch] = []
        var positions: [Position] = []
        do {
            while batches.count < limit, case .chunk(let chunk, let position) = try await reader.next() {
                let batch = try reader.decode(chunk, sequence: UInt64(batches.count))
                guard batch.recordsRead == batch.count + batch.rejects.count else {
                    throw HeadraceError(
                        .accountMismatch,
                        "\(batch.recordsRead) records were cut, \(batch.count) rows and \(batch.rejects.count) rejects came of them"
                    )
                }
                batches.append(batch)
                positions.append(Position(try JSONValue.parse(position.value.compactText)))
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
        return (batches, positions)
    }
}
