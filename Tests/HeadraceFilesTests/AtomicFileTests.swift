import Glibc
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceFiles

@Suite struct AtomicFileTests {
    let folder = TemporaryFolder()

    @Test func `nothing is visible under the name before it is published`() throws {
        let writer = try AtomicFile(at: folder("out.csv")).create(in: RunContext.testing())
        try writer.write("a,b\n")
        try writer.write(String(repeating: "x", count: 300_000))
        #expect(FileStatus(at: folder("out.csv")) == nil)
        try writer.publish()
        #expect(try folder.text("out.csv") == "a,b\n" + String(repeating: "x", count: 300_000))
        #expect(folder.names == ["out.csv"])
    }

    @Test func `an aborted file leaves the old contents and no hidden file`() throws {
        try folder.file("out.csv", "old")
        let writer = try AtomicFile(at: folder("out.csv")).create(in: RunContext.testing())
        try writer.write("new")
        writer.abort()
        writer.abort()
        #expect(try folder.text("out.csv") == "old")
        #expect(folder.names == ["out.csv"])
    }

    @Test func `a writer that is dropped without a word leaves nothing`() throws {
        do { try AtomicFile(at: folder("out.csv")).create(in: RunContext.testing()).write("x") }
        #expect(folder.names == [])
    }

    @Test func `an abort after publishing keeps the file`() throws {
        let writer = try AtomicFile(at: folder("out.csv")).create(in: RunContext.testing())
        try writer.write("new")
        try writer.publish()
        writer.abort()
        #expect(try folder.text("out.csv") == "new")
    }

    @Test func `a failure before the rename leaves the old file and no hidden one`() throws {
        try folder.file("out.csv", "old")
        let context = RunContext.testing(faults: Faults(failingAt: "file.publish"))
        let writer = try AtomicFile(at: folder("out.csv")).create(in: context)
        try writer.write("new")
        #expect(throws: HeadraceError.self) { try writer.publish() }
        writer.abort()
        #expect(try folder.text("out.csv") == "old")
        #expect(folder.names == ["out.csv"])
    }

    @Test func `a replaced file keeps its permissions`() throws {
        try folder.file("out.csv", "old")
        chmod(folder("out.csv"), 0o640)
        let writer = try AtomicFile(at: folder("out.csv")).create(in: RunContext.testing())
        try writer.publish()
        #expect(FileStatus(at: folder("out.csv"))?.mode == 0o640)
    }

    @Test func `the file behind a symbolic link is replaced and the link stays`() throws {
        try folder.file("data/real.csv", "old")
        symlink("data/real.csv", folder("link.csv"))
        let writer = try AtomicFile(at: folder("link.csv")).create(in: RunContext.testing())
        try writer.write("new")
        try writer.publish()
        #expect(try folder.text("data/real.csv") == "new")
        var status = stat()
        lstat(folder("link.csv"), &status)
        #expect(status.st_mode & S_IFMT == S_IFLNK)
    }

    @Test func `the next writer removes what killed ones left and spares the living and what others made`() throws {
        try folder.file(".out.csv.headrace-00000000deadbeef.tmp", "the same target's")
        try folder.file(".page_131214-002.xml.headrace-00000000deadbeef.tmp", "a target's that is never written again")
        let foreign = [".headrace-1.tmp", ".notes.headrace.tmp", ".out.csv.tmp", "out.csv.headrace-1.tmp"]
        for name in foreign { try folder.file(name, "not ours") }
        let living = try AtomicFile(at: folder("out.csv")).create(in: RunContext.testing(seed: 1))
        #expect(folder.names.count == foreign.count + 1)
        let second = try AtomicFile(at: folder("out.csv")).create(in: RunContext.testing(seed: 2))
        #expect(folder.names.count == foreign.count + 2)
        try living.write("first")
        try living.publish()
        try second.write("second")
        try second.publish()
        #expect(try folder.text("out.csv") == "second")
        #expect(folder.names.sorted() == (foreign + ["out.csv"]).sorted())
    }

    @Test func `two writers with the same random numbers do not share a hidden file`() throws {
        let first = try AtomicFile(at: folder("out.csv")).create(in: RunContext.testing(seed: 5))
        let second = try AtomicFile(at: folder("out.csv")).create(in: RunContext.testing(seed: 5))
        #expect(folder.names.count == 2)
        first.abort()
        second.abort()
    }

    @Test func `folders are refused and devices are written directly`() throws {
        #expect(code { _ = try AtomicFile(at: folder.path).create(in: RunContext.testing()) } == "wrongKindOfFile")
        let writer = try AtomicFile(at: "/dev/null").create(in: RunContext.testing())
        try writer.write("gone")
        try writer.publish()
        #expect(FileStatus(at: "/dev/null")?.kind == .other)
    }

    @Test func `a folder that is not there is named`() throws {
        let error = #expect(throws: HeadraceError.self) {
            try AtomicFile(at: folder("no/out.csv")).create(in: RunContext.testing())
        }
        #expect(error?.code == .notFound)
        #expect(error?.hint == "create the folder \(folder("no"))")
    }

    @Test func `a full disk is an error of its own kind`() throws {
        let writer = try AtomicFile(at: "/dev/full").create(in: RunContext.testing())
        let failed = code {
            try writer.write(String(repeating: "x", count: 100_000))
            try writer.publish()
        }
        #expect(failed == "noSpace")
    }

    @Test func `the plan says whether a file is created or replaced`() throws {
        #expect(AtomicFile(at: folder("a")).plan() == "create \(folder("a"))")
        try folder.file("a", "")
        #expect(AtomicFile(at: folder("a")).plan() == "replace \(folder("a"))")
    }
}
