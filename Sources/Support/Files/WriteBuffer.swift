import HeadraceCore

/// Gathers small writes so that a header line or a separator costs no system call.
struct WriteBuffer {
    private var bytes: [UInt8] = []
    private static let capacity = 64 << 10

    /// Writes or keeps `piece`; large pieces go out at once, after what was kept.
    mutating func write(_ piece: UnsafeRawBufferPointer, to file: FileDescriptor) throws(HeadraceError) {
        if bytes.count + piece.count < Self.capacity {
            bytes.append(contentsOf: piece)
            return
        }
        try flush(to: file)
        try file.write(piece)
    }

    mutating func flush(to file: FileDescriptor) throws(HeadraceError) {
        guard !bytes.isEmpty else { return }
        defer { bytes.removeAll(keepingCapacity: true) }
        try bytes.span.withUnsafeBytes { (kept) throws(HeadraceError) in try file.write(kept) }
    }

    mutating func drop() { bytes = [] }
}
