/// How much text a reader holds at once.
struct CSVLimits: Sendable, Hashable {
    /// The text of a usual chunk.
    var chunkBytes = 256 << 10
    /// A longer record is refused.
    var maximumRecordBytes = 16 << 20
}
