import HeadraceColumnar
import HeadraceCore

/// What became of one source of a scrape, as `metadata.json` tells it.
public struct LandingStatistics: Sendable, Hashable {
    /// The source's name.
    public var source: String
    /// Why the source failed; nil when all of it landed.
    public var error: String?
    /// Microseconds since 1970.
    public var startedAt: Int64
    /// Microseconds since 1970; the failure's time where there was one.
    public var finishedAt: Int64
    /// Files that count; zero for a source that failed.
    public var files: Int
    /// Bytes received, those of files that do not count included.
    public var bytes: Int
    /// Requests that it took; more than the files by retries and pages without records.
    public var requests: Int

    /// The statistics of one source; times in microseconds since 1970.
    public init(
        source: String, error: String? = nil, startedAt: Int64, finishedAt: Int64, files: Int, bytes: Int,
        requests: Int
    ) {
        self.source = source
        self.error = error
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.files = files
        self.bytes = bytes
        self.requests = requests
    }

    var json: JSONValue {
        [
            "source": .string(source), "status": error == nil ? "complete" : "failed",
            "error": error.map(JSONValue.string) ?? .null,
            "startedAt": .string(Temporal.formatTimestamp(startedAt, hasZone: true)),
            "finishedAt": .string(Temporal.formatTimestamp(finishedAt, hasZone: true)),
            "milliseconds": .integer((finishedAt - startedAt) / 1000), "files": .integer(files),
            "bytes": .integer(bytes), "requests": .integer(requests),
        ]
    }

    init?(json: JSONValue) {
        guard let source = json["source"]?.stringValue else { return nil }
        func time(_ name: String) -> Int64 { json[name]?.stringValue.map { Temporal.microseconds(ofText: $0) } ?? 0 }
        func count(_ name: String) -> Int { json[name]?.integerValue.map { Int($0) } ?? 0 }
        self.init(
            source: source, error: json["error"]?.stringValue, startedAt: time("startedAt"),
            finishedAt: time("finishedAt"), files: count("files"), bytes: count("bytes"), requests: count("requests"))
    }
}
