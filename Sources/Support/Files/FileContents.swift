import HeadraceCore

/// Small local files as a whole: schemas, rate tables, configuration.
public enum FileContents {
    /// The bytes of the file at `path`. Blocks; throws `outOfBudget` for a file beyond `limit` bytes.
    public static func read(_ path: String, limit: Int = 64 << 20) throws -> [UInt8] {
        let reader = try LocalFileReader(path, at: 0)
        defer { reader.close() }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let got = try piece.withUnsafeMutableBytes { try reader.read(into: $0) }
            if got == 0 { return bytes }
            bytes.append(contentsOf: piece[..<got])
            if bytes.count > limit {
                throw HeadraceError(.outOfBudget, "\(path) is larger than the \(limit) bytes that are read at once")
            }
        }
    }

    /// Writes `bytes` to `path`, whole or not at all, durably. Blocks.
    public static func write(_ bytes: [UInt8], to path: String) throws {
        let writer = try AtomicFileWriter(path, faults: nil, unique: TemporaryNames.next)
        do {
            try bytes.span.withUnsafeBytes { try writer.write($0) }
            try writer.publish()
        } catch {
            writer.abort()
            throw error
        }
    }
}
