extension URLReference {
    /// What a reference means when it stands in the document at this URL: RFC 3986 section 5.2, strictly, so that a
    /// reference with a scheme is whole even when the scheme is the same.
    public func resolving(_ reference: URLReference) -> URLReference {
        var target = reference
        if reference.scheme != nil {
            target.path = Self.removeDotSegments(reference.path)
            return target
        }
        target.scheme = scheme
        if reference.host != nil {
            target.path = Self.removeDotSegments(reference.path)
            return target
        }
        target.userinfo = userinfo
        target.host = host
        target.port = port
        if reference.path.isEmpty {
            target.path = path
            target.query = reference.query ?? query
        } else if reference.path.hasPrefix("/") {
            target.path = Self.removeDotSegments(reference.path)
        } else {
            target.path = Self.removeDotSegments(merged(with: reference.path))
        }
        return target
    }

    /// The relative path in place of what follows this path's last slash (section 5.2.3).
    private func merged(with relative: String) -> String {
        if host != nil, path.isEmpty { return "/" + relative }
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return relative }
        return path[...slash] + relative
    }

    /// Takes `.` and `..` out of a path (section 5.2.4); `..` at the top is dropped.
    private static func removeDotSegments(_ path: String) -> String {
        guard path.utf8.contains(UInt8(ascii: ".")) else { return path }
        let isRooted = path.hasPrefix("/")
        var segments: [Substring] = []
        let all = (isRooted ? path.dropFirst() : path[...]).split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in all.enumerated() {
            let isLast = index == all.count - 1
            switch segment {
            case ".":
                if isLast { segments.append("") }
            case "..":
                if !segments.isEmpty { segments.removeLast() }
                if isLast { segments.append("") }
            default:
                segments.append(segment)
            }
        }
        return (isRooted ? "/" : "") + segments.joined(separator: "/")
    }
}
