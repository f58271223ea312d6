import ArgumentParser
import Glibc
import HeadraceCore

/// Makes something to begin with.
struct NewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a package to begin with.", subcommands: [NewConnectorCommand.self])
}

/// Makes a package with a connector in it.
struct NewConnectorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connector",
        abstract: "Make a Swift package with a source and a sink that work, to make your own of.",
        discussion: """
            `headrace new connector Acme` makes the folder headrace-acme: a package with AcmeSource, AcmeSink, the program headrace-acme,
            which is headrace with locations acme:ADDRESS, and tests that hold both to all that Headrace demands. It builds and
            passes as it is, with a file of records in place of your system:

              cd headrace-acme && swift test --disable-xctest
              swift run headrace-acme copy rows.csv acme:records

            What is yours to write is marked WRITE HERE, and listed in its README.md; docs/writing-a-connector.md of Headrace
            goes through a finished example. Nothing that exists is overwritten.
            """)

    @Argument(help: "The system's name in upper camel case, as its makers spell it: Acme, DuckDB.")
    var name: String

    @Option(help: ArgumentHelp("The folder to make (default: headrace-NAME, in lower case).", valueName: "dir"))
    var path: String?

    @Option(
        help: ArgumentHelp(
            "Where the package finds Headrace: a folder with its checkout, or the URL of its repository (default: the checkout that the new folder lies in, or that this program was built in).",
            valueName: "dir|url"))
    var headrace: String?

    func validate() throws {
        let bytes = Array(name.utf8)
        let isName =
            bytes.count >= 2 && (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[0])
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
        guard isName else {
            throw ValidationError("NAME is two or more letters and digits and begins with a capital, such as Acme")
        }
    }

    func run() async throws {
        let dependency = try dependency()
        let template = ConnectorTemplate(name: name, dependency: dependency.line, package: dependency.package)
        let tool = CommandEnvironment.current.tool
        let isTaken =
            tool.schemes.contains(template.scheme) || Self.modules.contains(template.scheme)
            || Self.types.contains(template.scheme)
        guard !isTaken else {
            throw HeadraceError(
                .badOption, "Headrace has a module, a connector or a type called \(name) itself",
                hint: "choose another name, such as My\(name)")
        }
        let folder = path ?? "headrace-\(template.scheme)"
        guard mkdir(folder, 0o777) == 0 else {
            let isThere = errno == EEXIST
            throw HeadraceError(
                isThere ? .badOption : .inputOutput, "the folder \(folder) cannot be made",
                because: String(cString: strerror(errno)),
                hint: isThere ? "nothing is overwritten: name another folder by --path, or remove this one" : nil)
        }
        for (path, text) in template.files { try Self.write(text, to: path, in: folder) }
        StandardStreams.output(
            """
            \(folder): the package Headrace\(name)
              cd \(folder) && swift test --disable-xctest
            then what is marked WRITE HERE, in the order of \(folder)/README.md

            """)
    }

    /// What Headrace's own modules are called, without `Headrace` and in lower case: a package cannot have two of one name.
    private static let modules: Set<String> = [
        "core", "columnar", "runtime", "testing", "jobs", "command", "files", "codecs", "digests", "httpclient", "csv",
        "json",
        "xml", "html", "http", "sqlite", "postgresql", "mysql", "landing", "keyvalue", "validation", "deduplication",
        "currency",
        "text", "facttable", "loopback", "arrowprobe", "faultproxy", "carrow", "cli",
    ]

    /// What types of Headrace's are called before `Source`, `Sink`, `Reader`, `Writer`, `Page` or `Connector`, in lower
    /// case: a class `SourceReader` could not be a `SourceReader`.
    private static let types: Set<String> = [
        "appending", "byte", "carrier", "describable", "file", "format", "history", "incremental", "inserting",
        "memory", "metered", "mirroring", "partitioned", "reject", "replacing", "replayable", "resumable", "row",
        "sink", "source", "synchronous", "transactional", "upserting",
    ]

    /// Makes a file and the folders above it. Throws for a file that is there.
    private static func write(_ text: String, to path: String, in folder: String) throws {
        var current = folder
        let parts = path.split(separator: "/")
        for part in parts.dropLast() {
            current += "/\(part)"
            if mkdir(current, 0o777) != 0, errno != EEXIST { throw failure(current) }
        }
        guard let file = fopen("\(folder)/\(path)", "wx") else { throw failure("\(folder)/\(path)") }
        var text = text
        let count = text.withUTF8 { fwrite($0.baseAddress, 1, $0.count, file) }
        guard fclose(file) == 0, count == text.utf8.count else { throw failure("\(folder)/\(path)") }
    }

    private static func failure(_ path: String) -> HeadraceError {
        HeadraceError(.inputOutput, "\(path) cannot be written", because: String(cString: strerror(errno)))
    }

    // MARK: - Where Headrace is

    /// Headrace as a line of a manifest, and what its products are asked for by.
    private func dependency() throws -> (line: String, package: String) {
        if let headrace, headrace.contains("://") || headrace.hasPrefix("git@") {
            let last = headrace.split(separator: "/").last.map(String.init) ?? "Headrace"
            return (
                ".package(url: \"\(headrace)\", from: \"\(headraceVersion)\")",
                last.hasSuffix(".git") ? String(last.dropLast(4)) : last
            )
        }
        if let headrace {
            guard let checkout = Self.checkout(at: headrace) else {
                throw HeadraceError(.badOption, "\(headrace) is no checkout of Headrace")
            }
            return Self.manifestLine(checkout)
        }
        let above = path?.lastIndex(of: "/").map { path?[...$0] ?? "" }.map(String.init) ?? "."
        let starts = [above, "/proc/self/exe"]
        guard let checkout = starts.compactMap(Self.checkout(above:)).first else {
            throw HeadraceError(
                .badOption, "it is not known where the package finds Headrace",
                hint: "name a checkout or the URL of its repository by --headrace")
        }
        return Self.manifestLine(checkout)
    }

    private static func manifestLine(_ checkout: String) -> (line: String, package: String) {
        (".package(name: \"Headrace\", path: \(checkout.debugDescription))", "Headrace")
    }

    private static func checkout(above path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        var folder = String(cString: real)
        while let slash = folder.lastIndex(of: "/") {
            if let found = checkout(at: folder) { return found }
            folder = String(folder[..<slash])
        }
        return nil
    }

    /// The real path of a folder that holds Headrace's sources.
    private static func checkout(at path: String) -> String? {
        guard access("\(path)/Package.swift", R_OK) == 0, access("\(path)/Sources/HeadraceCore", F_OK) == 0,
            let real = realpath(path, nil)
        else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}

extension HeadraceTool {
    /// Every scheme that a connector of the tool serves.
    fileprivate var schemes: Set<String> {
        Set(connectors.flatMap { ($0 as? any RowConnector)?.schemes ?? ($0 as? any CarrierConnector)?.schemes ?? [] })
    }
}
