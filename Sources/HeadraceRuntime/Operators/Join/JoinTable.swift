import HeadraceColumnar
import HeadraceCore

/// Rows of the right side by key: each key's rows in the order of their sources.
///
/// - Invariant (`@unchecked Sendable`): written in `init` only.
final class JoinTable: @unchecked Sendable {
    let rows: RecordBatch
    private let keys: [ColumnVector]
    private let groups: KeyGroups
    /// The rows ordered by group, and where each group starts; one more start than groups.
    private let ordered: Buffer
    private let starts: Buffer
    /// Rows whose key an earlier row has and the rows that have it, when keys must be unique.
    let refused: [Int32]
    let holders: [Int32]
    /// The bytes of the rows and of the table.
    let byteCount: Int

    /// - Parameters:
    ///   - block: rows with complete keys, in the order of their sources.
    ///   - hash: the column of hashes.
    init(_ block: RecordBatch, keys joinKeys: JoinKeys, hash: Int, isUnique: Bool) {
        rows = block
        let keys = joinKeys.values(block.columns)
        self.keys = keys
        let groups = KeyGroups(hashes: block.words(hash), rows: block.count, equality: RowEquality(keys, keys))
        self.groups = groups
        let ids = groups.ids
        let startMemory = MutableBuffer(capacity: (groups.count &+ 1) &* 4)
        let starts = startMemory.base.assumingMemoryBound(to: Int32.self)
        starts.update(repeating: 0, count: groups.count &+ 1)
        for row in 0..<block.count { starts[Int(ids[row]) &+ 1] &+= 1 }
        for group in 0..<groups.count { starts[group &+ 1] &+= starts[group] }
        let orderedMemory = MutableBuffer(capacity: block.count &* 4)
        let ordered = orderedMemory.base.assumingMemoryBound(to: Int32.self)
        let next = GroupValues<Int32>(groups.count, repeating: 0)
        var refused: [Int32] = []
        var holders: [Int32] = []
        let firsts = groups.firstRows
        for row in 0..<block.count {
            let group = Int(ids[row])
            let place = next.values[group]
            if isUnique && place > 0 {
                refused.append(Int32(truncatingIfNeeded: row))
                holders.append(firsts[group])
            }
            ordered[Int(starts[group] &+ place)] = Int32(truncatingIfNeeded: row)
            next.values[group] = place &+ 1
        }
        _ = consume next
        self.refused = refused
        self.holders = holders
        self.starts = startMemory.finish(byteCount: (groups.count &+ 1) &* 4)
        self.ordered = orderedMemory.finish(byteCount: block.count &* 4)
        byteCount = PartitionStore.size(block) + 40 * block.count
    }

    /// Finds the rows for the rows of `left` from row `start`, until some thousand pairs are found or the rows end.
    ///
    /// - Parameters:
    ///   - left: the keys of the left rows; a row with a null has no match.
    ///   - isUnique: only the first row of a key counts.
    func probe(
        _ left: [ColumnVector], hashes: ColumnVector, from start: Int, kind: JoinKind, isUnique: Bool
    ) -> JoinMatches {
        let hashValues = hashes.unsafeView.values(as: UInt64.self)
        var matches = JoinMatches(capacity: min(hashes.count - start, JoinMatches.most))
        let equality = RowEquality(left, keys, nullsEqual: false)
        let starts = starts.base.assumingMemoryBound(to: Int32.self)
        let ordered = ordered.base.assumingMemoryBound(to: Int32.self)
        var row = start
        while row < hashes.count && matches.count < JoinMatches.most {
            if let group = groups.find(hashValues[row], { equality(row, $0) }) {
                switch kind {
                case .semi: matches.append(row, -1)
                case .anti: matches.filtered += 1
                case .inner, .left:
                    let first = Int(starts[group])
                    let end = isUnique ? first &+ 1 : Int(starts[group &+ 1])
                    for place in first..<end { matches.append(row, ordered[place]) }
                    matches.added += end &- first &- 1
                }
            } else if kind.keepsUnmatched {
                matches.append(row, -1)
            } else {
                matches.filtered += 1
            }
            row += 1
        }
        matches.end = row
        withExtendedLifetime((self, left, hashes)) {}
        return matches
    }
}

/// Pairs of left and right rows.
struct JoinMatches {
    /// About as many pairs as are worth one batch.
    static let most = 1 << 14

    /// Left rows in order, one a row that comes out.
    private(set) var left: [Int32] = []
    /// The right row of each, -1 for none.
    private(set) var right: [Int32] = []
    var added = 0
    var filtered = 0
    /// The left row after the last one looked at.
    var end = 0

    init(capacity: Int) {
        left.reserveCapacity(capacity)
        right.reserveCapacity(capacity)
    }

    var count: Int { left.count }

    @inline(__always) mutating func append(_ leftRow: Int, _ rightRow: Int32) {
        left.append(Int32(truncatingIfNeeded: leftRow))
        right.append(rightRow)
    }

    /// Whether the left rows are all of `count` rows once and in order.
    func isIdentity(_ count: Int) -> Bool { end == count && left.count == count && added == 0 && filtered == 0 }

    /// The pairs in parts of about as many as are worth one batch.
    func forEachPart(
        _ body: (_ left: UnsafeBufferPointer<Int32>, _ right: UnsafeBufferPointer<Int32>) throws -> Void
    ) throws {
        for start in stride(from: 0, to: left.count, by: Self.most) {
            let range = start..<min(start + Self.most, left.count)
            try left.withUnsafeBufferPointer { left in
                try right.withUnsafeBufferPointer { right in
                    try body(
                        UnsafeBufferPointer(rebasing: left[range]), UnsafeBufferPointer(rebasing: right[range]))
                }
            }
        }
    }
}
