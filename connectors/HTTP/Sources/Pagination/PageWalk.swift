public import HeadraceCore
public import HeadraceHTTPClient

/// The way through the pages of one answer: says which page to ask for next and learns from each. Does no I/O.
///
/// It ends by itself: a page or cursor seen before, a counted page equal to the one before it, and more pages than the
/// limit are errors.
public struct PageWalk: Sendable {
    /// The page to ask for.
    public struct Step: Sendable, Hashable {
        /// Counts from 1.
        public let number: Int
        /// Where the page is, without keys of the client.
        public let url: URLReference
        /// Whether the URL was written by a server of another origin, which gets no credentials.
        public let isForeign: Bool
    }

    /// The next page, nil at the end.
    public private(set) var next: Step?
    /// Whether a page that is not there is the end and no error.
    public var endsWhenMissing: Bool {
        guard let next, next.number > 1, case .missing? = end else { return false }
        return true
    }

    private let first: URLReference
    private let pagination: Pagination
    private let limit: Int
    private let allowsOtherOrigins: Bool
    private let path: JSONPagePath?
    private var seen: Set<String> = []
    private var lastContent: UInt64?

    /// - Parameters:
    ///   - limit: the most pages that are asked for.
    ///   - allowsOtherOrigins: whether a next link may lead to another host; credentials never go there.
    /// - Throws: `badOption` for a path that cannot be read or a count below one.
    public init(
        from url: URLReference, _ pagination: Pagination, limit: Int = 10_000, allowsOtherOrigins: Bool = false
    ) throws(HeadraceError) {
        first = url
        self.pagination = pagination
        self.limit = limit
        self.allowsOtherOrigins = allowsOtherOrigins
        path = try Self.path(of: pagination)
        let start = counted(1)
        next = Step(number: 1, url: start, isForeign: false)
        remember(start)
    }

    private static func path(of pagination: Pagination) throws(HeadraceError) -> JSONPagePath? {
        switch pagination {
        case .cursor(let path, _), .bodyLink(let path): return try JSONPagePath(path)
        case .page(_, _, let end), .offset(_, _, _, let end):
            switch end {
            case .empty(let path), .total(let path), .flag(let path): return try JSONPagePath(path)
            case .count(let count) where count < 1:
                throw HeadraceError(.badOption, "a number of pages must be at least 1, not \(count)")
            default: return nil
            }
        default: return nil
        }
    }

    private var end: PageEnd? {
        switch pagination {
        case .page(_, _, let end), .offset(_, _, _, let end): end
        default: nil
        }
    }

    private mutating func remember(_ url: URLReference) {
        var plain = url.text
        if let mark = plain.firstIndex(of: "#") { plain = String(plain[..<mark]) }
        seen.insert(plain)
    }

    /// The URL of page `number` where pages are counted, else the first URL.
    private func counted(_ number: Int) -> URLReference {
        var url = first
        switch pagination {
        case .page(let parameter, let from, _): url.setQueryItem(parameter, "\(from + number - 1)")
        case .offset(let parameter, let limitParameter, let size, _):
            url.setQueryItem(parameter, "\((number - 1) * size)")
            url.setQueryItem(limitParameter, "\(size)")
        default: break
        }
        return url
    }

    /// Whether a page holds no records and only says that the one before it was the last.
    public func isPastEnd(_ bytes: [UInt8], status: Int) throws(HeadraceError) -> Bool {
        switch end {
        case .empty:
            switch try path?.find(in: bytes) {
            case .container(let isEmpty): return isEmpty
            case .absent, .scalar(.null), nil: return true
            case .scalar: throw notPageable("the page has a single value where its records should be")
            }
        case .emptyBody: return status == 204 || bytes.allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        default: return false
        }
    }

    /// Goes on to the page after this one, or to the end.
    ///
    /// - Parameter url: the URL that answered, after redirects.
    /// - Throws: `badPagination` for a circle, a link that makes no sense or more pages than allowed; `malformedInput` for a
    ///   page that is not JSON where JSON must be looked into.
    public mutating func advance(past bytes: [UInt8], headers: HTTPHeaders, status: Int = 200, url: URLReference) throws
    {
        guard let current = next else { return }
        next = nil
        switch pagination {
        case .single: return
        case .page, .offset:
            guard try !isPastEnd(bytes, status: status), try !isLast(current.number, bytes, headers) else { return }
            let content = Self.fingerprint(of: bytes)
            guard content != lastContent else {
                throw notPageable(
                    "page \(current.number) is the same as the page before it",
                    because: "the server seems to take no notice of the page's number")
            }
            lastContent = content
            try go(to: counted(current.number + 1), after: current, isForeign: false)
        case .cursor(_, let parameter):
            guard let cursor = try text(in: bytes) else { return }
            guard seen.insert("cursor " + cursor).inserted else {
                throw notPageable("the cursor of page \(current.number) has led to an earlier page already")
            }
            var url = first
            url.setQueryItem(parameter, cursor)
            try go(to: url, after: current, isForeign: false)
        case .linkHeader: try follow(LinkHeader.next(in: headers), from: url, after: current)
        case .bodyLink: try follow(try text(in: bytes), from: url, after: current)
        case .link(let find): try follow(try find(bytes, headers), from: url, after: current)
        }
    }

    /// Takes parameters off the next page's URL that a server has copied from the request into its link.
    mutating func takeOff(_ parameters: [String]) {
        guard !parameters.isEmpty, let step = next else { return }
        var url = step.url
        for name in parameters { url.removeQueryItems(named: name) }
        next = Step(number: step.number, url: url, isForeign: step.isForeign)
    }

    /// Ends the walk at a page that is not there.
    public mutating func endHere() { next = nil }

    private func isLast(_ number: Int, _ bytes: [UInt8], _ headers: HTTPHeaders) throws -> Bool {
        switch end {
        case .count(let count): return number >= count
        case .total:
            guard case .scalar(.number(let total))? = try path?.find(in: bytes),
                let total = total.integer(as: Int.self)
            else { throw notPageable("page \(number) does not say how many pages there are") }
            if case .offset(_, _, let size, _) = pagination { return number * size >= total }
            return number >= total
        case .flag:
            switch try path?.find(in: bytes) {
            case .scalar(.bool(let more)): return !more
            case .scalar(.number(let count)): return count.double == 0
            case .scalar(.string(let text)): return text.isEmpty
            case .container(let isEmpty): return isEmpty
            case .scalar, .absent, nil: return true
            }
        case .when(let isLast): return try isLast(bytes, headers)
        case .empty, .emptyBody, .missing, nil: return false
        }
    }

    /// The token or link at the path; nil for null, absent, false and empty.
    private func text(in bytes: [UInt8]) throws -> String? {
        switch try path?.find(in: bytes) {
        case .scalar(.string(let text)): return text.isEmpty ? nil : text
        case .scalar(.number(let number)): return number.text
        case .scalar, .absent, nil: return nil
        case .container: throw notPageable("the page has an array or object where the next page should be named")
        }
    }

    private mutating func follow(_ link: String?, from url: URLReference, after current: Step) throws {
        guard let link, !link.isEmpty else { return }
        let target: URLReference
        do {
            target = url.resolving(try URLReference(link))
        } catch {
            throw notPageable("the link to the page after page \(current.number) is no URL", because: error.message)
        }
        guard let origin = target.origin else {
            throw notPageable("the link to the page after page \(current.number) is not http or https")
        }
        let isForeign = origin != first.origin
        guard !isForeign || allowsOtherOrigins else {
            throw notPageable(
                "page \(current.number) leads to another host, \(origin)",
                hint: "allow other hosts for this source if that is meant")
        }
        try go(to: target, after: current, isForeign: isForeign)
    }

    private mutating func go(to url: URLReference, after current: Step, isForeign: Bool) throws(HeadraceError) {
        let known = seen.count
        remember(url)
        guard seen.count > known else {
            throw notPageable("page \(current.number) leads back to a page that was read already")
        }
        guard current.number < limit else {
            throw notPageable("there are more than \(limit) pages", hint: "raise the limit of pages if that is meant")
        }
        next = Step(number: current.number + 1, url: url, isForeign: isForeign)
    }

    private func notPageable(_ message: String, because reason: String? = nil, hint: String? = nil) -> HeadraceError {
        HeadraceError(
            .badPagination, message, fields: [("url", first.redacted)], because: reason, hint: hint)
    }

    /// FNV-1a over the bytes and their number: enough to notice a page that is repeated.
    private static func fingerprint(of bytes: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(bytes.count)
        bytes.withUnsafeBytes { raw in
            for byte in raw { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        }
        return hash
    }
}

extension PageWalk {
    /// Where the walk stands, to go on from in another run; holds no secret of the client.
    public var position: Position? {
        next.map { step in
            Position([
                "page": .integer(step.number), "url": .string(step.url.text), "foreign": .bool(step.isForeign),
            ])
        }
    }

    /// A walk that goes on at a position that another one gave.
    ///
    /// - Throws: `malformedInput` for a position that is none of this kind.
    public init(
        from url: URLReference, _ pagination: Pagination, resumingAt position: Position, limit: Int = 10_000,
        allowsOtherOrigins: Bool = false
    ) throws(HeadraceError) {
        try self.init(from: url, pagination, limit: limit, allowsOtherOrigins: allowsOtherOrigins)
        guard let number = position.value["page"]?.integerValue, number >= 1,
            let text = position.value["url"]?.stringValue, let isForeign = position.value["foreign"]?.boolValue,
            let url = try? URLReference(http: text)
        else {
            throw HeadraceError(
                .malformedInput, "the position in the pages of \(first.redacted) cannot be read",
                hint: "start over with --restart")
        }
        remember(url)
        next = Step(number: Int(number), url: url, isForeign: isForeign)
    }
}
