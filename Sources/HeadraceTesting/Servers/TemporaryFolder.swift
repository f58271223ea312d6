import Glibc
import HeadraceCore

/// A folder that only this process can read, which goes away with all that is in it when the object does.
public final class TemporaryFolder: Sendable {
    /// Its path, without a slash at the end.
    public let path: String

    /// Makes an empty folder below `/tmp`. Throws `inputOutput` when the system refuses.
    public init() throws {
        var template = Array("/tmp/headrace-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw HeadraceError(.inputOutput, "a folder cannot be made below /tmp: \(String(cString: strerror(errno)))")
        }
        path = String(cString: made)
    }

    deinit { _ = try? ChildProcess.run(["rm", "-rf", path]) }

    /// The path of `name` inside the folder.
    public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes `text` as the file `name` of the folder, in the place of one that is there or behind what it holds.
    /// - Throws: `inputOutput` when the system refuses.
    public func write(_ text: String, to name: String, appending: Bool = false) throws {
        guard let file = fopen(self(name), appending ? "a" : "w") else {
            throw HeadraceError(.inputOutput, "\(name) cannot be opened: \(String(cString: strerror(errno)))")
        }
        var text = text
        let written = text.withUTF8 { fwrite($0.baseAddress, 1, $0.count, file) }
        guard fclose(file) == 0, written == text.utf8.count else {
            throw HeadraceError(.inputOutput, "\(name) cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    /// Every name inside, hidden ones too, in order.
    public func names() throws -> [String] {
        try ChildProcess.run(["ls", "-A", path]).output.split(separator: "\n").map(String.init)
    }
}
