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
    case join(JoinSpecification, Relation, Relation)
    /// Adds columns computed over partitions of ordered rows.
    case window(WindowSpecification, Relation)
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
    public let relation: Relation
    public init(_ relation: Relation) { self.relation = relation }
}

/// One column of a projection: a name for a formula.
public struct Projection: Sendable {
    public var name: String
    public var formula: Formula
    public init(_ name: String, _ formula: Formula) {
        self.name = name
        self.formula = formula
    }
}

/// A column to order by.
public struct SortKey: Sendable, Hashable {
    public var column: String
    public var isAscending: Bool
    /// Nulls come last by default, whatever the direction.
    public var nullsFirst: Bool
    public init(_ column: String, ascending: Bool = true, nullsFirst: Bool = false) {
        self.column = column
        self.isAscending = ascending
        self.nullsFirst = nullsFirst
    }

    public static func ascending(_ column: String) -> SortKey { SortKey(column) }
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

    public var step: String
    public var keys: [String]
    /// The first row of a group in this order is kept; empty keeps the first in source order.
    public var order: [SortKey]
    /// With an empty `order`: keep the last in source order instead of the first.
    public var keepsLast: Bool
    public var others: Others

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
        case maximum
        /// The exact mean, rounded half-even once to `scale` digits after the point, with as many digits before it as the
        /// argument has. Of floats it is a float64, the exact sum divided by the count. Null of no values.
        case mean(scale: Int)
        /// The value of the group's first row in source order, null included.
        case first
        case last
        /// True when any (all) of the values is true.
        case any, all
    }

    public struct Aggregate: Sendable, Hashable {
        public var name: String
        public var function: Function
        /// The column it runs over; nil for a count of rows.
        public var column: String?
        public init(_ name: String, _ function: Function, _ column: String? = nil) {
            self.name = name
            self.function = function
            self.column = column
        }
    }

    public var step: String
    public var keys: [String]
    public var aggregates: [Aggregate]

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
    public enum Kind: String, Sendable, Hashable {
        case inner, left, semi, anti
    }

    public var step: String
    public var kind: Kind
    public var leftKeys: [String]
    public var rightKeys: [String]
    /// Refuses a second right row of a key as a reject of this step.
    public var rightIsUnique: Bool

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
    public enum Function: Sendable, Hashable {
        case rowNumber, rank, denseRank
        /// The value `offset` rows before (after) in the partition.
        case lag(column: String, offset: Int)
        case lead(column: String, offset: Int)
        /// Aggregates over the partition from `preceding` rows before to the current row; nil starts at the first.
        case sum(column: String, preceding: Int?)
        case mean(column: String, scale: Int, preceding: Int?)
        case minimum(column: String, preceding: Int?)
        case maximum(column: String, preceding: Int?)
        case count(preceding: Int?)
        /// The value of the partition's first (last) row.
        case firstValue(column: String)
        case lastValue(column: String)
    }

    public var step: String
    public var partition: [String]
    public var order: [SortKey]
    public var columns: [(name: String, function: Function)]

    public init(step: String, partition: [String], order: [SortKey], columns: [(name: String, function: Function)]) {
        self.step = step
        self.partition = partition
        self.order = order
        self.columns = columns
    }
}

/// Finds rows of a table by key, batch by batch.
public struct LookupSpecification: Sendable {
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

    public var step: String
    public var lookup: any TableLookup
    public var table: String
    /// Columns of the relation, matched in order with `tableKeys`.
    public var keys: [String]
    public var tableKeys: [String]
    /// Columns of the table to add, with their names and types here.
    public var returning: [(column: String, field: Field)]
    public var missing: Missing

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
