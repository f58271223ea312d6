import HeadraceCore
import HeadraceFiles
import HeadraceTesting
import Testing

@Suite struct FileConnectorTests {
    let folder = TemporaryFolder()

    @Test func `a check says what is there`() async throws {
        try folder.file("a.csv", "abc")
        try folder.file("b.csv", "de")
        let connector = FileConnector()
        func check(_ name: String) async throws -> String {
            try await connector.check(Location(scheme: "", address: folder(name)), in: RunContext.testing())
        }
        #expect(try await check("a.csv") == "\(folder("a.csv")): a file of 3 bytes")
        #expect(try await check("*.csv") == "\(folder("*.csv")): 2 files, 5 bytes")
        await #expect(throws: HeadraceError.self) { try await check("c.csv") }
    }

    @Test func `the dash is a standard stream and a path is a file`() throws {
        let connector = FileConnector()
        #expect(try connector.byteSource(at: Location(scheme: "", address: "-")) is StandardInput)
        #expect(try connector.byteSink(at: Location(scheme: "", address: "-")) is StandardOutput)
        #expect(try connector.byteSource(at: Location(scheme: "", address: "./-")) is LocalFiles)
        #expect(try connector.byteSink(at: Location(scheme: "", address: "./-")) is AtomicFile)
    }
}
