/// A request that the demo market has had, and what became of it.
public struct MarketExchange: Hashable, Sendable {
    /// The request's method, such as `GET`.
    public let method: String
    /// The path without the query.
    public let path: String
    /// The query's parameters.
    public let query: [String: String]
    /// The status of the answer; nil when the connection was closed or left waiting on purpose.
    public let status: Int?
}
