import HeadraceCore

/// The first bytes of an object.
///
/// - Invariant (`@unchecked Sendable`): used by one thread at a time, as `ByteReader` promises.
final class LimitedReader: ByteReader, @unchecked Sendable {
    /// How much of the start is kept for a second look.
    private static let headBytes = 256 << 10

    private let inner: any ByteReader
    private var left: Int
    /// The first bytes that were read.
    private(set) var head: [UInt8] = []
    /// Whether the object goes on behind the bytes read.
    private(set) var isCut = false

    init(_ inner: any ByteReader, limit: Int) {
        self.inner = inner
        left = limit
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard left > 0 else {
            var next: UInt8 = 0
            if !isCut { isCut = try withUnsafeMutableBytes(of: &next) { try inner.read(into: $0) } > 0 }
            return 0
        }
        let got = try inner.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(left, buffer.count)]))
        left -= got
        if head.count < Self.headBytes {
            head.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<min(got, Self.headBytes - head.count)]))
        }
        return got
    }

    /// Leaves the object to its owner.
    func close() {}
}

/// Bytes in memory.
///
/// - Invariant (`@unchecked Sendable`): used by one thread at a time, as `ByteReader` promises.
final class SampleReader: ByteReader, @unchecked Sendable {
    private let sample: ByteSample
    private var place = 0

    init(_ sample: ByteSample) { self.sample = sample }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let got = min(buffer.count, sample.bytes.count - place)
        if got == 0, !sample.isWhole, !buffer.isEmpty {
            // One byte more, so that whoever limits the reading to the sample sees that the object goes on.
            buffer[0] = 0x20
            return 1
        }
        buffer.copyBytes(from: sample.bytes[place..<place + got])
        place += got
        return got
    }

    func close() {}
}
