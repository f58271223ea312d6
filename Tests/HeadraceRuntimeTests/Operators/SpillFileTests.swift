import Glibc
import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceRuntime

extension OperatorTests {
    @Suite struct SpillFileTests {
        /// Descriptors of files below `folder`, names removed or not.
        static func openFiles(below folder: String) -> [Int32] {
            (3..<1024).filter { number in
                withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
                    guard let base = buffer.baseAddress else { return false }
                    let length = readlink("/proc/self/fd/\(number)", base, 511)
                    guard length > 0 else { return false }
                    base[length] = 0
                    return String(cString: base).hasPrefix(folder)
                }
            }
        }

        @Test("rows of every type come back as they went, slices too", arguments: RandomRows.types)
        func roundTrip(type: DataType) throws {
            let harness = try OperatorHarness()
            let spill = SpillFile(step: "step", context: harness.context)
            defer {
                spill.discard()
                #expect(harness.leftovers().isEmpty)
            }
            var maker = RandomRows(seed: 9)
            let schema = Schema([Field("value", type), Field("row", .int64, nullable: false)])
            let rows = maker.rows(schema, count: 200, kinds: [12, 1000])
            let whole = try #require(RecordBatch(schema: schema, rows: rows.map(\.values)))
            var written: [(SpillFile.Extent, RecordBatch)] = []
            for (start, count) in [(0, 200), (0, 0), (3, 17), (8, 64), (61, 139), (199, 1)] {
                let slice = whole.slice(from: start, count: count)
                written.append((try spill.write(slice), slice))
            }
            for (extent, slice) in written.shuffled(using: &maker.random) {
                let back = try spill.read(extent, schema: schema)
                #expect(back.count == slice.count)
                for row in 0..<slice.count {
                    #expect(back.row(at: row).map(\.normal) == slice.row(at: row).map(\.normal))
                }
                #expect(back.columns[0].nullCount == slice.columns[0].nullCount)
            }
        }

        @Test("a dictionary is written as the values it stands for")
        func dictionary() throws {
            let harness = try OperatorHarness()
            let spill = SpillFile(step: "step", context: harness.context)
            defer {
                spill.discard()
                #expect(harness.leftovers().isEmpty)
            }
            let plain = try #require(ColumnVector.of(.utf8, [.utf8("a"), .null, .utf8("a"), .utf8("b")]))
            let encoded = try #require(Kernels.dictionaryEncoded(plain, limit: 4))
            let schema = Schema([Field("value", .utf8)])
            let extent = try spill.write(RecordBatch(schema: schema, columns: [encoded], count: 4))
            let back = try spill.read(extent, schema: schema)
            #expect(back.columns[0].dictionary == nil)
            #expect(back.columns[0].scalars == plain.scalars)
        }

        @Test("a changed byte is an error, never another value")
        func damage() throws {
            let harness = try OperatorHarness()
            let spill = SpillFile(step: "dedup", context: harness.context)
            let schema = Schema([Field("value", .int64)])
            let rows = try #require(RecordBatch(schema: schema, rows: (0..<100).map { [.integer(Int128($0))] }))
            let extent = try spill.write(rows)
            _ = try spill.write(rows)
            // The file has no name, but the process still has it open.
            let descriptor = try #require(Self.openFiles(below: harness.folder).first)
            for place in [0, 9, 17, 25, 40, extent.byteCount - 9] {
                var byte: UInt8 = 0
                #expect(pread(descriptor, &byte, 1, off_t(extent.offset + place)) == 1)
                byte ^= 4
                #expect(pwrite(descriptor, &byte, 1, off_t(extent.offset + place)) == 1)
                let error = #expect(throws: HeadraceError.self) { _ = try spill.read(extent, schema: schema) }
                #expect(error?.code == .malformedInput)
                byte ^= 4
                #expect(pwrite(descriptor, &byte, 1, off_t(extent.offset + place)) == 1)
            }
            #expect(try spill.read(extent, schema: schema).columns[0].scalars == rows.columns[0].scalars)
            spill.discard()
            #expect(harness.leftovers().isEmpty)
        }

        @Test("a folder that is not there is named")
        func noFolder() throws {
            let harness = try OperatorHarness()
            #expect(harness.leftovers().isEmpty)
            let spill = SpillFile(step: "dedup", context: harness.context)
            let error = #expect(throws: HeadraceError.self) {
                _ = try spill.write(RecordBatch(empty: Schema([Field("a", .int8)])))
            }
            #expect(
                error?.description == """
                    error: step dedup could not create its spill file [inputOutput]
                      folder: \(harness.folder)
                      because: No such file or directory
                      try: give the spill folder more space, or the run a larger memory budget
                    """)
        }

        @Test("an operator given up in the middle leaves no file, no memory and no open descriptor", arguments: [1, 3])
        func givenUp(threads: Int) async throws {
            for failing in ["spill write", "spill read"] {
                for call in [1, 5, 30] {
                    let faults = FailingCall(point: failing, call: call)
                    let harness = try OperatorHarness(budget: 50_000, faults: faults)
                    var maker = RandomRows(seed: 3)
                    let schema = Schema([Field("id", .int64), Field("text", .utf8)])
                    let rows = maker.rows(schema, count: 2000, kinds: [2000, 50])
                    let breaker = try DistinctBreaker(
                        DistinctSpecification(step: "dedup", keys: ["id"]), input: schema, context: harness.context)
                    await #expect(throws: FailingCall.Failure.self) {
                        _ = try await harness.run(breaker, [try maker.batches(schema, rows)], threads: threads)
                    }
                    breaker.discard()
                    #expect(harness.context.memory.usedBytes == 0)
                    #expect(Self.openFiles(below: harness.folder).isEmpty)
                    #expect(harness.leftovers().isEmpty)
                }
            }
        }

        @Test("a cancelled run stops at the next spill")
        func cancelled() throws {
            let harness = try OperatorHarness()
            defer { _ = harness.leftovers() }
            let spill = SpillFile(step: "dedup", context: harness.context)
            harness.context.cancellation.cancel()
            let error = #expect(throws: HeadraceError.self) {
                _ = try spill.write(RecordBatch(empty: Schema([Field("a", .int8)])))
            }
            #expect(error?.code == .cancelled)
        }
    }
}
