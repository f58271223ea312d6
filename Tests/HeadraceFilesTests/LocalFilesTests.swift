import Glibc
import HeadraceCore
import HeadraceFiles
import HeadraceTesting
import Testing

@Suite struct LocalFilesTests {
    let folder = TemporaryFolder()
    let context = RunContext.testing()

    @Test func `a pattern gives its files in byte order and leaves out folders and hidden files`() throws {
        for name in ["b.csv", "a.csv", "B.csv", "10.csv", "9.csv", ".hidden.csv", "a.txt", "é.csv"] {
            try folder.file(name, name)
        }
        try folder.file("z.csv/inside", "")
        let names = try LocalFiles(at: folder("*.csv")).objectNames(context)
        #expect(names == ["10.csv", "9.csv", "B.csv", "a.csv", "b.csv", "é.csv"].map { folder($0) })
    }

    @Test func `a whole name that exists wins over its meaning as a pattern`() throws {
        try folder.file("[a].csv", "whole")
        try folder.file("a.csv", "pattern")
        let files = LocalFiles(at: folder("[a].csv"))
        let object = try #require(try files.nextObject(after: nil, in: context))
        #expect(try files.open(object, at: 0, in: context).allText() == "whole")
        #expect(try files.nextObject(after: object, in: context) == nil)
    }

    @Test func `a file opens at any offset and knows its size and extension`() throws {
        let files = LocalFiles(at: try folder.file("prices.CSV.gz", "0123456789"))
        let object = try #require(try files.nextObject(after: nil, in: context))
        #expect(object.byteCount == 10)
        #expect(object.contentType == "csv")
        #expect(try files.open(object, at: 7, in: context).allText() == "789")
        #expect(try files.open(object, at: 70, in: context).allText() == "")
    }

    @Test func `a file that is written anew has another identity even with the same size`() throws {
        let files = LocalFiles(at: try folder.file("a.csv", "one"))
        let before = try #require(try files.nextObject(after: nil, in: context))
        #expect(try files.nextObject(after: nil, in: context)?.identity == before.identity)
        try folder.file("a.csv", "two")
        #expect(try files.nextObject(after: nil, in: context)?.identity != before.identity)
    }

    @Test func `a name that is not there is an error that names what is near`() throws {
        try folder.file("prices.csv", "")
        let files = LocalFiles(at: folder("pricse.csv"))
        let error = #expect(throws: HeadraceError.self) { try files.nextObject(after: nil, in: context) }
        #expect(error?.code == .notFound)
        #expect(
            error?.description == """
                error: cannot read \(folder("pricse.csv")), because it is not there [notFound]
                  try: did you mean \(folder("prices.csv"))?
                """)
    }

    @Test func `a name in a folder that is not there says so`() throws {
        let files = LocalFiles(at: folder("no/prices.csv"))
        let error = #expect(throws: HeadraceError.self) { try files.nextObject(after: nil, in: context) }
        #expect(error?.hint == "the folder \(folder("no")) is not there either")
    }

    @Test func `a pattern without a match and a folder are errors`() throws {
        try folder.file("sub/a.csv", "")
        #expect(code { _ = try LocalFiles(at: folder("*.json")).nextObject(after: nil, in: context) } == "notFound")
        let error = #expect(throws: HeadraceError.self) {
            try LocalFiles(at: folder("sub")).nextObject(after: nil, in: context)
        }
        #expect(error?.code == .wrongKindOfFile)
        #expect(error?.hint?.contains("sub/*.csv") == true)
    }

    @Test(.enabled(if: getuid() != 0, "root may read everything"))
    func `a file that may not be read is an error of its own kind`() throws {
        let path = try folder.file("a.csv", "secret")
        chmod(path, 0)
        let files = LocalFiles(at: path)
        let object = try #require(try files.nextObject(after: nil, in: context))
        #expect(code { _ = try files.open(object, at: 0, in: context) } == "accessDenied")
    }

    @Test func `a file that goes away between listing and opening is an error`() throws {
        let files = LocalFiles(at: try folder.file("a.csv", "x"))
        let object = try #require(try files.nextObject(after: nil, in: context))
        unlink(folder("a.csv"))
        #expect(code { _ = try files.open(object, at: 0, in: context) } == "notFound")
    }
}
