public import HeadraceHTTPClient

/// How one page of an answer leads to the next.
public enum Pagination: Sendable {
    /// One page.
    case single
    /// A number in the query that counts pages.
    case page(parameter: String, from: Int = 1, until: PageEnd)
    /// A number in the query that counts records, with a second parameter for the size of a page.
    case offset(parameter: String, limitParameter: String, size: Int, until: PageEnd)
    /// A token at `bodyPath` of a JSON page, sent back as a parameter; null, absent or empty ends. The first request
    /// goes as it is written.
    case cursor(bodyPath: String, parameter: String)
    /// `Link: <…>; rel="next"` of RFC 8288; no such link ends.
    case linkHeader
    /// A URL at a path of a JSON page, relative to the page; null, absent or empty ends.
    case bodyLink(path: String)
    /// A link that the closure finds in a page, for XML and HTML; relative to the page, nil ends.
    case link(@Sendable (_ bytes: [UInt8], _ headers: HTTPHeaders) throws -> String?)
}

/// What tells that a counted page was the last. Paths are JSON pointers (`/data/items`) or `$.data.items`.
public enum PageEnd: Sendable {
    /// The array at the path is empty or absent; that page holds no records.
    case empty(recordPath: String)
    /// The number of pages, or of records where an offset counts, stands at the path.
    case total(path: String)
    /// The value at the path is false, null, zero or absent.
    case flag(path: String)
    /// This many pages.
    case count(Int)
    /// The body has nothing but white space, or the status is 204; that page holds no records.
    case emptyBody
    /// The server has no such page: 404 or 410 after the first.
    case missing
    /// The closure finds that a page was the last.
    case when(@Sendable (_ bytes: [UInt8], _ headers: HTTPHeaders) throws -> Bool)
}
