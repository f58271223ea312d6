/// Bytes in memory as a byte source of one object: replayed records, tests, small responses.
public struct MemoryBytes: ResumableByteSource {
    /// The name of the source and of its one object.
    public let name: String
    /// The contents of the object, compressed or not.
    public let bytes: [UInt8]
    /// The media type or name extension handed on with the object, nil to let the format find out.
    public let contentType: String?

    /// A source of one object, whose identity is its size.
    public init(_ name: String, _ bytes: [UInt8], contentType: String? = nil) {
        self.name = name
        self.bytes = bytes
        self.contentType = contentType
    }

    /// The one object, then nil.
    public func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        previous == nil
            ? ByteObject(name: name, byteCount: bytes.count, identity: "\(bytes.count)", contentType: contentType) : nil
    }

    /// The bytes from `offset` on; none when it lies beyond the end.
    public func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        Reader(bytes, at: min(offset, bytes.count))
    }

    /// - Invariant (`@unchecked Sendable`): used by one thread at a time, as `ByteReader` promises.
    private final class Reader: ByteReader, @unchecked Sendable {
        private let bytes: [UInt8]
        private var position: Int

        init(_ bytes: [UInt8], at position: Int) {
            self.bytes = bytes
            self.position = position
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            let count = min(buffer.count, bytes.count - position)
            guard count > 0 else { return 0 }
            buffer.copyBytes(from: bytes[position..<position + count])
            position += count
            return count
        }

        func close() {}
    }
}
