/// Finds names that a misspelt one may have meant.
public enum NearNames {
    /// The candidates closest to `name`, best first, at most three; none that share too little with it.
    public static func of(_ name: String, among candidates: [String]) -> [String] {
        let wanted = Array(name.utf8.map(lowered))
        let limit = max(1, wanted.count / 3)
        let ranked: [(distance: Int, name: String)] = candidates.compactMap { candidate in
            let distance = distance(wanted, Array(candidate.utf8.map(lowered)))
            return distance <= limit ? (distance, candidate) : nil
        }
        return ranked.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
    }

    /// A hint that names what lies beside a file which is not there, or says that its folder is missing too.
    static func hint(for path: String) -> String? {
        let (folder, name) = FilePath.split(path)
        guard let entries = Folder.names(in: folder) else {
            return FileStatus(at: folder) == nil ? "the folder \(folder) is not there either" : nil
        }
        let near = of(name, among: entries.filter { !$0.hasPrefix(".") || name.hasPrefix(".") })
        guard !near.isEmpty else { return nil }
        return "did you mean \(near.map { FilePath.join(folder, $0, like: path) }.joined(separator: " or "))?"
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }

    /// Insertions, deletions and replacements between two names.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        if left.count > 255 || right.count > 255 { return Int.max }
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let kept = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(kept, row[j] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
