extension Kernels {
    /// A 64-bit hash of each row over `columns`, the same in every run and on every machine.
    ///
    /// Equal values have equal hashes whether the column has a dictionary or not, in integer columns of any width, and in
    /// decimal columns of equal scale and any precision. Null has a hash of its own, so that rows with nulls in
    /// the same places can be grouped. The order of the columns counts. `seed` gives independent hashes, for partitions
    /// within partitions.
    public static func hash(_ columns: [ColumnVector], seed: UInt64 = 0) -> [UInt64] {
        let count = columns.first?.count ?? 0
        return [UInt64](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let base = buffer.baseAddress { hash(columns, seed: seed, into: base) }
            initialized = count
        }
    }

    /// Writes the hash of each row over `columns` to `hashes`, which has room for one a row.
    public static func hash(_ columns: [ColumnVector], seed: UInt64 = 0, into hashes: UnsafeMutablePointer<UInt64>) {
        for (index, column) in columns.enumerated() {
            precondition(column.count == columns[0].count, "columns of different lengths have no row hash")
            RowHash(hashes: hashes, seed: seed, combining: index > 0).add(column)
        }
    }
}

/// Writes one column's hashes, alone or on top of those of the columns before.
private struct RowHash {
    let hashes: UnsafeMutablePointer<UInt64>
    let seed: UInt64
    let combining: Bool

    func add(_ column: ColumnVector) {
        let view = column.unsafeView
        if let dictionary = column.dictionary {
            addEncoded(column, view, dictionary)
            return
        }
        switch column.type.physical {
        case .bits: emit(view) { ByteHash.hash(view.bool($0) ? 1 : 0, seed: seed) }
        case .int8: emitInteger(view, Int8.self)
        case .int16: emitInteger(view, Int16.self)
        case .int32: emitInteger(view, Int32.self)
        case .int64: emitInteger(view, Int64.self)
        case .uint8: emitInteger(view, UInt8.self)
        case .uint16: emitInteger(view, UInt16.self)
        case .uint32: emitInteger(view, UInt32.self)
        case .uint64: emitInteger(view, UInt64.self)
        case .int128:
            let values = view.values(as: Int128.self)
            emit(view) { row in
                let value = values[row]
                let low = ByteHash.hash(UInt64(truncatingIfNeeded: value), seed: seed)
                if Int128(Int64(truncatingIfNeeded: value)) == value { return low }
                return ByteHash.combine(low, UInt64(truncatingIfNeeded: value &>> 64))
            }
        case .float32:
            let values = view.values(as: Float.self)
            emit(view) { ByteHash.hash(ByteHash.canonicalBits(Double(values[$0])), seed: seed) }
        case .float64:
            let values = view.values(as: Double.self)
            emit(view) { ByteHash.hash(ByteHash.canonicalBits(values[$0]), seed: seed) }
        case .bytes: emit(view) { textHash(view, $0) }
        case .list:
            let first = Int(view.textOffset(0))
            let elements = column.children[0].slice(from: first, count: Int(view.textOffset(column.count)) - first)
            let inner = Kernels.hash([elements], seed: seed)
            emit(view) { row in
                let range = Int(view.textOffset(row)) - first..<Int(view.textOffset(row + 1)) - first
                return range.reduce(ByteHash.hash(UInt64(range.count), seed: seed)) {
                    ByteHash.combine($0, inner[$1])
                }
            }
        case .structure:
            let members = column.children.map { $0.slice(from: column.offset, count: column.count) }
            let inner =
                members.isEmpty ? [UInt64](repeating: seed, count: column.count) : Kernels.hash(members, seed: seed)
            emit(view) { ByteHash.combine(seed, inner[$0]) }
        }
    }

    /// Hashes each entry of the dictionary once, unless it has more entries than there are rows.
    private func addEncoded(_ column: ColumnVector, _ view: UnsafeColumnView, _ dictionary: ColumnVector) {
        let entries = dictionary.unsafeView
        if let origin = dictionary.origin, seed == 0 {
            let known = origin.entryHashes
            emit(view) { known[view.key($0)] }
            return
        }
        if dictionary.count > column.count && dictionary.type.layout == .bytes {
            emit(view) { textHash(entries, view.key($0)) }
            return
        }
        let known = Kernels.hash([dictionary], seed: seed)
        known.withUnsafeBufferPointer { known in
            emit(view) { known[view.key($0)] }
        }
    }

    @inline(__always) private func textHash(_ view: UnsafeColumnView, _ row: Int) -> UInt64 {
        let start = Int(view.textOffset(row))
        return ByteHash.hash(view.textBase + start, count: Int(view.textOffset(row &+ 1)) &- start, seed: seed)
    }

    @inline(__always)
    private func emitInteger<T: FixedWidthInteger & BitwiseCopyable>(_ view: UnsafeColumnView, _: T.Type) {
        let values = view.values(as: T.self)
        emit(view) { ByteHash.hash(UInt64(truncatingIfNeeded: values[$0]), seed: seed) }
    }

    @inline(__always)
    private func emit(_ view: UnsafeColumnView, _ hash: (_ row: Int) -> UInt64) {
        if !view.hasNulls && !combining {
            for row in 0..<view.count { hashes[row] = hash(row) }
            return
        }
        for row in 0..<view.count {
            let own = view.isValid(row) ? hash(row) : ByteHash.fold(ByteHash.null ^ seed, ByteHash.secret1)
            hashes[row] = combining ? ByteHash.combine(hashes[row], own) : own
        }
    }
}
