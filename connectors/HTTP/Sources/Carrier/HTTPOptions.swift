import HeadraceCore
import HeadraceHTTPClient

/// What the options of an http location say.
struct HTTPOptions {
    private let location: Location

    init(_ location: Location) { self.location = location }

    static let all = [
        ConnectorOption("header", "NAME: VALUE", "a header to send; may be repeated; never for secrets"),
        ConnectorOption("header-env", "NAME: VARIABLE", "a header whose value is taken from the environment"),
        ConnectorOption("bearer-env", "VARIABLE", "a token for Authorization: Bearer, from the environment"),
        ConnectorOption("user", "NAME", "the user of basic authentication, with password-env"),
        ConnectorOption("password-env", "VARIABLE", "the password of basic authentication, from the environment"),
        ConnectorOption("api-key-env", "VARIABLE", "an API key, from the environment"),
        ConnectorOption("api-key-header", "NAME", "the header that takes the API key (X-API-Key)"),
        ConnectorOption("api-key-parameter", "NAME", "the parameter of the query that takes the API key"),
        ConnectorOption("page", "PARAMETER", "a parameter that counts pages; needs page-until"),
        ConnectorOption("page-from", "N", "the number of the first page (1)"),
        ConnectorOption(
            "offset", "PARAMETER", "a parameter that counts records; needs limit, page-size and page-until"),
        ConnectorOption("limit", "PARAMETER", "the parameter for the size of a page, with offset"),
        ConnectorOption("page-size", "N", "records of a page, with offset"),
        ConnectorOption(
            "page-until", "empty:PATH|total:PATH|flag:PATH|count:N|empty-body|missing", "what ends counted pages"),
        ConnectorOption("cursor", "PARAMETER", "a parameter that takes the cursor at cursor-path of the page before"),
        ConnectorOption("cursor-path", "PATH", "where a JSON page holds the cursor, such as /meta/next"),
        ConnectorOption(
            "next", "link-header|PATH", "the link to the next page: in the Link header, or in the JSON page"),
        ConnectorOption("page-limit", "N", "the most pages (10000)"),
        ConnectorOption("rate", "N", "requests a second (10)"),
        ConnectorOption("attempts", "N", "attempts of each request (3)"),
        ConnectorOption("timeout", "SECONDS", "from the first attempt to the last byte of a request's answer"),
        ConnectorOption("robots", "AGENT", "keep to robots.txt as the agent of this name"),
        ConnectorOption(
            "resume", "true|false", "let a later run read on where this one ended; needs strong ETags (false)"),
    ]

    func url() throws(HeadraceError) -> URLReference {
        try URLReference(http: "\(location.scheme):\(location.address)")
    }

    func configuration() throws(HeadraceError) -> RESTConfiguration {
        var configuration = RESTConfiguration()
        for option in location.options where option.name == "header" {
            let (name, value) = try Self.pair(option)
            guard !Self.isSecret(name) else {
                throw HeadraceError(
                    .badOption, "the header \(name) carries a secret, which must not stand in a location",
                    hint: "put the value into the environment and write header-env=\(name): VARIABLE")
            }
            configuration.headers.add(name, value)
        }
        configuration.authentication = try authentication()
        if let rate = try number("rate", 1...100_000) { configuration.limits = [RateLimit(rate, per: .seconds(1))] }
        if let attempts = try number("attempts", 1...100) { configuration.retry.attempts = attempts }
        if let timeout = try number("timeout", 1...1_000_000) { configuration.retry.budget = .seconds(timeout) }
        if let agent = location["robots"], !agent.isEmpty { configuration.robots = .obeyed(agent: agent) }
        return configuration
    }

    private func authentication() throws(HeadraceError) -> [HTTPAuthentication] {
        var found: [HTTPAuthentication] = []
        for option in location.options where option.name == "header-env" {
            let (name, variable) = try Self.pair(option)
            found.append(.header(name, try Secret(environment: variable)))
        }
        if let variable = location["bearer-env"] { found.append(.bearer(try Secret(environment: variable))) }
        switch (location["user"], location["password-env"]) {
        case (let user?, let variable?):
            found.append(.basic(user: user, password: try Secret(environment: variable)))
        case (nil, nil): break
        default: throw HeadraceError(.badOption, "user and password-env go together")
        }
        if let variable = location["api-key-env"] {
            let key = try Secret(environment: variable)
            if let parameter = location["api-key-parameter"] {
                found.append(.query(parameter, key))
            } else {
                found.append(.header(location["api-key-header"] ?? "X-API-Key", key))
            }
        }
        return found
    }

    /// How one page leads to the next; nil for a single body.
    func pagination() throws(HeadraceError) -> Pagination? {
        let ways = ["page", "offset", "cursor", "next"].filter { location[$0] != nil }
        guard ways.count <= 1 else {
            throw HeadraceError(
                .badOption, "\(ways.joined(separator: " and ")) are two ways to the next page: choose one")
        }
        if let parameter = location["page"] {
            return .page(parameter: parameter, from: try number("page-from", 0...1_000_000) ?? 1, until: try end())
        }
        if let parameter = location["offset"] {
            guard let limit = location["limit"], let size = try number("page-size", 1...1_000_000) else {
                throw HeadraceError(.badOption, "offset needs limit=PARAMETER and page-size=N")
            }
            return .offset(parameter: parameter, limitParameter: limit, size: size, until: try end())
        }
        if let parameter = location["cursor"] {
            guard let path = location["cursor-path"] else {
                throw HeadraceError(.badOption, "cursor needs cursor-path=PATH, such as /meta/next")
            }
            return .cursor(bodyPath: path, parameter: parameter)
        }
        guard let next = location["next"] else { return nil }
        switch next {
        case "link-header": return .linkHeader
        case "html": return .htmlLink
        default: return .bodyLink(path: next)
        }
    }

    private func end() throws(HeadraceError) -> PageEnd {
        let text = location["page-until"] ?? ""
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts.first, parts.count == 2 ? parts[1] : nil) {
        case ("empty", let path?): return .empty(recordPath: path)
        case ("total", let path?): return .total(path: path)
        case ("flag", let path?): return .flag(path: path)
        case ("count", let count?): if let count = Int(count), count > 0 { return .count(count) }
        case ("empty-body", nil): return .emptyBody
        case ("missing", nil): return .missing
        default: break
        }
        throw HeadraceError(
            .badOption, text.isEmpty ? "counted pages need an end" : "page-until=\(text) is not understood",
            hint: "write page-until=empty:/items, total:/pages, flag:/more, count:10, empty-body or missing")
    }

    /// A whole number; nil when the option is not given.
    func number(_ name: String, _ range: ClosedRange<Int>) throws(HeadraceError) -> Int? {
        guard let text = location[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw HeadraceError(
                .badOption, "\(name)=\(text) is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func flag(_ name: String) throws(HeadraceError) -> Bool {
        switch location[name] {
        case nil, "false": return false
        case "true": return true
        case .some(let text): throw HeadraceError(.badOption, "\(name)=\(text) is neither true nor false")
        }
    }

    private static func pair(_ option: Location.Option) throws(HeadraceError) -> (String, String) {
        guard let colon = option.value.firstIndex(of: ":"), colon != option.value.startIndex else {
            throw HeadraceError(.badOption, "\(option.name) is written \(option.name)=NAME: VALUE")
        }
        let value = option.value[option.value.index(after: colon)...].drop { $0 == " " }
        return (String(option.value[..<colon]), String(value))
    }

    /// Whether a header by custom carries a secret, as the client's own redaction has it.
    private static func isSecret(_ name: String) -> Bool {
        var probe = HTTPHeaders()
        probe.add(name, "x")
        return probe.description.hasSuffix("<redacted>")
    }
}
