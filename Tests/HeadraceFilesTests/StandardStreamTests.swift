import Glibc
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceFiles

@Suite struct StandardStreamTests {
    let folder = TemporaryFolder()
    let context = RunContext.testing()

    @Test func `a pipe is read as it comes, once, from its start`() throws {
        mkfifo(folder("pipe"), 0o600)
        let path = folder("pipe")
        EngineThread.start {
            let number = open(path, O_WRONLY)
            for _ in 0..<3 {
                write(number, "ab", 2)
                usleep(1000)
            }
            close(number)
        }
        let source = try FileConnector().byteSource(at: Location(scheme: "", address: path))
        #expect(!(source is any ResumableByteSource))
        let object = try #require(try source.nextObject(after: nil, in: context))
        #expect(object.byteCount == nil)
        #expect(try source.open(object, at: 0, in: context).allText() == "ababab")
        #expect(try source.nextObject(after: object, in: context) == nil)
        #expect(code { _ = try source.open(object, at: 0, in: context) } == "unsupported")
    }

    @Test func `a stream cannot be opened at an offset`() throws {
        let source = StandardInput()
        let object = try #require(try source.nextObject(after: nil, in: context))
        #expect(object.name == "-")
        #expect(code { _ = try source.open(object, at: 5, in: context) } == "unsupported")
    }

    @Test func `a reader that went away is a clean error`() throws {
        mkfifo(folder("pipe"), 0o600)
        let reader = open(folder("pipe"), O_RDONLY | O_NONBLOCK)
        let writer = try StandardOutput(device: folder("pipe")).create(in: context)
        close(reader)
        let failed = code {
            try writer.write(String(repeating: "x", count: 100_000))
            try writer.publish()
        }
        #expect(failed == "outputClosed")
        writer.abort()
    }
}
