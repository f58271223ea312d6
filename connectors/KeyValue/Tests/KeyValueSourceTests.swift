import HeadraceColumnar
import HeadraceCore
import HeadraceKeyValue
import HeadraceTesting
import Testing

/// A store with these items in a table `t`.
private func filled(_ folder: TemporaryFolder, _ items: [Item], _ key: KeySchema = KeySchema(partition: "Id"))
    async throws
{
    let store = EmbeddedKeyValueStore(at: folder.store, clock: VirtualClock())
    try await store.ensureTable("t", key: key, ttl: nil)
    for item in items { _ = try await store.put("t", item, if: nil) }
    await store.close()
}

private func source(_ folder: TemporaryFolder, _ options: String = "") throws -> any Source {
    try KeyValueConnector().source(at: Location("kv:\(folder.store)?table=t\(options)") { _ in false })
}

private func read<S: Source>(
    _ source: S, from position: Position? = nil
) async throws -> (schema: Schema, rows: [[Scalar]], rejects: [Reject], positions: [Position]) {
    let schema = try await source.schema(in: RunContext.testing())
    let reader = try await source.openReader(for: schema, from: position, in: RunContext.testing())
    var rows: [[Scalar]] = []
    var rejects: [Reject] = []
    var positions: [Position] = []
    while case .chunk(let chunk, let position) = try await reader.next() {
        let batch = try reader.decode(chunk, sequence: 0)
        #expect(batch.recordsRead == batch.count + batch.rejects.count)
        rows += (0..<batch.count).map { batch.records.row(at: $0) }
        rejects += batch.rejects
        positions.append(position)
    }
    await reader.close()
    return (schema, rows, rejects, positions)
}

@Suite struct KeyValueSourceTests {
    @Test("Attributes become columns of the narrowest type that holds them all, the key first")
    func columns() async throws {
        let folder = try TemporaryFolder()
        try await filled(
            folder,
            [
                [
                    "Id": .string("b"), "int": .number("7"), "dec": .number("1.5"), "text": .string("x"),
                    "flag": .bool(true),
                    "bytes": .binary([1]), "map": .map(["a": .number("1")]), "mixed": .string("s"),
                    "wide": .number("12345678901234567890.5"),
                ],
                [
                    "Id": .string("a"), "int": .number("-3"), "dec": .number("10.25"), "mixed": .number("2"),
                    "nil": .null,
                    "huge": .number("1E+100"),
                ],
            ])
        let found = try await read(try source(folder))
        #expect(
            found.schema.description
                == "Id: utf8 not null, bytes: binary, dec: decimal(18,2), flag: bool, huge: utf8, int: int64, map: json, "
                + "mixed: json, nil: utf8, text: utf8, wide: decimal(38,1)")
        #expect(found.rejects.isEmpty)
        #expect(found.rows.map { $0[0] } == [.utf8("a"), .utf8("b")])
        #expect(found.rows[1][2] == .decimal(DecimalValue(coefficient: 150, scale: 2)))
        #expect(found.rows[1][6] == .utf8(#"{"a":1}"#) && found.rows[1][7] == .utf8(#""s""#))
        #expect(found.rows[0][7] == .utf8("2") && found.rows[0][8] == .null)
        #expect(found.rows[0][4] == .utf8("1" + String(repeating: "0", count: 100)))
    }

    @Test("As items there is one column of JSON")
    func items() async throws {
        let folder = try TemporaryFolder()
        try await filled(folder, [["Id": .string("a"), "n": .number("1.50"), "s": .stringSet(["y", "x"])]])
        let found = try await read(try source(folder, "&as=item"))
        #expect(found.schema.description == "item: json not null")
        #expect(found.rows == [[.utf8(#"{"Id":"a","n":1.5,"s":["x","y"]}"#)]])
    }

    @Test("Reading goes on after any position, with every item once")
    func resumes() async throws {
        let folder = try TemporaryFolder()
        let store = EmbeddedKeyValueStore(at: folder.store, clock: VirtualClock())
        try await store.ensureTable("t", key: KeySchema(partition: "Id", sort: "at", sortType: .number), ttl: nil)
        let transaction = try await store.beginTransaction("t", sink: "s", keeping: [], in: RunContext.testing())
        try await transaction.write((0..<2500).map { ["Id": .string("\($0 % 3)"), "at": .number("\($0)")] })
        _ = try await transaction.settle()
        try await transaction.commit(checkpoint())
        let whole = try await read(try source(folder))
        #expect(whole.rows.count == 2500 && whole.positions.count == 3)
        for (index, position) in whole.positions.enumerated() {
            let parsed = Position(try JSONValue.parse(position.value.compactText))
            let rest = try await read(try source(folder), from: parsed)
            #expect(rest.rows == Array(whole.rows.dropFirst((index + 1) * 1000)))
        }
    }

    @Test("An item that does not fit the columns is a reject with the item itself")
    func misfits() async throws {
        let folder = try TemporaryFolder()
        try await filled(
            folder,
            [["Id": .string("a"), "n": .number("1")], ["Id": .string("b"), "n": .string("x")], ["Id": .string("c")]])
        let path = folder.store
        let schema = Schema([Field("Id", .utf8, nullable: false), Field("n", .int64, nullable: false)])
        let source = KeyValueSource("kv", table: "t", key: KeySchema(partition: "Id"), declared: schema) {
            EmbeddedKeyValueStore(at: path, clock: $0.clock)
        }
        let found = try await read(source)
        #expect(found.rows == [[.utf8("a"), .integer(1)]])
        #expect(found.rejects.map(\.code) == ["wrongType", "missing"] && found.rejects.map(\.place.row) == [2, 3])
        #expect(String(decoding: found.rejects[0].original ?? [], as: UTF8.self) == #"{"Id":{"S":"b"},"n":{"S":"x"}}"#)
    }

    @Test("What is not there is named")
    func missing() async throws {
        let folder = try TemporaryFolder()
        #expect(await code { _ = try await read(try source(folder)) } == "notFound")
        #expect(folder.files.isEmpty)
        let store = EmbeddedKeyValueStore(at: folder.store, clock: VirtualClock())
        try await store.ensureTable("Prices", key: KeySchema(partition: "Id"), ttl: nil)
        await store.close()
        let error = await #expect(throws: HeadraceError.self) { _ = try await read(try source(folder)) }
        #expect(error?.code == .tableNotFound && "\(error.map { "\($0)" } ?? "")".contains("tables: Prices"))
    }
}

@Suite struct KeyValueConnectorTests {
    private func location(_ text: String) throws -> Location { try Location(text) { _ in false } }

    @Test("A location writes and reads back")
    func roundTrip() async throws {
        let folder = try TemporaryFolder()
        let sink = try KeyValueConnector().sink(
            at: location("kv:\(folder.store)?table=t&key=p,s&decimals=string&nulls=null"))
        let keyValueSink = try #require(sink as? KeyValueSink)
        let schema = Schema([Field("p", .utf8), Field("s", .int32), Field("d", .decimal(precision: 9, scale: 2))])
        let writer = try await keyValueSink.openWriter(
            for: schema, mode: .upsert(on: ["p", "s"]), in: RunContext.testing())
        let rows: [[Scalar]] = [
            [.utf8("x"), .integer(10), .null],
            [.utf8("x"), .integer(9), .decimal(DecimalValue(coefficient: 100, scale: 2))],
        ]
        _ = try await writer.write(try writer.encode(batch(schema, rows)))
        _ = try await writer.settle()
        try await writer.commit(checkpoint())
        let found = try await read(try KeyValueConnector().source(at: location("kv:\(folder.store)?table=t")))
        #expect(found.rows == [[.utf8("x"), .integer(9), .utf8("1.00")], [.utf8("x"), .integer(10), .null]])
        let check = try await KeyValueConnector().check(location("kv:\(folder.store)"), in: RunContext.testing())
        #expect(check == "\(folder.store): t with key p (S), s (N), 2 items")
        #expect(
            await code {
                _ = try await KeyValueConnector().check(
                    location("kv:\(folder.store)?table=x"), in: RunContext.testing())
            } == "tableNotFound")
    }

    @Test(
        "Locations that say too little or too much are refused",
        arguments: ["kv:", "kv:x.db", "kv:x.db?table=t&colour=red", "kv:x.db?table=t&as=rows", "kv:?table=t"])
    func refused(text: String) throws {
        #expect(throws: HeadraceError.self) { _ = try KeyValueConnector().source(at: location(text)) }
        #expect(throws: HeadraceError.self) { _ = try KeyValueConnector().sink(at: location("kv:x.db?table=t")) }
    }
}
