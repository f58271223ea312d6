import HeadraceCore

extension Position {
    /// A stream that was read to its end, with the source's own position there where a later run reads on from it.
    static func end(at last: Position?) -> Position {
        Position(.object([("ended", .bool(true))] + (last.map { [("at", $0.value)] } ?? [])))
    }

    /// Whether the stream was read to its end.
    var isEnd: Bool { value["ended"]?.boolValue == true }

    /// The source's position at the end, nil when it gave none.
    var endPosition: Position? { value["at"].map(Position.init) }
}
