import HeadraceCArrow
import HeadraceColumnar
import Synchronization
import Testing

@Suite struct ArrowInterfaceTests {
    @Test(arguments: RandomColumns.allTypes, Shape.allCases)
    func `a batch comes back as it went out`(_ type: DataType, _ shape: Shape) throws {
        var random = SeededRandom(71)
        for count in [0, 1, 64, 130] {
            let column = RandomColumns.column(type, count: count, shape: shape, &random)
            let batch = RecordBatch(schema: Schema([Field("c", type)]), columns: [column], count: count)
            for widens in [false, true] {
                let back = try roundTrip(batch, widensDecimals: widens)
                #expect(back.schema == batch.schema)
                #expect(Reference.equal(back.columns[0].scalars, column.scalars))
                #expect(back.columns[0].nullCount == column.nullCount)
            }
        }
    }

    @Test func `buffers are shared and not copied`() throws {
        let texts = try #require(ColumnVector.of(.utf8, (0..<100).map { .utf8("text \($0)") }))
        let numbers = try #require(ColumnVector.of(.int64, (0..<100).map { .integer($0) }))
        let batch = RecordBatch(
            schema: Schema([Field("t", .utf8), Field("n", .int64)]), columns: [texts, numbers], count: 100)
        let back = try roundTrip(batch)
        for (mine, theirs) in zip(batch.columns, back.columns) {
            #expect(mine.values?.base == theirs.values?.base)
            #expect(mine.offsets?.base == theirs.offsets?.base)
            #expect(theirs.values?.isPadded == false)
        }
    }

    @Test func `memory lives as long as the consumer keeps it, and no longer`() throws {
        let releases = Releases()
        var array = ArrowArray()
        var schema = ArrowSchema()
        var column: ColumnVector?
        do {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 8)
            memory.initializeMemory(as: Int64.self, repeating: 7, count: 2)
            nonisolated(unsafe) let owned = memory
            let values = Buffer(foreign: memory, byteCount: 16) {
                releases.count.add(1, ordering: .relaxed)
                owned.deallocate()
            }
            let exported = ColumnVector(type: .int64, count: 2, nullCount: 0, values: values)
            let batch = RecordBatch(schema: Schema([Field("n", .int64)]), columns: [exported], count: 2)
            ArrowInterface.export(batch, array: &array, schema: &schema)
        }
        #expect(releases.count.load(ordering: .relaxed) == 0)
        do {
            let back = try ArrowInterface.importBatch(array: &array, schema: &schema)
            #expect(array.release == nil && schema.release == nil)
            column = back.columns[0].slice(from: 1, count: 1)
        }
        #expect(column?.scalars == [.integer(7)])
        #expect(releases.count.load(ordering: .relaxed) == 0)
        column = nil
        #expect(releases.count.load(ordering: .relaxed) == 1)
    }

    private final class Releases: Sendable {
        let count = Atomic<Int>(0)
    }

    @Test func `a consumer may move a child away`() throws {
        var array = ArrowArray()
        var schema = ArrowSchema()
        let column = try #require(ColumnVector.of(.int32, [.integer(7), .null]))
        let batch = RecordBatch(schema: Schema([Field("n", .int32)]), columns: [column], count: 2)
        ArrowInterface.export(batch, array: &array, schema: &schema)
        let source = try #require(array.children?[0])
        var child = source.pointee
        source.pointee.release = nil
        array.release?(&array)
        schema.release?(&schema)
        #expect(array.release == nil && schema.release == nil)
        #expect(child.buffers?[1]?.load(as: Int32.self) == 7)
        child.release?(&child)
        #expect(child.release == nil)
    }

    @Test func `a schema keeps names, nullability and metadata`() throws {
        let schema = Schema([
            Field("a", .int32, nullable: false, metadata: ["unit": "cm", "note": "ü"]), Field("b", .json),
            Field(
                "", .list(Field("element", .struct([Field("x", .decimal(precision: 38, scale: 3))]), nullable: false))),
            Field("t", .timestamp(zone: "Europe/Berlin")),
        ])
        var structure = ArrowSchema()
        ArrowInterface.export(schema, to: &structure)
        #expect(try ArrowInterface.importSchema(from: &structure) == schema)
        #expect(structure.release == nil)
    }

    @Test func `what was released is refused`() throws {
        var array = ArrowArray()
        var schema = ArrowSchema()
        #expect(throws: ArrowError.self) { try ArrowInterface.importSchema(from: &schema) }
        ArrowInterface.export(Schema([Field("a", .int32)]), to: &schema)
        let error = #expect(throws: ArrowError.self) { try ArrowInterface.importBatch(array: &array, schema: &schema) }
        #expect(error?.description == "an array that was released before [malformed]")
        #expect(schema.release == nil)
        var stream = ArrowArrayStream()
        #expect(throws: ArrowError.self) { try ArrowStreamReader(moving: &stream) }
    }

    @Test func `a stream gives its batches in order and its error as text`() throws {
        let schema = Schema([Field("n", .int64), Field("t", .utf8)])
        let batches = try (0..<3).map { index in
            try #require(
                RecordBatch(schema: schema, rows: [[.integer(Int128(index)), .utf8("a")], [.null, .utf8("b")]]))
        }
        let encoded = try #require(Kernels.dictionaryEncoded(batches[2].columns[1], limit: .max))
        let queue = Queue(
            batches.prefix(2) + [RecordBatch(schema: schema, columns: [batches[2].columns[0], encoded], count: 2)])
        var stream = ArrowArrayStream()
        ArrowInterface.exportStream(of: schema, to: &stream) { try queue.next() }
        let reader = try ArrowStreamReader(moving: &stream)
        #expect(stream.release == nil)
        #expect(reader.schema == schema)
        for batch in batches {
            let read = try #require(try reader.next())
            #expect((0..<2).map { read.row(at: $0) } == (0..<2).map { batch.row(at: $0) })
        }
        let error = #expect(throws: ArrowError.self) { try reader.next() }
        #expect(error?.code == .producerFailed)
        #expect(error?.message == "empty queue")
        #expect(try reader.next() == nil)
    }

    private func roundTrip(_ batch: RecordBatch, widensDecimals: Bool = false) throws -> RecordBatch {
        var array = ArrowArray()
        var schema = ArrowSchema()
        ArrowInterface.export(batch, array: &array, schema: &schema, widensDecimals: widensDecimals)
        return try ArrowInterface.importBatch(array: &array, schema: &schema)
    }

    /// Gives batches, then fails once, then ends.
    private final class Queue: @unchecked Sendable {
        private var batches: [RecordBatch]
        private var failed = false

        init(_ batches: some Sequence<RecordBatch>) { self.batches = Array(batches) }

        struct Empty: Error, CustomStringConvertible { let description = "empty queue" }

        func next() throws -> RecordBatch? {
            if !batches.isEmpty { return batches.removeFirst() }
            if failed { return nil }
            failed = true
            throw Empty()
        }
    }
}
