extension ConnectorTemplate {
    static let system = #"""
        import Glibc
        import HeadraceCore

        /// A connection to Acme.
        ///
        /// WRITE HERE how Acme is asked: open a connection, and take its records a page at a time. In its place a file with a
        /// record of JSON in each line stands in. What follows may block; source and sink see to it that it does so on threads
        /// that may. Throw `HeadraceError`s that say what to do; `retry: .mayHelp` where the same may work a little later.
        final class AcmeConnection {
            private let file: UnsafeMutablePointer<FILE>

            /// Connects, to read on after `cursor`: 0, or what came with an earlier page.
            init(to address: String, after cursor: Int) throws {
                guard let file = fopen(address, "r") else {
                    throw HeadraceError(
                        errno == ENOENT ? .notFound : .inputOutput, "\(address) cannot be read",
                        because: String(cString: strerror(errno)))
                }
                self.file = file
                fseek(file, cursor, SEEK_SET)
            }

            /// The next records, `limit` at most and none at the end, and the cursor behind them.
            func page(limit: Int) throws -> (records: [[UInt8]], cursor: Int) {
                var records: [[UInt8]] = []
                var line: UnsafeMutablePointer<CChar>?
                var capacity = 0
                defer { free(line) }
                while records.count < limit {
                    let count = getline(&line, &capacity, file)
                    guard count > 0, let line else { break }
                    // Whatever bytes there are: what is wrong with them is for the one who decodes them to say.
                    let bytes = UnsafeRawBufferPointer(start: line, count: count)
                    records.append(Array(bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]))
                }
                guard ferror(file) == 0 else { throw HeadraceError(.inputOutput, "reading failed", retry: .mayHelp) }
                return (records, ftell(file))
            }

            /// Lets go of the connection, whatever happened before.
            func close() { fclose(file) }
        }

        """#

    static let source = #"""
        import HeadraceColumnar
        import HeadraceCore
        import HeadraceFiles

        /// The records of Acme.
        ///
        /// What a source can do is in its type. One that reads on from the position after any of its chunks is a `ResumableSource`;
        /// one whose next run is to find only what came since, an `IncrementalSource`; one that can be read in parts side by
        /// side, a `PartitionedSource`; one that can do nothing of it, a `Source`.
        public struct AcmeSource: ResumableSource {
            let address: String
            let declared: Schema?
            let pageSize: Int

            /// The records at `address`; connects to nothing yet.
            public init(at address: String, schema: Schema? = nil, pageSize: Int = 4096) {
                self.address = address
                declared = schema
                self.pageSize = pageSize
            }

            /// What messages and the ledger call the source, and what its positions are kept under: the same in every run, and
            /// without secrets.
            public var name: String { address }

            /// What identifies the data now: where it has changed, positions of an earlier run are not gone on from.
            ///
            /// WRITE HERE a version, a checksum, an ETag; leave it out where the data only grows.
            public func fingerprint(in context: RunContext) async throws -> String {
                try await BlockingWork.run {
                    try LocalFiles(at: self.address).nextObject(after: nil, in: context)?.identity ?? ""
                }
            }

            /// The fields of the records.
            ///
            /// WRITE HERE what Acme's catalog says. Without one, the first records tell: whole numbers, or text.
            public func schema(in context: RunContext) async throws -> Schema {
                if let declared { return declared }
                let (address, pageSize) = (self.address, self.pageSize)
                let records = try await BlockingWork.run {
                    let connection = try AcmeConnection(to: address, after: 0)
                    defer { connection.close() }
                    return try connection.page(limit: pageSize).records
                }
                var names: [String] = []
                var texts: Set<String> = []
                for record in records {
                    guard case .object(let object)? = try? JSONValue.parse(record) else { continue }
                    for member in object.members {
                        if !names.contains(member.name) { names.append(member.name) }
                        if !member.value.isNull, member.value.integerValue == nil { texts.insert(member.name) }
                    }
                }
                return Schema(names.map { Field($0, texts.contains($0) ? .utf8 : .int64) })
            }

            /// Opens the records, from the start or after a position that a reader gave, in this run or an earlier one.
            public func openReader(
                for schema: Schema, from position: Position?, in context: RunContext
            ) async throws -> AcmeReader {
                try await BlockingWork.run { try AcmeReader(self, schema, from: position, in: context) }
            }
        }

        /// A page of records as they came; knows where each of them stood.
        public final class AcmePage: Origin {
            let address: String
            let records: [[UInt8]]
            let first: Int

            init(_ records: [[UInt8]], of address: String, first: Int) {
                self.address = address
                self.records = records
                self.first = first
            }

            /// What a person needs to find the record: here its number, counted from 1.
            public func place(of row: Int) -> Place { Place(source: address, row: first + row + 1) }
            /// The record as it came, for the rejects.
            public func original(of row: Int) -> [UInt8]? { records[row] }
        }

        /// Reads in two halves: `next` waits for pages, one call at a time, and `decode` makes rows of them, on many threads at once.
        ///
        /// - Invariant (`@unchecked Sendable`): what changes is touched by `next` and `close` alone, one call at a time.
        public final class AcmeReader: SourceReader, @unchecked Sendable {
            private let source: AcmeSource
            private let schema: Schema
            private let connection: AcmeConnection
            private let context: RunContext
            private var count: Int

            init(_ source: AcmeSource, _ schema: Schema, from position: Position?, in context: RunContext) throws {
                self.source = source
                self.schema = schema
                self.context = context
                count = Int(position?.value["record"]?.integerValue ?? 0)
                let cursor = Int(position?.value["cursor"]?.integerValue ?? 0)
                connection = try AcmeConnection(to: source.address, after: cursor)
            }

            /// The next page, and the position from which a later run goes on after it: JSON that only this source understands.
            public func next() async throws -> Read<AcmePage> {
                try context.cancellation.check()
                let page = try await BlockingWork.run { try self.connection.page(limit: self.source.pageSize) }
                guard !page.records.isEmpty else { return .end }
                let chunk = AcmePage(page.records, of: source.address, first: count)
                count += page.records.count
                return .chunk(
                    chunk, Position(.object([("cursor", .integer(page.cursor)), ("record", .integer(count))])))
            }

            /// WRITE HERE how a record becomes a row. One that does not is a reject, never a thrown error: the others go on.
            public func decode(_ page: AcmePage, sequence: UInt64) throws -> Batch {
                let builders = schema.fields.map { makeBuilder(for: $0.type, capacity: page.records.count) }
                var good: [Int32] = []
                var rejects: [Reject] = []
                for (row, record) in page.records.enumerated() {
                    let text = String(validating: record, as: UTF8.self)
                    let values = text.flatMap { RowText.values(of: $0, schema) }
                    let missing = values.flatMap { values in
                        zip(schema.fields, values).first { !$0.isNullable && $1.isNull }?.0.name
                    }
                    if values != nil, missing == nil {
                        good.append(Int32(row))
                    } else {
                        rejects.append(
                            Reject(
                                rule: "decode", code: missing == nil ? "malformed" : "missing", field: missing,
                                message: missing.map { "\"\($0)\" is missing" } ?? "the record is not what the schema says",
                                place: page.place(of: row), original: page.original(of: row)))
                    }
                    // A row for every record keeps rows and places in step; those refused are taken out below.
                    for (index, builder) in builders.enumerated() {
                        if values.map({ builder.append($0[index]) }) != true { builder.appendNull() }
                    }
                }
                let records = RecordBatch(
                    schema: schema, columns: builders.map { $0.finish() }, count: page.records.count)
                var batch = Batch(
                    records, provenance: Provenance(page), stream: source.stream, sequence: sequence,
                    recordsRead: page.records.count)
                if !rejects.isEmpty { batch = good.withUnsafeBufferPointer { batch.taking($0) } }
                batch.rejects = rejects
                return batch
            }

            /// Lets go of everything; called once, after success, failure and cancellation alike.
            public func close() async { connection.close() }
        }

        """#

    static let sink = #"""
        import HeadraceColumnar
        import HeadraceCore
        import HeadraceFiles

        /// Acme as a place to write to.
        ///
        /// What a sink can do is in its type, and a mode that it lacks does not compile. Claim what you can keep:
        ///
        /// - `ReplacingSink`: the new rows take the place of all others at the commit, and until then the old ones stand.
        /// - `AppendingSink`: every commit shows its rows at once, with its checkpoint, which `committed(in:)` gives back; a run whose
        ///   `context.fence` is lower than one that was seen is refused with `leaseLost`.
        /// - `UpsertingSink`, `InsertingSink`, `MirroringSink`, `HistorySink`: as `AppendingSink`, by the key columns of the mode.
        public struct AcmeSink: ReplacingSink {
            let address: String

            /// Acme at `address`; connects to nothing yet.
            public init(at address: String) { self.address = address }

            /// What messages and the ledger call the sink; without secrets.
            public var name: String { address }

            /// Opens the target for one load. Nothing of it is visible to others before the commit.
            ///
            /// WRITE HERE: refuse what Acme cannot hold, by name, before a row moves; begin the transaction, or whatever will be put
            /// in place later.
            public func openWriter(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> AcmeWriter {
                guard case .replace = mode else {
                    throw HeadraceError(.unsupported, "\(name) cannot be written by \(mode.name)")
                }
                return try await BlockingWork.run { AcmeWriter(try AtomicFile(at: self.address).create(in: context)) }
            }

            /// What `headrace plan` shows: a line for everything that a load would do. Changes nothing.
            public func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String] {
                [AtomicFile(at: address).plan()]
            }
        }

        /// Writes one load. `encode` is called by many threads at once, everything else by one caller at a time.
        ///
        /// - Invariant (`@unchecked Sendable`): what changes is not touched by `encode`.
        public final class AcmeWriter: SinkWriter, @unchecked Sendable {
            /// A batch in the form that Acme takes.
            public struct Encoded: Sendable {
                let bytes: [UInt8]
                let rows: Int
            }

            private let file: any ByteWriter
            private var rows = 0

            init(_ file: any ByteWriter) { self.file = file }

            /// WRITE HERE the form that Acme takes: the work that needs no connection.
            public func encode(_ batch: Batch) throws -> Encoded {
                let lines = (0..<batch.count).map { "\(RowText.json(batch.records, row: $0))\n" }
                return Encoded(bytes: Array(lines.joined().utf8), rows: batch.count)
            }

            /// WRITE HERE how Acme is told. A row that it refuses is a reject, made by `Batch.reject(row:…)`; return it, and count it
            /// nowhere else.
            public func write(_ encoded: Encoded) async throws -> [Reject] {
                try await BlockingWork.run { try encoded.bytes.withUnsafeBytes { try self.file.write($0) } }
                rows += encoded.rows
                return []
            }

            /// What became of the rows since the last commit, as Acme counts them. The engine compares it with its own count, and
            /// commits only if they are equal.
            public func settle() async throws -> WriteCounts { WriteCounts(inserted: rows) }

            /// Makes all rows visible at once, durably, and together with `checkpoint` where Acme can keep that.
            public func commit(_ checkpoint: Checkpoint) async throws {
                guard checkpoint.isFinal else { throw HeadraceError(.unsupported, "all rows are published at the end") }
                try await BlockingWork.run { try self.file.publish() }
            }

            /// Every end but a final commit: nothing stays, neither rows nor files nor connections. May be called twice.
            public func abort() async { _ = try? await BlockingWork.run { self.file.abort() } }
        }

        """#
}
