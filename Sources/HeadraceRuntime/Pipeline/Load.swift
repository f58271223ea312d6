public import HeadraceCore

/// One or several pipelines with their sinks, run together: shared parts are computed once, all sinks commit together.
public struct Load: Sendable {
    /// What one sink gets.
    public struct Output: Sendable {
        /// What computes the rows; parts shared with another output run once.
        public var relation: Relation
        /// What takes the rows.
        public var sink: any Sink
        /// How the sink writes them; a mode that it cannot do fails when the sink is opened.
        public var mode: SinkMode

        /// An output whose mode is known at run time only; `Pipeline.loading` checks it at compile time.
        public init(relation: Relation, sink: any Sink, mode: SinkMode) {
            self.relation = relation
            self.sink = sink
            self.mode = mode
        }
    }

    /// Names the load's steps in the ledger, behind the job's step: `facts/NAME/read`. A job of this load alone leaves
    /// it out.
    public let name: String
    /// One for each sink; they commit in this order, each when all of them have settled.
    public var outputs: [Output]

    /// A load of outputs made by hand; `Pipeline.loading` and `and` make them from pipelines.
    public init(_ name: String, _ outputs: [Output]) {
        self.name = name
        self.outputs = outputs
    }

    /// This load and another over the same shared pipeline: a branch.
    public func and(_ other: Load) -> Load { Load(name, outputs + other.outputs) }
}
