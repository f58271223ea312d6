import Glibc
import Testing

@testable import HeadraceRuntime

@Suite struct RunFolderTests {
    private func withParent(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/run-folder-tests-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let parent = String(decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { rmdir(parent) }
        try body(parent)
    }

    private func touch(_ path: String) throws {
        let file = open(path, O_CREAT | O_WRONLY, 0o600)
        try #require(file >= 0)
        close(file)
    }

    private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    @Test func `The folder that a killed run left goes when the next run begins, one of a living run stays`() throws {
        try withParent { parent in
            let dead = "\(parent)/headrace-run-dead00"
            try #require(mkdir(dead, 0o700) == 0)
            try touch("\(dead)/spill")
            let first = try RunFolder.make(in: parent)
            #expect(!exists(dead))
            try touch("\(first.path)/spill")
            let second = try RunFolder.make(in: parent)
            #expect(exists("\(first.path)/spill"))
            first.remove()
            second.remove()
            #expect(!exists(first.path) && !exists(second.path))
        }
    }

    @Test func `What other programs keep beside it is left alone`() throws {
        try withParent { parent in
            let other = "\(parent)/headrace-runner"
            try #require(mkdir(other, 0o700) == 0)
            let folder = try RunFolder.make(in: parent)
            folder.remove()
            #expect(exists(other))
            rmdir(other)
        }
    }
}
