import Glibc
public import HeadraceCore

/// Local files, patterns, pipes and the standard streams for the command line.
public struct FileConnector: CarrierConnector {
    /// A connector without state.
    public init() {}

    public let name = "file"
    public let schemes = [""]
    public let options: [ConnectorOption] = []

    /// Standard input for `-`, a stream for a pipe or device, else the file or pattern.
    public func byteSource(at location: Location) throws -> any ByteSource {
        if location.isStandardStream { return StandardInput() }
        if FileStatus(at: location.address)?.kind == .other { return StandardInput(pipe: location.address) }
        return LocalFiles(at: location.address)
    }

    /// Standard output for `-`, else an atomic file.
    public func byteSink(at location: Location) throws -> any ByteSink {
        location.isStandardStream ? StandardOutput() : AtomicFile(at: location.address)
    }

    /// Says how many files and bytes there are; throws what reading would throw.
    public func check(_ location: Location, in context: RunContext) async throws -> String {
        if location.isStandardStream { return "standard input or output" }
        let address = location.address
        return try await BlockingWork.run {
            if FileStatus(at: address)?.kind == .other { return "\(address): a pipe or device" }
            let paths = try FilePattern(text: address).files()
            var byteCount = 0
            for path in paths {
                byteCount += try LocalFiles.object(at: path).byteCount ?? 0
                try LocalFileReader(path, at: 0).close()
            }
            return paths == [address]
                ? "\(address): a file of \(byteCount) bytes" : "\(address): \(paths.count) files, \(byteCount) bytes"
        }
    }
}
