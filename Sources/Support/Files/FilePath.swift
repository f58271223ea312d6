/// Takes paths apart and puts them together as text.
enum FilePath {
    /// The folder and the last name of a path; the folder of a bare name is `.`.
    static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
    }

    /// `name` inside `folder`, written without `./` when `model` is.
    static func join(_ folder: String, _ name: String, like model: String = "") -> String {
        if folder == "." && !model.hasPrefix("./") { return name }
        return folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }
}
