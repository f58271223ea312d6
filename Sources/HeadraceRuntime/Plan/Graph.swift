import HeadraceColumnar
import HeadraceCore

/// The running operators of a load and the order in which its sources are read.
///
/// - Invariant (`@unchecked Sendable`): used by the driver's thread.
final class Graph: @unchecked Sendable {
    /// A source to be read to its end.
    struct Scan {
        let node: PlannedNode
        let step: StepHandle
        let index: Int
        /// What its position is kept under.
        let stream: StreamID
        let into: any PushNode
        /// Whether rows of it are kept by an operator with state.
        let feedsBreaker: Bool
    }

    private let run: LoadRun
    private let plan: LoadSteps
    private let indices: [ObjectIdentifier: Int]
    private let steps: [ObjectIdentifier: StepHandle]
    private var targets: [ObjectIdentifier: [any PushNode]] = [:]
    private var order: [PlannedNode] = []
    private var breakers: [BreakerNode] = []

    /// - Parameter plan: the steps of the load; a part of them when some of its sinks have everything already.
    init(_ roots: [PlannedNode], of plan: LoadSteps, run: LoadRun) {
        self.run = run
        self.plan = plan
        var indices: [ObjectIdentifier: Int] = [:]
        var steps: [ObjectIdentifier: StepHandle] = [:]
        for node in LoadSteps(roots).nodes {
            if case .scan = node.kind { indices[ObjectIdentifier(node)] = indices.count }
            steps[ObjectIdentifier(node)] = run.book.enter(node.step)
        }
        self.indices = indices
        self.steps = steps
    }

    /// Builds the operators between the roots and their sinks; scans come in an order that every operator can take.
    func scans(_ ends: [(root: PlannedNode, sink: any PushNode)]) throws -> [Scan] {
        for end in ends { targets[ObjectIdentifier(end.root), default: []].append(end.sink) }
        var visited: Set<ObjectIdentifier> = []
        // Consumers before producers: a node is built when all that read it are.
        func visit(_ node: PlannedNode) {
            guard visited.insert(ObjectIdentifier(node)).inserted else { return }
            for input in node.inputs { visit(input) }
            order.append(node)
        }
        for end in ends { visit(end.root) }
        var scans: [ObjectIdentifier: Scan] = [:]
        var feeding: Set<ObjectIdentifier> = []
        for node in order {
            if case .breaker = node.kind { feeding.formUnion(node.scans.map { ObjectIdentifier($0) }) }
        }
        for node in order.reversed() {
            guard let outputs = targets[ObjectIdentifier(node)], let step = steps[ObjectIdentifier(node)] else {
                continue
            }
            let next: any PushNode = outputs.count == 1 ? outputs[0] : ForkNode(outputs)
            switch node.kind {
            case .scan(let source):
                scans[ObjectIdentifier(node)] = Scan(
                    node: node, step: step, index: indices[ObjectIdentifier(node)] ?? 0,
                    stream: plan.stream(of: node) ?? source.stream, into: next,
                    feedsBreaker: feeding.contains(ObjectIdentifier(node)))
            case .rows(let make):
                let context = run.context
                attach(
                    StageNode(step, workers: context.scheduling.workers, clock: context.clock, next: next) {
                        try make(context)
                    },
                    to: node.inputs[0])
            case .union:
                let union = UnionNode(step, inputs: node.inputs.count, next: next)
                for input in node.inputs { attach(union, to: input) }
            case .breaker(let make):
                let breaker = BreakerNode(step, try make(run.context), next: next, run: run)
                breakers.append(breaker)
                for (index, input) in node.feedingOrder.enumerated() { attach(breaker.input(index), to: input) }
            }
        }
        return try ordered(ends.map(\.root)).compactMap { scans[ObjectIdentifier($0)] }
    }

    /// Lets go of the state of all operators, on any path.
    func discard() {
        for breaker in breakers { breaker.discard() }
    }

    private func attach(_ target: any PushNode, to node: PlannedNode) {
        targets[ObjectIdentifier(node), default: []].append(target)
    }

    /// The scans so that whatever an operator wants first is read first.
    private func ordered(_ roots: [PlannedNode]) throws -> [PlannedNode] {
        var before: [ObjectIdentifier: Set<ObjectIdentifier>] = [:]
        var all: [PlannedNode] = []
        func collect(_ node: PlannedNode) {
            let feeding = node.feedingOrder
            for (position, input) in feeding.enumerated() {
                for earlier in feeding[..<position] {
                    for late in input.scans {
                        before[ObjectIdentifier(late), default: []].formUnion(
                            earlier.scans.map { ObjectIdentifier($0) })
                    }
                }
                collect(input)
            }
            if case .scan = node.kind, !all.contains(where: { $0 === node }) { all.append(node) }
        }
        for root in roots { collect(root) }
        var done: Set<ObjectIdentifier> = []
        var result: [PlannedNode] = []
        while result.count < all.count {
            guard
                let next = all.first(where: { node in
                    !done.contains(ObjectIdentifier(node))
                        && before[ObjectIdentifier(node), default: []].isSubset(of: done)
                })
            else {
                throw HeadraceError(
                    .unsupported, "one source feeds both sides of a join or union",
                    hint: "read the source twice: give each side a scan of its own")
            }
            done.insert(ObjectIdentifier(next))
            result.append(next)
        }
        return result
    }
}
