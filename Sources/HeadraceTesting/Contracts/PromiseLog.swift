import Glibc
import HeadraceCore

/// What the checks of a run have found, for whoever makes tables of it.
enum PromiseLog {
    /// Adds a line to the file that the environment names, if it names one.
    static func note<Harness>(_ promise: String, gap: String?, of harness: Harness.Type) throws {
        guard let path = getenv("HEADRACE_PROMISES") else { return }
        let words = [
            module(of: harness), connector(of: harness), contract(of: harness), promise, gap == nil ? "proved" : "gap",
            gap ?? "",
        ]
        let line = words.map { String($0.map { $0.isNewline || $0 == "\t" ? " " : $0 }) }.joined(separator: "\t") + "\n"
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        // One write, so that lines of tests that run side by side stay whole.
        let count = Array(line.utf8).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        guard file >= 0, close(file) == 0, count == line.utf8.count else {
            throw HeadraceError(
                .inputOutput, "\(String(cString: path)) cannot be written", because: String(cString: strerror(errno)))
        }
    }

    /// The module that a type was declared in.
    static func module<Harness>(of harness: Harness.Type) -> String {
        String(String(reflecting: harness).prefix { $0 != "." })
    }

    private static func connector<Harness>(of harness: Harness.Type) -> String {
        (harness as? any SourceHarness.Type)?.connector ?? (harness as? any SinkHarness.Type)?.connector
            ?? name(of: harness)
    }

    /// The module's name without what our modules of tests have before and behind it.
    static func name<Harness>(of harness: Harness.Type) -> String {
        var name = module(of: harness)[...]
        if name.hasPrefix("Headrace") { name = name.dropFirst("Headrace".count) }
        if name.hasSuffix("Tests") { name = name.dropLast("Tests".count) }
        return String(name)
    }

    private static func contract<Harness>(of harness: Harness.Type) -> String {
        switch harness {
        case is any IncrementalSourceHarness.Type: "incremental source"
        case is any SourceHarness.Type: "source"
        case is any SinkHarness.Type: "sink"
        default: "warehouse"
        }
    }
}
