import Glibc
import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Synchronization
import Testing

@testable import HeadraceXML

@Suite struct XMLHostileTests {
    static let one = Schema([Field("a", .utf8)])
    static let rows = XMLOptions(rows: "/r/i")

    @Test func `Entities declared in the document are put in`() async throws {
        let text = """
            <!DOCTYPE r [<!ENTITY co "Café &amp; Co"><!ENTITY both "&co;, <b>Ltd</b>"><!ATTLIST i k CDATA "usual">]>
            <r><i k="&co;"><a>&co;</a></i><i><a>x &both;</a></i></r>
            """
        let schema = Schema([Field("a", .utf8), field("k", .utf8, "@k")])
        let result = try await readXML(text, Self.rows, schema: schema)
        #expect(result.error == nil)
        #expect(result.rows == [#"{"a":"Café & Co","k":"Café & Co"}"#, #"{"a":"x Café & Co, Ltd","k":"usual"}"#])
    }

    /// Documents that try to make the reader hold, compute or fetch too much.
    static let bombs: [(name: String, text: String)] = {
        var laughs = "<!DOCTYPE r [<!ENTITY l0 \"lollollollollol\">"
        for level in 1...9 {
            laughs += "<!ENTITY l\(level) \"" + String(repeating: "&l\(level - 1);", count: 10) + "\">"
        }
        laughs += "]>"
        let wide = "<!DOCTYPE r [<!ENTITY w \"" + String(repeating: "w", count: 100_000) + "\">]>"
        let many = String(repeating: "&w;", count: 20_000)
        let defaults = "<!DOCTYPE r [<!ATTLIST i k CDATA \"" + String(repeating: "d", count: 200_000) + "\">]>"
        return [
            ("billion laughs in text", laughs + "<r><i><a>&l9;</a></i></r>"),
            ("billion laughs in an attribute", laughs + "<r><i k='&l9;'/></r>"),
            ("one wide entity many times", wide + "<r><i><a>" + many + "</a></i></r>"),
            (
                "one wide entity in many attributes",
                wide + "<r>" + String(repeating: "<i k='&w;&w;'/>", count: 9000) + "</r>"
            ),
            ("wide defaults of attributes", defaults + "<r>" + String(repeating: "<i/>", count: 20_000) + "</r>"),
            ("an entity in itself", "<!DOCTYPE r [<!ENTITY a \"&b;\"><!ENTITY b \"&a;\">]><r><i><a>&a;</a></i></r>"),
            (
                "parameter entities",
                "<!DOCTYPE r [<!ENTITY % p \"<!ENTITY q 'x'>\"><!ENTITY % p2 \"%p;%p;\">%p2;]><r><i>&q;&undeclared;</i></r>"
            ),
            ("deep nesting", "<r>" + String(repeating: "<i>", count: 100_000)),
            ("an endless name", "<r><" + String(repeating: "n", count: 12_000_000)),
            ("an endless attribute", "<r><i k='" + String(repeating: "n", count: 24_000_000) + "'/></r>"),
            ("an endless comment", "<r><!--" + String(repeating: "n", count: 24_000_000)),
            (
                "a billion references to nothing",
                laughs.replacing("lollollollollol", with: "") + "<r><i><a>&l9;</a></i></r>"
            ),
        ]
    }()

    @Test(arguments: bombs.map(\.name))
    func `A bomb is refused with an error, in little memory and time`(name: String) async throws {
        let bomb = try #require(Self.bombs.first { $0.name == name })
        let result = try await readXML(bomb.text, Self.rows, schema: Self.one)
        let error = try #require(result.error)
        #expect(error.code == .malformedInput)
        #expect(error.reason != nil)
    }

    @Test(arguments: [
        "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><r><i><a>&x;</a></i></r>",
        "<!DOCTYPE r [<!ENTITY x PUBLIC \"p\" \"http://127.0.0.1:9/x\">]><r><i><a>&x;</a></i></r>",
        "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><r><i k='&x;'><a>&x;</a></i></r>",
        "<!DOCTYPE r SYSTEM \"file:///etc/hostname\"><r><i><a>&x;</a></i></r>",
        "<!DOCTYPE r [<!ENTITY % x SYSTEM \"file:///etc/hostname\">%x;]><r><i><a>&y;</a></i></r>",
    ])
    func `Nothing outside of the document is read`(text: String) async throws {
        let result = try await readXML(text, Self.rows, schema: Self.one)
        #expect(result.error?.code == .malformedInput)
        #expect(result.rows.isEmpty)
    }

    @Test func `External definitions that nothing needs are passed over`() async throws {
        let text = "<!DOCTYPE r SYSTEM \"http://127.0.0.1:9/r.dtd\"><r><i><a>1</a></i></r>"
        let result = try await readXML(text, Self.rows, schema: Self.one)
        #expect(result.rows == [#"{"a":"1"}"#])
        #expect(result.error == nil)
    }

    @Test func `A record with too much text is a reject, the ones around it are rows`() async throws {
        var options = Self.rows
        options.recordLimit = 100_000
        let long = String(repeating: "x", count: 30_000_000)
        let text = "<r><i><a>1</a></i><i><a>\(long)</a></i><i><a>3</a></i></r>"
        let result = try await readXML(text, options, schema: Self.one)
        #expect(result.rows == [#"{"a":"1"}"#, #"{"a":"3"}"#])
        #expect(result.rejects.map(\.code) == ["recordTooLong"])
        #expect(result.rejects.first?.place.row == 2)
        #expect((result.rejects.first?.original?.count ?? 0) <= (64 << 10) + 3)
    }

    @Test func `A document cut off anywhere gives the rows before and an error`() async throws {
        let bytes = Array(XMLFormatTests.feed.utf8)
        let whole = try await readXML(bytes: bytes, XMLFormatTests.options, schema: XMLFormatTests.schema)
        for length in 0..<bytes.count {
            let result = try await readXML(
                bytes: Array(bytes[..<length]), XMLFormatTests.options, schema: XMLFormatTests.schema)
            #expect(result.error?.code == .malformedInput, "cut at \(length)")
            #expect(result.rows == Array(whole.rows.prefix(result.rows.count)), "cut at \(length)")
        }
    }

    @Test func `Changed bytes never crash or hang the reader, whatever the pieces`() async throws {
        let random = RunRandom(seed: 42)
        let seeds = [XMLFormatTests.feed] + Self.bombs.prefix(7).map { String($0.text.prefix(4000)) }
        for round in 0..<600 {
            var bytes = Array(seeds[round % seeds.count].utf8)
            for _ in 0..<Int(random.next() % 6) + 1 {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(contentsOf: Array("<&]]>\"'/!".utf8).prefix(Int(random.next() % 9)), at: place)
                default: bytes.insert(contentsOf: bytes[place..<min(place + 40, bytes.count)], at: place)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            let size = Int(random.next() % 200) + 1
            let schema = round % 3 == 0 ? nil : XMLFormatTests.schema
            let options = round % 3 == 0 ? XMLOptions() : XMLFormatTests.options
            do {
                let whole = try await readXML(bytes: bytes, options, schema: schema)
                let pieces = try await readXML(bytes: bytes, options, schema: schema, sizes: [size, 1])
                #expect(pieces.rows == whole.rows, "round \(round)")
                #expect((pieces.error == nil) == (whole.error == nil), "round \(round)")
            } catch let error as HeadraceError {
                #expect(error.code == .malformedInput, "round \(round): \(error)")
            }
        }
    }

    @Test func `A document of 100 megabytes is read in bounded memory`() async throws {
        // In a process of its own, because the other tests hold memory too.
        await #expect(processExitsWith: .success) {
            let document = GeneratedDocument(blocks: 1000)
            let input = FormatInput(
                bytes: document, object: ByteObject(name: "big.xml", byteCount: nil, identity: "1"), source: "big",
                stream: StreamID("big"), rowsBefore: 0, description: nil)
            let reader = try XMLFormat(XMLOptions(rows: "/feed/item")).openReader(
                input, for: GeneratedDocument.schema, from: nil, in: RunContext.testing())
            let before = residentBytes()
            var rows = 0
            var rejects = 0
            var peak = 0
            var sum: Int64 = 0
            while case .chunk(let chunk, _, let count) = try reader.next() {
                let batch = try reader.decode(chunk, sequence: 0)
                rejects += batch.rejects.count
                rows += count
                let view = batch.records.columns[0].unsafeView
                for row in 0..<batch.count { sum += view.values(as: Int64.self)[row] }
                peak = max(peak, residentBytes())
            }
            reader.close()
            #expect(document.byteCount > 100_000_000)
            #expect(rejects == 0)
            #expect(rows == 1000 * GeneratedDocument.blockRows)
            #expect(sum == 1000 * Int64(GeneratedDocument.blockRows * (GeneratedDocument.blockRows - 1) / 2))
            #expect(peak - before < 16 << 20, "grew by \(peak - before) bytes")
        }
    }

    @Test func `Many threads read and decode at once`() async throws {
        let whole = try await readXML(XMLFormatTests.feed, XMLFormatTests.options, schema: XMLFormatTests.schema)
        await withTaskGroup(of: Bool.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    var isSame = true
                    for round in 0..<40 {
                        let result = try? await readXML(
                            XMLFormatTests.feed, XMLFormatTests.options, schema: XMLFormatTests.schema,
                            sizes: [worker + round + 1])
                        isSame = isSame && result?.rows == whole.rows
                        let broken = try? await readXML("<r><i></r>", Self.rows, schema: Self.one)
                        isSame = isSame && broken?.error?.code == .malformedInput
                    }
                    return isSame
                }
            }
            for await isSame in group { #expect(isSame) }
        }
    }

    @Test func `One chunk is decoded the same by many threads`() async throws {
        let document = GeneratedDocument(blocks: 10)
        let schema = Schema([
            field("n", .int64, "@n"), Field("name", .utf8), Field("p", .decimal(precision: 4, scale: 2)),
        ])
        let input = FormatInput(
            bytes: document, object: ByteObject(name: "big.xml", byteCount: nil, identity: "1"), source: "big",
            stream: StreamID("big"), rowsBefore: 0, description: nil)
        let reader = try XMLFormat(XMLOptions(rows: "/feed/item")).openReader(
            input, for: schema, from: nil, in: RunContext.testing())
        guard case .chunk(let chunk, _, _) = try reader.next() else {
            Issue.record("there was no chunk")
            return
        }
        let texts = await withTaskGroup(of: [String].self) { group in
            for number in 0..<8 {
                group.addTask {
                    guard let batch = try? reader.decode(chunk, sequence: UInt64(number)) else { return [] }
                    return (0..<batch.count).map { RowText.json(batch.records, row: $0) }
                        + batch.rejects.map { "\($0.place) \($0.message)" }
                }
            }
            return await group.reduce(into: [[String]]()) { $0.append($1) }
        }
        #expect(texts.count == 8)
        #expect(Set(texts).count == 1)
        reader.close()
    }
}

/// `<feed>` with as many blocks of items as wanted, made while it is read.
final class GeneratedDocument: ByteReader {
    static let blockRows = 200
    static let schema = Schema([
        field("n", .int64, "@n"), Field("name", .utf8), field("p", .decimal(precision: 5, scale: 2)),
    ])
    private static let block = (0..<blockRows).flatMap { row in
        Array(
            """

              <item n="\(row)">
                <name>Product number \(row) &amp; more \(String(repeating: "text ", count: 85))</name>
                <p>\(row % 100 == 0 ? "0" : "\(row)").5</p>
              </item>
            """.utf8)
    }
    private struct State {
        var block = -1
        var waiting: [UInt8] = []
        var place = 0
        var byteCount = 0
    }
    private let blocks: Int
    private let state = Mutex(State())

    init(blocks: Int) { self.blocks = blocks }

    var byteCount: Int { state.withLock { $0.byteCount } }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        state.withLock { state in
            if state.place == state.waiting.count {
                guard state.block <= blocks else { return 0 }
                switch state.block {
                case -1: state.waiting = Array("<?xml version=\"1.0\"?>\n<feed>".utf8)
                case blocks: state.waiting = Array("\n</feed>\n".utf8)
                default: state.waiting = Self.block
                }
                state.block += 1
                state.place = 0
            }
            let count = min(buffer.count, state.waiting.count - state.place)
            state.waiting.withUnsafeBytes { bytes in
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[state.place..<state.place + count]))
            }
            state.place += count
            state.byteCount += count
            return count
        }
    }

    func close() {}
}

/// The memory that the process holds now.
func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, 256, file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
}
