public import HeadraceCore

/// Keeps one row of each group with equal keys, the same one whatever the number of threads.
///
/// Null keys equal each other. Rows that are not kept count as merged. Ties fall to the row that comes first in its
/// source (source order, then ordinal).
public struct Deduplication: Transform {
    /// Which row of a group stays.
    public struct Keeping: Sendable, Hashable {
        let order: [SortKey]
        let keepsLast: Bool

        /// The first in source order.
        public static let first = Keeping(order: [], keepsLast: false)
        /// The last in source order.
        public static let last = Keeping(order: [], keepsLast: true)
        /// The one with the highest value of a column; nulls lose.
        public static func latest(_ column: String) -> Keeping {
            Keeping(order: [.descending(column)], keepsLast: false)
        }
        /// The one with the lowest value of a column; nulls lose.
        public static func earliest(_ column: String) -> Keeping {
            Keeping(order: [.ascending(column)], keepsLast: false)
        }
        /// The first in an order of several columns.
        public static func first(by order: SortKey...) -> Keeping { Keeping(order: order, keepsLast: false) }
    }

    public let name: String
    /// The columns whose values, taken together, make rows duplicates of each other; at least one.
    public let keys: [String]
    /// Which row of a group stays.
    public let keeping: Keeping
    /// The table whose rows count as seen, with its key columns in the order of `keys`.
    public let seen: (lookup: any TableLookup, table: String, columns: [String])?

    /// - Parameters:
    ///   - seen: a table whose keys are duplicates too; rows that it has are filtered out.
    public init(
        on keys: [String], keeping: Keeping = .first,
        seen: (lookup: any TableLookup, table: String, columns: [String])? = nil,
        name: String = "deduplicate"
    ) {
        self.name = name
        self.keys = keys
        self.keeping = keeping
        self.seen = seen
    }

    public func apply(to input: Relation) throws -> Relation {
        guard !keys.isEmpty else {
            throw HeadraceError(
                .schemaMismatch, "a deduplication needs at least one key column", trail: ["step \(name)"])
        }
        let distinct = Relation.distinct(
            DistinctSpecification(step: name, keys: keys, order: keeping.order, keepsLast: keeping.keepsLast), input)
        guard let seen else { return distinct }
        guard seen.columns.count == keys.count else {
            throw HeadraceError(
                .schemaMismatch,
                "table \(seen.table) is matched by \(seen.columns.count) columns, the rows by \(keys.count)",
                trail: ["step \(name)"])
        }
        return .lookup(
            LookupSpecification(
                step: "\(name) against \(seen.table)", lookup: seen.lookup, table: seen.table, keys: keys,
                tableKeys: seen.columns, returning: [], missing: .keptAlone), distinct)
    }
}

extension Transform where Self == Deduplication {
    /// Keeps one row of each group with equal `keys`.
    public static func deduplicate(on keys: String..., keeping: Deduplication.Keeping = .first) -> Deduplication {
        Deduplication(on: keys, keeping: keeping)
    }
}
