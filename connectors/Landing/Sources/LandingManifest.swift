import HeadraceColumnar
import HeadraceCore

/// One landed file as the manifest describes it.
public struct LandedFile: Sendable, Hashable {
    /// The name inside the day's folder.
    public var name: String
    /// The size of the file.
    public var bytes: Int
    /// Lower-case hex.
    public var sha256: String
    /// The source that the file is a page of.
    public var source: String
    /// Counts from 1 within the source.
    public var page: Int
    /// The media type as the server told it; nil when it did not.
    public var contentType: String?
    /// Where it came from, secrets left out.
    public var url: String?
    /// Microseconds since 1970.
    public var landedAt: Int64

    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("name", .string(name)), ("bytes", .integer(bytes)), ("sha256", .string(sha256)),
            ("source", .string(source)), ("page", .integer(page)),
        ]
        if let contentType { members.append(("contentType", .string(contentType))) }
        if let url { members.append(("url", .string(url))) }
        members.append(("landedAt", .string(Temporal.formatTimestamp(landedAt, hasZone: true))))
        return .object(members)
    }

    init(
        name: String, bytes: Int, sha256: String, source: String, page: Int, contentType: String?, url: String?,
        landedAt: Int64
    ) {
        self.name = name
        self.bytes = bytes
        self.sha256 = sha256
        self.source = source
        self.page = page
        self.contentType = contentType
        self.url = url
        self.landedAt = landedAt
    }

    init?(json: JSONValue) {
        guard let name = json["name"]?.stringValue, LandingNames.isSafe(name),
            let bytes = json["bytes"]?.integerValue, bytes >= 0, let sha256 = json["sha256"]?.stringValue
        else { return nil }
        self.init(
            name: name, bytes: Int(bytes), sha256: sha256.lowercased(),
            source: json["source"]?.stringValue ?? LandingNames.source(of: name),
            page: json["page"]?.integerValue.map { Int($0) } ?? 1, contentType: json["contentType"]?.stringValue,
            url: json["url"]?.stringValue,
            landedAt: json["landedAt"]?.stringValue.map { Temporal.microseconds(ofText: $0) } ?? 0)
    }
}

/// The files of one day, each with what proves that it is still what was received.
public struct LandingManifest: Sendable, Hashable {
    /// `YYYY-MM-DD`.
    public var date: String
    /// The run that wrote the manifest last.
    public var run: String
    /// In order of source and page.
    public var files: [LandedFile]

    /// The sources that have files, in order of name.
    public var sources: [String] { Set(files.map(\.source)).sorted() }

    /// The files of a source in the order of its pages; empty for a source without files.
    public func files(of source: String) -> [LandedFile] {
        files.filter { $0.source == source }.sorted { $0.page < $1.page }
    }

    init(date: String, run: String, files: [LandedFile]) {
        self.date = date
        self.run = run
        self.files = files.sorted { ($0.source, $0.page) < ($1.source, $1.page) }
    }

    var json: JSONValue {
        [
            "date": .string(date), "run": .string(run), "files": .array(files.map(\.json)),
        ]
    }

    /// Reads a manifest back; what it holds beyond names, sizes and checksums may be absent.
    init(_ bytes: [UInt8], key: String) throws(HeadraceError) {
        let json: JSONValue
        do {
            json = try JSONValue.parse(bytes)
        } catch {
            throw HeadraceError(.malformedInput, "\(key) is not JSON", hint: Self.hint, underlying: error)
        }
        guard let entries = json["files"]?.arrayValue else {
            throw HeadraceError(.malformedInput, "\(key) has no list \"files\"", hint: Self.hint)
        }
        var files: [LandedFile] = []
        for (index, entry) in entries.enumerated() {
            guard let file = LandedFile(json: entry) else {
                throw HeadraceError(
                    .malformedInput, "entry \(index) of \(key) lacks a name, size or checksum", hint: Self.hint)
            }
            files.append(file)
        }
        self.init(
            date: json["date"]?.stringValue ?? "", run: json["run"]?.stringValue ?? "", files: files)
    }

    private static let hint = "scrape the date again"
}

/// Names inside the landing zone.
enum LandingNames {
    /// Whether a source's name can be the start of a file name: letters, digits, `_`, `-` and `.`, not beginning with a dot.
    static func isSource(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 100
            && name.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }

    /// Whether a name of a manifest stays inside its folder.
    static func isSafe(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
    }

    static func file(_ source: String, time: Int64, page: Int?, extension: String) -> String {
        let time = Temporal.formatTime(time).prefix(8).filter { $0 != ":" }
        return "\(source)_\(time)\(page.map(suffix) ?? "").\(`extension`)"
    }

    private static func suffix(_ page: Int) -> String {
        let digits = "\(page)"
        return "-" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }

    /// The source of a file that this zone named: what stands before `_HHMMSS`; the name itself when it did not.
    static func source(of name: String) -> String {
        guard let mark = name.utf8.lastIndex(of: UInt8(ascii: "_")) else { return name }
        let source = String(name[..<mark])
        return isFile(name, of: source) ? source : name
    }

    /// Whether a file is one that this zone wrote for a source: `source_HHMMSS.ext` or `source_HHMMSS-NNN.ext`.
    static func isFile(_ name: String, of source: String) -> Bool {
        guard name.hasPrefix(source + "_") else { return false }
        var rest = name.utf8.dropFirst(source.utf8.count + 1)
        guard rest.prefix(6).count == 6, rest.prefix(6).allSatisfy(isDigit) else { return false }
        rest = rest.dropFirst(6)
        if rest.first == UInt8(ascii: "-") {
            let digits = rest.dropFirst().prefix(while: isDigit)
            guard digits.count >= 3 else { return false }
            rest = rest.dropFirst(1 + digits.count)
        }
        return rest.first == UInt8(ascii: ".") && rest.count > 1
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || byte == UInt8(ascii: "_")
    }
}

extension Temporal {
    /// The time of an ISO text that this module wrote; 0 for any other text.
    static func microseconds(ofText text: String) -> Int64 {
        let bytes = Array(text.utf8)
        return TimestampText.parse(bytes.span).microseconds
    }
}
