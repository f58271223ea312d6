import HeadraceColumnar
import HeadraceCore

/// A relation with its schema known and checked, ready to be run.
final class PlannedNode: Sendable {
    enum Kind: Sendable {
        case scan(any Source)
        /// A row-wise step; makes one stage a worker.
        case rows(@Sendable (RunContext) throws -> any Stage)
        case breaker(@Sendable (RunContext) throws -> any Breaker)
        case union
    }

    let step: String
    let schema: Schema
    let kind: Kind
    /// In the order written: a join's left before its right.
    let inputs: [PlannedNode]
    /// What `headrace plan` says of the step.
    let summary: String

    init(step: String, schema: Schema, kind: Kind, inputs: [PlannedNode], summary: String) {
        self.step = step
        self.schema = schema
        self.kind = kind
        self.inputs = inputs
        self.summary = summary
    }

    /// Whether rows only pass through here, batch by batch, so that epochs may end between batches.
    var isStateless: Bool {
        if case .breaker = kind { return false }
        return inputs.allSatisfy(\.isStateless)
    }

    /// The inputs in the order in which a running operator wants them: a join's right side first.
    var feedingOrder: [PlannedNode] {
        if case .breaker = kind { return inputs.reversed() }
        return inputs
    }

    /// All scans below, each once, in the order written; its position is a source's index.
    var scans: [PlannedNode] {
        var found: [PlannedNode] = []
        func visit(_ node: PlannedNode) {
            if case .scan = node.kind, !found.contains(where: { $0 === node }) { found.append(node) }
            for input in node.inputs { visit(input) }
        }
        visit(self)
        return found
    }
}
