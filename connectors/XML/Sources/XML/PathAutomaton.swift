internal import HeadraceCXML2

/// Follows any number of paths through the elements of a document at once.
///
/// Names are compared by their address in the parser's dictionary. Memory is raw, because the parser calls in here for
/// every element.
final class PathAutomaton {
    /// What paths want of an element that they lead to.
    struct Outputs {
        /// Fields that take its whole text.
        var values: [Int] = []
        /// Fields that take the text directly in it.
        var texts: [Int] = []
        var attributes: [(name: UnsafePointer<xmlChar>, namespace: UnsafePointer<xmlChar>?, field: Int)] = []
    }

    private struct Edge {
        let name: UnsafePointer<xmlChar>?
        let namespace: UnsafePointer<xmlChar>?
        let isDeep: Bool
        let target: Int32

        @inline(__always)
        func matches(_ name: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?) -> Bool {
            (self.name == nil || self.name == name) && (self.namespace == nil || self.namespace == namespace)
        }
    }

    private let dictionary: xmlDictPtr
    private var edges: [[Edge]] = [[]]
    /// The outputs of each state.
    private(set) var outputs: [Outputs] = [Outputs()]
    /// States of all open elements, innermost last; twice the state, plus one where only deep edges still count.
    private var active: [Int32] = []
    /// Where the states of each open element begin.
    private var starts: [Int] = []

    init(dictionary: xmlDictPtr) { self.dictionary = dictionary }

    /// Whether no path has been added.
    var isEmpty: Bool { edges[0].isEmpty && outputs[0].values.isEmpty && outputs[0].attributes.isEmpty }

    /// Adds a path that leads field `field` to its value.
    func add(_ path: XMLPath, field: Int) {
        var state = 0
        for step in path.steps { state = target(of: step, from: state) }
        switch path.target {
        case .value: outputs[state].values.append(field)
        case .text: outputs[state].texts.append(field)
        case .attribute(let step):
            guard let name = intern(step.name) else { return }
            outputs[state].attributes.append((name, intern(step.namespace), field))
        }
    }

    private func target(of step: XMLPath.Step, from state: Int) -> Int {
        let name = intern(step.name)
        let namespace = intern(step.namespace)
        let known = edges[state].first {
            $0.name == name && $0.namespace == namespace && $0.isDeep == step.isDeep
        }
        if let known { return Int(known.target) }
        edges.append([])
        outputs.append(Outputs())
        let target = Int32(truncatingIfNeeded: edges.count - 1)
        edges[state].append(Edge(name: name, namespace: namespace, isDeep: step.isDeep, target: target))
        return Int(target)
    }

    private func intern(_ text: String?) -> UnsafePointer<xmlChar>? {
        guard var text else { return nil }
        return text.withUTF8 { xmlDictLookup(dictionary, $0.baseAddress, Int32(truncatingIfNeeded: $0.count)) }
    }

    /// The number of open elements.
    var depth: Int { starts.count }

    /// Opens the element that all paths start from.
    func begin() {
        active.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        starts.append(0)
        active.append(0)
    }

    /// Opens an element inside the innermost open one.
    func enter(_ name: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?) {
        let first = starts[starts.count - 1]
        let end = active.count
        starts.append(end)
        for index in first..<end {
            let entry = active[index]
            let isCarried = entry & 1 != 0
            var staysActive = false
            for edge in edges[Int(entry >> 1)] {
                if edge.isDeep { staysActive = true } else if isCarried { continue }
                if edge.matches(name, namespace) { push(edge.target << 1, after: end) }
            }
            if staysActive { push(entry | 1, after: end) }
        }
    }

    private func push(_ entry: Int32, after start: Int) {
        for index in start..<active.count where active[index] == entry { return }
        active.append(entry)
    }

    /// Closes the innermost open element.
    func leave() {
        guard let start = starts.popLast() else { return }
        active.removeLast(active.count - start)
    }

    /// Calls `body` with each state that a path has reached at the innermost open element.
    @inline(__always) func forEachState(_ body: (Int) -> Void) {
        guard let start = starts.last else { return }
        for index in start..<active.count where active[index] & 1 == 0 { body(Int(active[index] >> 1)) }
    }

    /// Whether a path without attribute ends at the innermost open element.
    var accepts: Bool {
        var accepts = false
        forEachState { accepts = accepts || !outputs[$0].values.isEmpty }
        return accepts
    }

    /// Whether a path can still lead anywhere from the innermost open element.
    var isAlive: Bool { starts.last.map { active.count > $0 } ?? false }
}
