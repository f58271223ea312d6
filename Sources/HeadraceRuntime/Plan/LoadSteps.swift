import HeadraceCore

/// The steps of a load: every node once, what it reads before it, with the names that runs, plans and replays use.
///
/// All of it follows from the order in which the load is written, so it is the same in every run of the load.
struct LoadSteps {
    let nodes: [PlannedNode]
    private let names: [ObjectIdentifier: String]
    private let streams: [ObjectIdentifier: StreamID]
    private let namesTaken: StepNames

    init(_ roots: [PlannedNode]) {
        var nodes: [PlannedNode] = []
        var names: [ObjectIdentifier: String] = [:]
        var taken = StepNames()
        func visit(_ node: PlannedNode) {
            guard names[ObjectIdentifier(node)] == nil else { return }
            for input in node.inputs { visit(input) }
            names[ObjectIdentifier(node)] = taken.enter(node.step)
            nodes.append(node)
        }
        for root in roots { visit(root) }
        self.nodes = nodes
        self.names = names
        namesTaken = taken
        streams = Self.streams(nodes)
    }

    /// The step's name in ledger and rejects, without the prefix of its job's step.
    func name(of node: PlannedNode) -> String { names[ObjectIdentifier(node)] ?? node.step }

    /// What the position of a scan is kept under: its source's stream, numbered where an earlier scan reads it too.
    func stream(of scan: PlannedNode) -> StreamID? { streams[ObjectIdentifier(scan)] }

    /// The node of a step, by its name in the ledger.
    func node(named name: String) -> PlannedNode? { nodes.first { self.name(of: $0) == name } }

    /// The name that a sink's step gets after those of the nodes.
    func sinkName(_ name: String) -> String {
        var names = namesTaken
        return names.enter(name)
    }

    private static func streams(_ nodes: [PlannedNode]) -> [ObjectIdentifier: StreamID] {
        var result: [ObjectIdentifier: StreamID] = [:]
        var again: [(node: PlannedNode, stream: StreamID)] = []
        var taken: Set<StreamID> = []
        for node in nodes {
            guard case .scan(let source) = node.kind else { continue }
            guard taken.insert(source.stream).inserted else {
                again.append((node, source.stream))
                continue
            }
            result[ObjectIdentifier(node)] = source.stream
        }
        // Second, so that no number takes the name of another source's stream: ledgers hold positions under it.
        for (node, stream) in again {
            var number = 2
            while !taken.insert(StreamID("\(stream.name) (\(number))")).inserted { number += 1 }
            result[ObjectIdentifier(node)] = StreamID("\(stream.name) (\(number))")
        }
        return result
    }
}

/// Gives steps names of their own: one that is taken gets a number.
struct StepNames {
    private var taken: Set<String> = []

    /// `name`, or `name 2` and so on.
    mutating func enter(_ name: String) -> String {
        var unique = name
        var number = 2
        while !taken.insert(unique).inserted {
            unique = "\(name) \(number)"
            number += 1
        }
        return unique
    }
}
