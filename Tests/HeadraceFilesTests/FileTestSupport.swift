import Glibc
import HeadraceCore
import HeadraceTesting
import Synchronization

@testable import HeadraceFiles

/// A folder that goes away with the object.
final class TemporaryFolder: Sendable {
    let path: String
    private static let counter = Atomic<Int>(0)

    init() {
        path = "/tmp/headrace-files-\(getpid())-\(Self.counter.wrappingAdd(1, ordering: .relaxed).newValue)"
        mkdir(path, 0o700)
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        for name in Folder.names(in: path) ?? [] {
            let entry = "\(path)/\(name)"
            if FileStatus(at: entry)?.kind == .folder { remove(entry) } else { unlink(entry) }
        }
        rmdir(path)
    }

    /// The path of `name` inside the folder.
    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Every name inside, hidden ones too.
    var names: [String] { Folder.names(in: path) ?? [] }

    @discardableResult
    func file(_ name: String, _ text: String) throws -> String {
        let folder = FilePath.split(self(name)).folder
        try Folder.create(folder)
        try FileContents.write(Array(text.utf8), to: self(name))
        return self(name)
    }

    func text(_ name: String) throws -> String { String(decoding: try FileContents.read(self(name)), as: UTF8.self) }
}

extension ByteReader {
    /// Everything up to the end, read in pieces of `size` bytes.
    func all(piece size: Int = 1000) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: size)
        while true {
            let got = try piece.withUnsafeMutableBytes { try read(into: $0) }
            if got == 0 { return bytes }
            bytes.append(contentsOf: piece[..<got])
        }
    }

    func allText() throws -> String { String(decoding: try all(), as: UTF8.self) }
}

extension ByteWriter {
    func write(_ text: String) throws {
        try Array(text.utf8).withUnsafeBytes { try write($0) }
    }
}

extension ByteSource {
    /// The names of all objects in order.
    func objectNames(_ context: RunContext) throws -> [String] {
        var names: [String] = []
        var object = try nextObject(after: nil, in: context)
        while let current = object {
            names.append(current.name)
            object = try nextObject(after: current, in: context)
        }
        return names
    }
}

/// The code of the error that `body` throws, nil when it throws none of ours.
func code(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return (error as? HeadraceError)?.code.rawValue ?? "\(error)"
    }
}
