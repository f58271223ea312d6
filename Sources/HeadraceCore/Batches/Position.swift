/// How far one stream has been read: opaque JSON that only its source understands.
public struct Position: Sendable, Hashable {
    public let value: JSONValue
    public init(_ value: JSONValue) { self.value = value }
}

/// What a sink commits together with its rows: how far every stream is contained in it.
public struct Checkpoint: Sendable, Hashable {
    /// Counts from 1 within a run.
    public var epoch: Int
    public var positions: [StreamID: Position]
    /// The last epoch of its run: nothing of the source remains.
    public var isFinal: Bool
    public var run: String

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
