import Foundation
import Testing

/// Runs Tests/Support/arrow-interchange, which judges imports and exports by pyarrow in its own process.
@Suite struct ArrowInterchangeTests {
    @Test(.timeLimit(.minutes(5)))
    func `pyarrow agrees with every batch that goes in or out`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
        let environment = ProcessInfo.processInfo.environment
        let python = environment["HEADRACE_PYTHON"] ?? root.appending(path: ".build-venv/bin/python").path()
        guard FileManager.default.isExecutableFile(atPath: python),
            try run(python, ["-c", "import pyarrow"]).status == 0
        else {
            if environment["CI"] != nil {
                Issue.record("no pyarrow: run Tests/Support/install-dependencies --tests")
            } else {
                print("skipped: no pyarrow at \(python); Tests/Support/install-dependencies --tests installs it")
            }
            return
        }
        let products = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let library = URL(filePath: products).deletingLastPathComponent().appending(path: "libHeadraceArrowProbe.so")
        try #require(FileManager.default.fileExists(atPath: library.path()), "\(library.path()) was not built")
        let script = root.appending(path: "Tests/Support/arrow-interchange").path()
        let (status, output) = try run(python, [script, library.path()])
        #expect(status == 0, "\(output)")
        #expect(output.contains("checks passed"), "\(output)")
    }

    private func run(_ path: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
