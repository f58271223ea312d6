public import HeadraceCore

/// A chain of steps over one or more sources, as a value: building one reads nothing.
///
/// ```swift
/// try Pipeline("orders", from: .csv(at: "orders.csv"))
///     .through(.validate(.notNull("order_id")))
///     .deduplicated(on: "order_id", keeping: .latest("updated_at"))
/// ```
public struct Pipeline: Sendable {
    /// Names the pipeline in ledger and messages.
    public let name: String
    /// What it computes.
    public let relation: Relation

    /// All rows of a source.
    public init(_ name: String, from source: some Source) {
        self.init(name, .scan(step: "read \(name)", source))
    }

    /// A pipeline over a relation made by hand.
    public init(_ name: String, _ relation: Relation) {
        self.name = name
        self.relation = relation
    }

    private func then(_ make: (Relation) -> Relation) -> Pipeline { Pipeline(name, make(relation)) }

    /// Puts a transform behind the chain.
    /// - Throws: what the transform says about a composition that cannot be.
    public func through(_ transform: some Transform) throws -> Pipeline {
        Pipeline(name, try transform.apply(to: relation))
    }

    /// Keeps columns, in this order.
    public func select(_ columns: String..., step: String = "select") -> Pipeline {
        then { .project(step: step, columns.map { Projection($0, .column($0)) }, $0) }
    }

    /// Computes columns from columns; what is not named goes.
    public func project(_ projections: Projection..., step: String = "project") -> Pipeline {
        then { .project(step: step, projections, $0) }
    }

    /// Adds columns computed from columns, or puts them in the place of those of the same name.
    public func derive(_ projections: Projection..., step: String = "derive") -> Pipeline {
        then { .derive(step: step, projections, $0) }
    }

    /// Leaves columns out.
    public func drop(_ columns: String..., step: String = "drop") -> Pipeline {
        then { .drop(step: step, columns, $0) }
    }

    /// Gives columns other names.
    public func rename(_ names: [(from: String, to: String)], step: String = "rename") -> Pipeline {
        then { .rename(step: step, names, $0) }
    }

    /// Keeps the rows for which `condition` is true; the others count as filtered.
    public func filter(_ condition: Expr<Bool>, step: String = "filter") -> Pipeline {
        then { .filter(step: step, condition.formula, $0) }
    }

    /// Keeps one row a key; ties fall to the row that comes first in its source.
    public func distinct(
        on keys: String..., order: [SortKey] = [], keepsLast: Bool = false,
        others: DistinctSpecification.Others = .merged,
        step: String = "deduplicate"
    ) -> Pipeline {
        then {
            .distinct(
                DistinctSpecification(step: step, keys: keys, order: order, keepsLast: keepsLast, others: others), $0)
        }
    }

    /// One row for each group of equal keys.
    public func aggregate(
        by keys: String..., computing aggregates: [AggregateSpecification.Aggregate], step: String = "aggregate"
    ) -> Pipeline {
        then { .aggregate(AggregateSpecification(step: step, keys: keys, aggregates: aggregates), $0) }
    }

    /// Joins the rows of `other` by equal keys.
    /// - Parameter keys: pairs of this pipeline's column and the other's.
    public func join(
        _ other: Pipeline, _ kind: JoinSpecification.Kind = .inner, on keys: [(String, String)],
        rightIsUnique: Bool = false, step: String = "join"
    ) -> Pipeline {
        then {
            .join(
                JoinSpecification(
                    step: step, kind: kind, leftKeys: keys.map(\.0), rightKeys: keys.map(\.1),
                    rightIsUnique: rightIsUnique),
                $0, other.relation)
        }
    }

    /// Adds columns computed over partitions of ordered rows.
    public func window(
        partition: [String], order: [SortKey], columns: [(name: String, function: WindowSpecification.Function)],
        step: String = "window"
    ) -> Pipeline {
        then { .window(WindowSpecification(step: step, partition: partition, order: order, columns: columns), $0) }
    }

    /// Puts the rows in order; with `limit` only the first are kept, the others count as filtered.
    public func sorted(by keys: SortKey..., limit: Int? = nil, step: String = "sort") -> Pipeline {
        then { .sort(step: step, keys, limit: limit, $0) }
    }

    /// The rows of this pipeline, then those of the others; fields must agree by name and type.
    public func merged(with others: Pipeline..., step: String = "merge") -> Pipeline {
        then { .union(step: step, [$0] + others.map(\.relation)) }
    }

    /// Adds columns of a table's rows found by key.
    public func lookup(_ specification: LookupSpecification) -> Pipeline { then { .lookup(specification, $0) } }

    /// A pipeline that several loads can go on from: its rows are computed once and handed to each.
    public func shared() -> Pipeline { then { .shared(SharedRelation($0)) } }

    /// The end of the chain: where the rows go and how they are written. Runs inside a `JobRun`.
    public func loading<S: Sink>(into sink: S, mode: WriteMode<S>) -> Load {
        Load(name, [Load.Output(relation: relation, sink: sink, mode: mode.mode)])
    }
}
