public import HeadraceColumnar

/// What a pipeline computes, as a graph of operators that the engine plans, runs and can read for lineage.
///
/// Building one reads nothing; schemas are resolved and checked when the plan is made. Each operator carries the step
/// name under which the ledger keeps its account.
public indirect enum Relation: Sendable {
    /// The rows of a source.
    case scan(step: String, any Source)
    /// The work of a row-wise transform.
    case stage(any RowTransform, Relation)
    /// Columns computed from columns, in this order; everything not named goes.
    case project(step: String, [Projection], Relation)
    /// All columns, with these added or put in the place of those of the same name.
    case derive(step: String, [Projection], Relation)
    /// All columns but these, which must be there.
    case drop(step: String, [String], Relation)
    /// All columns, some under other names.
    case rename(step: String, [(from: String, to: String)], Relation)
    /// The rows for which the condition is true; others count as filtered.
    case filter(step: String, Formula, Relation)
    /// One row of each group of equal keys.
    case distinct(DistinctSpecification, Relation)
    /// One row a group with the groups' keys and aggregates.
    case aggregate(AggregateSpecification, Relation)
    /// The rows of the first relation (left) together with those of the second (right) that have equal keys.
    case join(JoinSpecification, Relation, Relation)
    /// Adds columns computed over partitions of ordered rows.
    case window(WindowSpecification, Relation)
    /// All rows in the order of the keys, ties in source order; with a limit the first of them, while the others count
    /// as filtered.
    case sort(step: String, [SortKey], limit: Int?, Relation)
    /// The rows of all inputs, in the order of the inputs; schemas must agree by name and type.
    case union(step: String, [Relation])
    /// Adds the columns of a table's rows found by key.
    case lookup(LookupSpecification, Relation)
    /// A relation that several sinks or operators read: computed once, its rows handed to each.
    case shared(SharedRelation)
}

/// A relation with an identity, so that what reads it twice computes it once.
public final class SharedRelation: Sendable {
    /// What is computed once for all who hold this object.
    public let relation: Relation
    /// A new identity for `relation`; two of them compute it twice.
    public init(_ relation: Relation) { self.relation = relation }
}

/// One column of a projection: a name for a formula.
public struct Projection: Sendable {
    /// The column's name in the result; a projection may give a name once only.
    public var name: String
    /// Computed from the columns below the projection, never from those beside this one.
    public var formula: Formula
    /// A column of a projection; one that is copied from below keeps its field's metadata.
    public init(_ name: String, _ formula: Formula) {
        self.name = name
        self.formula = formula
    }
}

/// A column to order by.
public struct SortKey: Sendable, Hashable {
    /// A column of the relation that is ordered.
    public var column: String
    /// False puts the greatest first; nulls stay where `nullsFirst` says.
    public var isAscending: Bool
    /// Nulls come last by default, whatever the direction.
    public var nullsFirst: Bool
    /// A key to order by: text by its UTF-8 bytes, NaN after all numbers.
    public init(_ column: String, ascending: Bool = true, nullsFirst: Bool = false) {
        self.column = column
        self.isAscending = ascending
        self.nullsFirst = nullsFirst
    }

    /// Least first, nulls last.
    public static func ascending(_ column: String) -> SortKey { SortKey(column) }
    /// Greatest first, nulls last all the same.
    public static func descending(_ column: String) -> SortKey { SortKey(column, ascending: false) }
}

/// Keeps one row a key; null keys are equal to each other. Ties after `order` fall to the row that comes first in its source (source index, ordinal).
public struct DistinctSpecification: Sendable {
    /// What becomes of the other rows of a group.
    public enum Others: Sendable, Hashable {
        /// They are merged into the one kept.
        case merged
        /// They are rejects under this rule.
        case rejected(rule: String)
    }

    /// The step's name in plan, ledger and rejects.
    public var step: String
    /// The columns whose values together make a group.
    public var keys: [String]
    /// The first row of a group in this order is kept; empty keeps the first in source order.
    public var order: [SortKey]
    /// With an empty `order`: keep the last in source order instead of the first.
    public var keepsLast: Bool
    /// How rows that are not kept are accounted for. Rejecting them needs all rows kept until the end, merging only the
    /// best.
    public var others: Others

    /// One row for each value of the keys; unless told otherwise the first in source order, the others merged into it.
    public init(step: String, keys: [String], order: [SortKey] = [], keepsLast: Bool = false, others: Others = .merged)
    {
        self.step = step
        self.keys = keys
        self.order = order
        self.keepsLast = keepsLast
        self.others = others
    }
}

/// Groups rows by keys and computes one value a group for each aggregate; null keys are equal to each other.
///
/// Without keys there is exactly one row, for an empty input too.
public struct AggregateSpecification: Sendable {
    /// What is computed of the rows of a group.
    public enum Function: Sendable, Hashable {
        /// Rows where the argument is not null; all rows without an argument.
        case count
        /// Different values, nulls left out.
        case countDistinct
        /// The exact sum: int64 of integers (uint64 of uint64), decimal(38,s) of decimals, the nearest float64 of floats whatever
        /// the order of rows. Null of no values. A sum beyond its type makes the group a reject with code `overflow`.
        case sum
        /// Of any type; floats as in PostgreSQL, NaN greatest. Null of no values.
        case minimum
        /// As `minimum`, with the greatest value.
        case maximum
        /// The exact mean, rounded half-even once to `scale` digits after the point, with as many digits before it as the
        /// argument has. Of floats it is a float64, the exact sum divided by the count. Null of no values.
        case mean(scale: Int)
        /// The value of the group's first row in source order, null included.
        case first
        /// The value of the group's last row in source order, null included.
        case last
        /// True when any (all) of the values is true.
        case any, all
    }

    /// A column of the result: a function over a column of the group's rows.
    public struct Aggregate: Sendable, Hashable {
        /// The column's name in the result; none of the keys may have it.
        public var name: String
        /// What is computed, which also decides the result's type.
        public var function: Function
        /// The column it runs over; nil for a count of rows.
        public var column: String?
        /// A function over a column, which only `count` can do without.
        public init(_ name: String, _ function: Function, _ column: String? = nil) {
            self.name = name
            self.function = function
            self.column = column
        }
    }

    /// The step's name in plan, ledger and rejects.
    public var step: String
    /// Columns to group by, first in the result; empty makes one group of all rows.
    public var keys: [String]
    /// The columns that follow the keys in the result, in this order.
    public var aggregates: [Aggregate]

    /// An aggregation; columns that are missing, or of a type that their function cannot use, are refused when the plan
    /// is made.
    public init(step: String, keys: [String], aggregates: [Aggregate]) {
        self.step = step
        self.keys = keys
        self.aggregates = aggregates
    }
}

/// Joins two relations by equal keys; null keys match nothing.
///
/// Integers are compared with integers and decimals by value, whatever their widths and scales. In the account every right row counts
/// as merged (or rejected), a left row's second and further matches as added, and a left row that does not come out as filtered.
/// Semi and anti joins keep left columns only. Columns of the right that are not keys must not share a name with the left.
public struct JoinSpecification: Sendable {
    /// Which rows come out of the two sides.
    public enum Kind: String, Sendable, Hashable {
        /// Left rows with a match, once for each match.
        case inner
        /// All left rows; where nothing matches, the right side's columns are null.
        case left
        /// Left rows with a match, once whatever the number of matches.
        case semi
        /// Left rows without a match, those with a null key among them.
        case anti
    }

    /// The step's name in plan, ledger and rejects.
    public var step: String
    /// Inner and left joins add the right side's columns; semi and anti joins need no more of it than its keys.
    public var kind: Kind
    /// Columns of the left side, compared in order with `rightKeys`.
    public var leftKeys: [String]
    /// As many columns of the right side, of comparable types; they do not come out.
    public var rightKeys: [String]
    /// Refuses a second right row of a key as a reject of this step.
    public var rightIsUnique: Bool

    /// A join; keys that are missing or cannot be compared are refused when the plan is made.
    public init(step: String, kind: Kind, leftKeys: [String], rightKeys: [String], rightIsUnique: Bool = false) {
        self.step = step
        self.kind = kind
        self.leftKeys = leftKeys
        self.rightKeys = rightKeys
        self.rightIsUnique = rightIsUnique
    }
}

/// Adds columns over partitions ordered by keys; ties by source order. Rows come out partition by partition, in order.
public struct WindowSpecification: Sendable {
    /// What a row gets from the rows of its partition.
    public enum Function: Sendable, Hashable {
        /// 1, 2, 3 and so on, rows that are equal in the order included.
        case rowNumber
        /// 1 more than the rows before the first of its equals, so that a tie leaves a gap.
        case rank
        /// 1 more than the different places before, so that a tie leaves no gap.
        case denseRank
        /// The value `offset` rows before in the partition; null before its first row.
        case lag(column: String, offset: Int)
        /// The value `offset` rows after in the partition; null behind its last row.
        case lead(column: String, offset: Int)
        /// The aggregate of that name from `preceding` rows before to the current row; nil starts at the partition's
        /// first. A sum beyond its type makes the row a reject.
        case sum(column: String, preceding: Int?)
        /// The aggregate of that name over the same rows as `sum`, rounded once to `scale` digits after the point.
        case mean(column: String, scale: Int, preceding: Int?)
        /// The least value over the same rows as `sum`; null where none of them has one.
        case minimum(column: String, preceding: Int?)
        /// The greatest value over the same rows as `sum`; null where none of them has one.
        case maximum(column: String, preceding: Int?)
        /// The number of rows from `preceding` before to the current one, nulls or not.
        case count(preceding: Int?)
        /// The value of the partition's first row, null included.
        case firstValue(column: String)
        /// The value of the partition's last row, null included, wherever the current row is.
        case lastValue(column: String)
    }

    /// The step's name in plan, ledger and rejects.
    public var step: String
    /// The columns whose equal values make a partition, nulls being equal; empty makes one of all rows.
    public var partition: [String]
    /// The order inside a partition. Rows that are equal in it share a rank.
    public var order: [SortKey]
    /// The columns that follow those of the input, in this order, under names not taken yet.
    public var columns: [(name: String, function: Function)]

    /// A window step; columns that are missing, or of a type that their function cannot use, are refused when the plan
    /// is made.
    public init(step: String, partition: [String], order: [SortKey], columns: [(name: String, function: Function)]) {
        self.step = step
        self.partition = partition
        self.order = order
        self.columns = columns
    }
}

/// Finds rows of a table by key, batch by batch.
public struct LookupSpecification: Sendable {
    /// What becomes of rows whose key the table does not have. A key with a null is never found.
    public enum Missing: Sendable, Hashable {
        /// The looked-up columns are null.
        case null
        /// The row is a reject under this rule.
        case rejected(rule: String)
        /// The row is filtered out.
        case filtered
        /// Rows that are found are filtered out: an anti join, for rows not yet in the table.
        case keptAlone
    }

    /// The step's name in plan, ledger and rejects.
    public var step: String
    /// Where the table is; asked once for each batch, with the different keys of the batch.
    public var lookup: any TableLookup
    /// The table's name, as `lookup` knows it.
    public var table: String
    /// Columns of the relation, matched in order with `tableKeys`.
    public var keys: [String]
    /// The table's columns that `keys` are compared with; as many as those.
    public var tableKeys: [String]
    /// Columns of the table to add, with their names and types here.
    public var returning: [(column: String, field: Field)]
    /// Makes of the lookup an outer join, a check or a filter.
    public var missing: Missing

    /// A lookup that takes one row of the table for a key: the first that the table gives.
    public init(
        step: String, lookup: any TableLookup, table: String, keys: [String], tableKeys: [String],
        returning: [(column: String, field: Field)], missing: Missing
    ) {
        self.step = step
        self.lookup = lookup
        self.table = table
        self.keys = keys
        self.tableKeys = tableKeys
        self.returning = returning
        self.missing = missing
    }
}
