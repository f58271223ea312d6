import HeadraceCore
import HeadraceFiles
import HeadraceTesting
import Testing

@Suite struct LocalObjectStoreTests {
    let folder = TemporaryFolder()

    @Test func `objects are put, listed in byte order, read and deleted`() async throws {
        let store = LocalObjectStore(at: folder("store"))
        #expect(try await store.list(prefix: "") == [])
        for key in ["b/2", "b/10", "a", "b.txt", "bc/1"] { try await store.put(key, Array(key.utf8)) }
        #expect(try await store.list(prefix: "") == ["a", "b.txt", "b/10", "b/2", "bc/1"])
        #expect(try await store.list(prefix: "b/") == ["b/10", "b/2"])
        #expect(try await store.get("b/10") == Array("b/10".utf8))
        try await store.put("a", [7])
        #expect(try await store.get("a") == [7])
        try await store.delete("a")
        try await store.delete("a")
        #expect(try await store.list(prefix: "a") == [])
        await #expect(throws: HeadraceError.self) { try await store.get("a") }
    }

    @Test(arguments: ["", "/a", "../a", "a/../b", "a//b", "a/", ".hidden", "a/.b", "."])
    func `keys that leave the folder or hide are refused`(key: String) async throws {
        let error = await #expect(throws: HeadraceError.self) {
            try await LocalObjectStore(at: folder("store")).put(key, [1])
        }
        #expect(error?.code == .badLocation)
    }

    @Test func `objects are a byte source in the order of the keys`() async throws {
        let store = LocalObjectStore(at: folder("store"))
        for key in ["x.csv", "y.csv", "z.csv"] { try await store.put(key, Array("<\(key)>".utf8)) }
        let source = store.byteSource(for: ["z.csv", "x.csv"])
        let context = RunContext.testing()
        #expect(try source.objectNames(context) == ["z.csv", "x.csv"])
        #expect(source is any ResumableByteSource)
        let first = try #require(try source.nextObject(after: nil, in: context))
        #expect(try source.open(first, at: 1, in: context).allText() == "z.csv>")
    }
}
