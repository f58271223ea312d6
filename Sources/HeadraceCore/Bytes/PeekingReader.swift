/// A byte reader whose first bytes can be looked at before they are read.
///
/// - Invariant (`@unchecked Sendable`): used by one thread at a time, as `ByteReader` promises.
final class PeekingReader: ByteReader, @unchecked Sendable {
    private let inner: any ByteReader
    private var ahead: [UInt8] = []
    private var taken = 0
    private var ended = false
    /// Bytes handed out so far.
    private(set) var position = 0

    init(_ inner: any ByteReader) { self.inner = inner }

    /// The next bytes, up to `count`, without taking them; `isWhole` when nothing follows them.
    func peek(_ count: Int) throws -> (bytes: [UInt8], isWhole: Bool) {
        if !ended && ahead.count - taken <= count { try readAhead(count) }
        let available = ahead.count - taken
        return (Array(ahead[taken..<taken + min(count, available)]), ended && available <= count)
    }

    /// Reads until more than `count` bytes are ahead or the end is met, in pieces, since readers may give little at a time.
    private func readAhead(_ count: Int) throws {
        let piece = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(max(4096, count + 1 - (ahead.count - taken)), 1 << 18), alignment: 64)
        defer { piece.deallocate() }
        while !ended && ahead.count - taken <= count {
            let got = try inner.read(into: piece)
            ahead.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece[..<got]))
            if got == 0 { ended = true }
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard let target = buffer.baseAddress, !buffer.isEmpty else { return 0 }
        var got = min(buffer.count, ahead.count - taken)
        if got > 0 {
            ahead.withUnsafeBytes { bytes in
                if let base = bytes.baseAddress { target.copyMemory(from: base + taken, byteCount: got) }
            }
            taken += got
            if taken == ahead.count {
                ahead = []
                taken = 0
            }
        } else if !ended {
            got = try inner.read(into: buffer)
        }
        position += got
        return got
    }

    /// Reads and drops `count` bytes; throws `malformedInput` when there are fewer.
    func skip(_ count: Int) throws {
        var left = count
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
        defer { scratch.deallocate() }
        while left > 0 {
            let got = try read(into: UnsafeMutableRawBufferPointer(rebasing: scratch[..<min(left, scratch.count)]))
            guard got > 0 else {
                throw HeadraceError(
                    .malformedInput, "the input ends \(left) bytes before the place to resume at",
                    hint: "start over with --restart")
            }
            left -= got
        }
    }

    func close() { inner.close() }
}
