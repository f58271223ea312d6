import Synchronization

/// The files of a run, numbered as they are met, so that a row carries a number and not a name.
public final class FileTable: Sendable {
    private struct Entry: Hashable {
        let source: String
        let file: String?
    }
    private struct State {
        var entries: [Entry] = []
        var numbers: [Entry: Int] = [:]
    }
    private let state = Mutex(State())

    /// An empty table; one serves a whole run.
    public init() {}

    /// The number of a source's file, given at first sight.
    public func index(source: String, file: String?) -> Int {
        let entry = Entry(source: source, file: file)
        return state.withLock { state in
            if let known = state.numbers[entry] { return known }
            state.entries.append(entry)
            state.numbers[entry] = state.entries.count - 1
            return state.entries.count - 1
        }
    }

    /// The source and file of a number that `index(source:file:)` gave; `unknown` and nil for one that is too high.
    public subscript(index: Int) -> (source: String, file: String?) {
        state.withLock {
            index < $0.entries.count ? ($0.entries[index].source, $0.entries[index].file) : ("unknown", nil)
        }
    }
}
