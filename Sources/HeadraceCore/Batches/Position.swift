/// How far one stream has been read: opaque JSON that only its source understands.
public struct Position: Sendable, Hashable {
    /// What the source's reader gave and gets back unread; all that it needs to go on after the rows before it.
    public let value: JSONValue
    /// A position in the terms of the source that made it; no other source can read it.
    public init(_ value: JSONValue) { self.value = value }
}

/// What a sink commits together with its rows: how far every stream is contained in it.
public struct Checkpoint: Sendable, Hashable {
    /// Counts from 1 within a run.
    public var epoch: Int
    /// Where each stream goes on after the rows committed so far; a stream without an entry starts at its beginning.
    public var positions: [StreamID: Position]
    /// The last epoch of its run: nothing of the source remains.
    public var isFinal: Bool
    /// The identifier of the run that began the load; the runs that resume it keep it.
    public var run: String

    /// A checkpoint as the engine makes it for a commit; sinks store its `json` and give it back from `committed(in:)`.
    public init(epoch: Int, positions: [StreamID: Position], isFinal: Bool, run: String) {
        self.epoch = epoch
        self.positions = positions
        self.isFinal = isFinal
        self.run = run
    }

    /// The checkpoint as one JSON object; `init(json:)` reads it back.
    public var json: JSONValue {
        .object([
            ("epoch", .integer(epoch)), ("final", .bool(isFinal)), ("run", .string(run)),
            (
                "positions",
                .object(positions.sorted { $0.key.name < $1.key.name }.map { ($0.key.name, $0.value.value) })
            ),
        ])
    }

    /// The checkpoint that `json` wrote; nil where a member is missing or of another kind.
    public init?(json: JSONValue) {
        guard let epoch = json["epoch"]?.integerValue, let final = json["final"]?.boolValue,
            let run = json["run"]?.stringValue, case .object(let members)? = json["positions"]
        else { return nil }
        self.init(
            epoch: Int(epoch),
            positions: Dictionary(members.members.map { (StreamID($0.name), Position($0.value)) }) { $1 },
            isFinal: final,
            run: run)
    }
}
