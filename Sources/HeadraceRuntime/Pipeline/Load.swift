public import HeadraceCore

/// One or several pipelines with their sinks, run together: shared parts are computed once, all sinks commit together.
public struct Load: Sendable {
    /// What one sink gets.
    public struct Output: Sendable {
        public var relation: Relation
        public var sink: any Sink
        public var mode: SinkMode

        /// An output whose mode is known at run time only; `Pipeline.loading` checks it at compile time.
        public init(relation: Relation, sink: any Sink, mode: SinkMode) {
            self.relation = relation
            self.sink = sink
            self.mode = mode
        }
    }

    public let name: String
    public var outputs: [Output]

    public init(_ name: String, _ outputs: [Output]) {
        self.name = name
        self.outputs = outputs
    }

    /// This load and another over the same shared pipeline: a branch.
    public func and(_ other: Load) -> Load { Load(name, outputs + other.outputs) }
}
