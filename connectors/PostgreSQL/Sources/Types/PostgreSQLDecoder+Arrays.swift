import HeadraceColumnar
import HeadraceCore

extension PostgreSQLDecoder {
    /// Lists of one dimension that count from 1; other arrays have no place in a list and are misfits.
    func arrays(
        _ cells: PostgreSQLCells, _ element: PostgreSQLType, _ misfits: inout [PostgreSQLMisfit]
    ) throws -> ColumnVector {
        var places: [Int32] = []
        var ends: [Int32] = [0]
        ends.reserveCapacity(cells.count + 1)
        var validity = PostgreSQLValidity(count: cells.count)
        for row in 0..<cells.count {
            defer { ends.append(Int32(truncatingIfNeeded: places.count)) }
            let length = cells.length(row)
            guard length >= 0 else {
                validity.setNull(row)
                continue
            }
            guard let array = try header(cells, row, length) else { continue }
            guard array.dimensions == 1, array.lowerBound == 1 else {
                validity.setNull(row)
                misfits.append(
                    PostgreSQLMisfit(
                        row: row, code: "notAList",
                        message: array.dimensions > 1
                            ? "an array of \(array.dimensions) dimensions has no place in a list; read it as text: column::text"
                            : "an array that counts from \(array.lowerBound) has no place in a list; read it as text: column::text"
                    ))
                continue
            }
            var place = Int(cells.places[row]) + 4 + 20
            let end = Int(cells.places[row]) + 4 + length
            for _ in 0..<array.count {
                guard place + 4 <= end else { throw malformed }
                places.append(Int32(truncatingIfNeeded: place))
                let size = Int(Int32(bigEndian: (cells.base + place).loadUnaligned(as: Int32.self)))
                guard size >= -1 else { throw malformed }
                place += 4 + max(size, 0)
            }
            guard place == end else { throw malformed }
        }
        let child = try places.withUnsafeBufferPointer { buffer in
            var inner: [PostgreSQLMisfit] = []
            let empty: Int32 = 0
            let column = try withUnsafePointer(to: empty) { none in
                try PostgreSQLDecoder(element, checksText: checksText).decode(
                    PostgreSQLCells(base: cells.base, places: buffer.baseAddress ?? none, count: buffer.count),
                    misfits: &inner)
            }
            for misfit in inner {
                // The row whose elements end behind the one that does not fit.
                let row = ends.partitioningIndex { $0 > Int32(truncatingIfNeeded: misfit.row) } - 1
                misfits.append(
                    PostgreSQLMisfit(
                        row: row, code: misfit.code, message: "an element: \(misfit.message)", value: misfit.value))
            }
            return column
        }
        let (bits, nulls) = validity.finish()
        return ColumnVector(
            type: dataType, count: cells.count, nullCount: nulls, validity: bits,
            offsets: ends.withUnsafeBytes { Buffer(copying: $0) }, children: [child])
    }

    /// The shape of the array in row `row`, nil for one without elements.
    private func header(
        _ cells: PostgreSQLCells, _ row: Int, _ length: Int
    ) throws -> (dimensions: Int, count: Int, lowerBound: Int)? {
        func word(_ index: Int) -> Int {
            Int(Int32(bigEndian: (cells.start(row) + 4 * index).loadUnaligned(as: Int32.self)))
        }
        guard length >= 12 else { throw malformed }
        let dimensions = word(0)
        guard dimensions > 0 else { return nil }
        guard dimensions <= 6, length >= 12 + 8 * dimensions, word(3) >= 0 else { throw malformed }
        return (dimensions, word(3), word(4))
    }
}

extension [Int32] {
    /// The first index whose value `isAfter`; the values must be in order.
    func partitioningIndex(_ isAfter: (Int32) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
