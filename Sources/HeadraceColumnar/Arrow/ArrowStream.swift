import Glibc
import HeadraceCArrow

/// Batches of a foreign stream, read one after the other.
///
/// Not thread-safe, as the interface has it. The stream is released when the reader goes.
public final class ArrowStreamReader {
    private let stream: UnsafeMutablePointer<ArrowArrayStream>
    private let plan: ArrowPlan
    /// The schema of all batches.
    public let schema: Schema

    /// Takes the stream at `pointer` over and asks for its schema.
    /// - Throws: `ArrowError` when the producer fails or a type has no lossless counterpart.
    public init(moving pointer: UnsafeMutableRawPointer) throws(ArrowError) {
        let source = pointer.assumingMemoryBound(to: ArrowArrayStream.self)
        stream = .allocate(capacity: 1)
        stream.initialize(to: source.pointee)
        source.pointee.release = nil
        do throws(ArrowError) {
            (plan, schema) = try Self.readSchema(stream)
        } catch {
            Self.close(stream)
            throw error
        }
    }

    private static func readSchema(
        _ stream: UnsafeMutablePointer<ArrowArrayStream>
    ) throws(ArrowError) -> (ArrowPlan, Schema) {
        guard stream.pointee.release != nil, let getSchema = stream.pointee.get_schema else {
            throw ArrowError(.malformed, "a stream that was released before")
        }
        var foreign = ArrowSchema()
        let code = getSchema(stream, &foreign)
        if code != 0 { throw failure(stream, code) }
        return try withUnsafeMutablePointer(to: &foreign) { pointer throws(ArrowError) in
            try ArrowInterface.importPlan(UnsafeMutableRawPointer(pointer))
        }
    }

    /// The next batch, nil at the end.
    /// - Throws: `ArrowError` when the producer fails or a batch cannot be held.
    public func next() throws(ArrowError) -> RecordBatch? {
        guard let getNext = stream.pointee.get_next else { throw ArrowError(.malformed, "a stream without get_next") }
        var foreign = ArrowArray()
        let code = getNext(stream, &foreign)
        if code != 0 { throw Self.failure(stream, code) }
        if foreign.release == nil { return nil }
        return try withUnsafeMutablePointer(to: &foreign) { pointer throws(ArrowError) in
            try ArrowImport(owner: ForeignArray(moving: pointer)).batch(plan, schema)
        }
    }

    private static func failure(_ stream: UnsafeMutablePointer<ArrowArrayStream>, _ code: Int32) -> ArrowError {
        let text = stream.pointee.get_last_error?(stream).map { String(cString: $0) }
        return ArrowError(.producerFailed, text ?? "the producer of a stream failed with error \(code)")
    }

    private static func close(_ stream: UnsafeMutablePointer<ArrowArrayStream>) {
        stream.pointee.release?(stream)
        stream.deallocate()
    }

    deinit { Self.close(stream) }
}

extension ArrowInterface {
    /// Fills `pointer` with a stream of batches of `schema`.
    ///
    /// Dictionaries are decoded, because a stream has one schema for all its batches.
    /// - Parameters:
    ///   - widensDecimals: writes all decimals as decimal128.
    ///   - next: gives the next batch, nil at the end; called by the consumer, one call at a time and on any thread. An error
    ///     goes to the consumer as its text.
    public static func exportStream(
        of schema: Schema, to pointer: UnsafeMutableRawPointer, widensDecimals: Bool = false,
        next: @escaping @Sendable () throws -> RecordBatch?
    ) {
        let memory = ExportedStream(schema: schema, widensDecimals: widensDecimals, next: next)
        pointer.assumingMemoryBound(to: ArrowArrayStream.self).initialize(
            to: ArrowArrayStream(
                get_schema: ExportedStream.getSchema, get_next: ExportedStream.getNext,
                get_last_error: ExportedStream.getLastError, release: ExportedStream.release,
                private_data: Unmanaged.passRetained(memory).toOpaque()))
    }
}

/// The producer's side of an exported stream.
private final class ExportedStream {
    private let schema: Schema
    private let widensDecimals: Bool
    private let next: @Sendable () throws -> RecordBatch?
    private var lastError: UnsafeMutablePointer<CChar>?

    init(schema: Schema, widensDecimals: Bool, next: @escaping @Sendable () throws -> RecordBatch?) {
        self.schema = schema
        self.widensDecimals = widensDecimals
        self.next = next
    }

    deinit { free(lastError) }

    private static func of(_ stream: UnsafeMutablePointer<ArrowArrayStream>?) -> ExportedStream? {
        stream?.pointee.private_data.map { Unmanaged<ExportedStream>.fromOpaque($0).takeUnretainedValue() }
    }

    private func fill(_ target: UnsafeMutablePointer<ArrowArray>) throws {
        guard let batch = try next() else {
            target.initialize(to: ArrowArray())
            return
        }
        precondition(batch.schema == schema, "a stream of [\(schema)] got a batch of [\(batch.schema)]")
        let plain = RecordBatch(schema: schema, columns: batch.columns.map(Kernels.decoded), count: batch.count)
        ArrowArrayExport(widensDecimals: widensDecimals).fill(target, plain)
    }

    static let getSchema:
        @convention(c) (UnsafeMutablePointer<ArrowArrayStream>?, UnsafeMutablePointer<ArrowSchema>?) -> Int32 = {
            stream, target in
            guard let self = of(stream), let target else { return EINVAL }
            ArrowSchemaExport(widensDecimals: self.widensDecimals).fill(target, self.schema, nil)
            return 0
        }

    static let getNext:
        @convention(c) (UnsafeMutablePointer<ArrowArrayStream>?, UnsafeMutablePointer<ArrowArray>?) -> Int32 = {
            stream, target in
            guard let self = of(stream), let target else { return EINVAL }
            do {
                try self.fill(target)
                return 0
            } catch {
                free(self.lastError)
                self.lastError = strdup("\(error)")
                return EIO
            }
        }

    static let getLastError: @convention(c) (UnsafeMutablePointer<ArrowArrayStream>?) -> UnsafePointer<CChar>? = {
        of($0)?.lastError.map { UnsafePointer($0) }
    }

    static let release: @convention(c) (UnsafeMutablePointer<ArrowArrayStream>?) -> Void = { stream in
        guard let stream, let memory = stream.pointee.private_data else { return }
        stream.pointee.release = nil
        stream.pointee.private_data = nil
        Unmanaged<ExportedStream>.fromOpaque(memory).release()
    }
}
