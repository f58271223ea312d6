import Glibc
import Headrace

/// One workload over the prices file, through the public API; `peers/` has the same work for other engines.
///
///     headrace-bench parse FILE              every column of a CSV file, batch by batch
///     headrace-bench table FILE              the same, all batches kept in memory
///     headrace-bench transform FILE OUT      the whole daily transform into a CSV file
///     headrace-bench write FILE OUT          CSV to CSV, all columns typed on the way
///     headrace-bench ndjson FILE             every column of a file with one JSON object a line
///     headrace-bench sqlite FILE OUT         CSV into a table of a new SQLite database
///     headrace-bench overhead                what a step that does nothing costs a batch
///
/// Options: `--threads N` (2), `--memory MIB` for operators with state (1024). Each prints check values, so that a fast wrong
/// result is seen.
@main struct Main {
    // Waits on the main thread: an asynchronous main gives it to the dispatcher, over which callgrind falls.
    static func main() {
        do {
            let command = try Command(Array(CommandLine.arguments.dropFirst()))
            for (name, value) in try BlockingWork.wait({ try await command.run() }) { print("\(name): \(value)") }
        } catch {
            let message = Array("headrace-bench: \(error)\n".utf8)
            _ = message.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
            exit(1)
        }
    }
}

/// A parsed command line.
struct Command: Sendable {
    private let workload: String
    private let paths: [String]
    private let bench: Bench

    static let usage = """
        usage: headrace-bench parse|table|ndjson FILE | transform|write|sqlite FILE OUT | overhead
               [--threads N] [--memory MIB]
        """

    init(_ arguments: [String]) throws {
        var words: [String] = []
        var threads = 2
        var memory = 1024
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--threads": threads = try Self.number(rest.popFirst())
            case "--memory": memory = try Self.number(rest.popFirst())
            default: words.append(word)
            }
        }
        workload = words.first ?? ""
        paths = Array(words.dropFirst())
        bench = Bench(threads: threads, memoryLimit: memory << 20)
        let counts = [
            "parse": 1, "table": 1, "ndjson": 1, "transform": 2, "write": 2, "sqlite": 2, "overhead": 0,
        ]
        guard counts[workload] == paths.count else { throw UsageError() }
    }

    private static func number(_ text: String?) throws -> Int {
        guard let number = text.flatMap({ Int($0) }), number > 0 else { throw UsageError() }
        return number
    }

    func run() async throws -> [(String, String)] {
        switch workload {
        case "parse": try await bench.parse(paths[0])
        case "table": try await bench.table(paths[0])
        case "ndjson": try await bench.ndjson(paths[0])
        case "transform": try await bench.transform(paths[0], into: paths[1])
        case "write": try await bench.write(paths[0], into: paths[1])
        case "sqlite": try await bench.sqlite(paths[0], into: paths[1])
        default: try await bench.overhead()
        }
    }
}

struct UsageError: Error, CustomStringConvertible {
    var description: String { "not understood\n\(Command.usage)" }
}
