import Glibc
import HeadraceCore

/// A path or a pattern over files: `*` and `?` within a name, `[abc]`, no match of a leading dot.
struct FilePattern: Sendable {
    let text: String

    /// Whether the text asks for matching at all.
    var hasWildcard: Bool {
        text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
    }

    /// The files that the text stands for, in byte order of their paths: itself where such a name exists, else what
    /// the pattern matches. Folders and special files are left out of a pattern's matches.
    ///
    /// Throws `notFound` when there is none, `wrongKindOfFile` when the name is a folder's.
    func files() throws(HeadraceError) -> [String] {
        if let status = FileStatus(at: text) {
            if status.kind == .folder {
                throw HeadraceError(
                    .wrongKindOfFile, "\(text) is a folder, and a file is needed",
                    hint: "name the files in it, such as \(FilePath.join(text, "*.csv"))")
            }
            return [text]
        }
        guard hasWildcard else {
            // stat fails for lack of rights above the file too, which must not read as "not there".
            var status = stat()
            let number = stat(text, &status) == 0 ? ENOENT : errno
            throw SystemError.failure("read", text, number)
        }
        let matches = matches().filter { FileStatus(at: $0)?.kind == .regular }
        guard !matches.isEmpty else {
            throw HeadraceError(
                .notFound, "no file matches \(text)",
                hint: "'*' and '?' match within one name, and never a leading dot; quote the pattern for the shell")
        }
        return matches.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private func matches() -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(text, GLOB_NOSORT, nil, &found) == 0, let paths = found.gl_pathv else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { paths[$0].map { String(cString: $0) } }
    }
}
