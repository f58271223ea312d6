import Glibc
import HeadraceColumnar
import HeadraceCore
import Synchronization

/// The rows that an operator could not keep in memory: one file for all its partitions and runs, written at the end, read
/// anywhere, by many workers at once.
///
/// The file is opened at the first write and its name removed at once, so that nothing stays behind however the
/// process ends; the space goes back to the system when the file is closed. Each extent carries a checksum.
final class SpillFile: Sendable {
    /// Where a piece of rows stands in the file.
    struct Extent: Sendable, Hashable {
        let offset: Int
        let byteCount: Int
        let rows: Int
    }

    /// Closes the file when the last reader or writer lets go of it.
    private final class Descriptor: Sendable {
        let number: Int32
        init(_ number: Int32) { self.number = number }
        deinit { close(number) }
    }

    private struct State {
        var descriptor: Descriptor?
        var isClosed = false
    }

    private static let magic: UInt64 = 0x4845_4144_5350_4c31
    private static let headerBytes = 32

    private let context: RunContext
    private let step: String
    private let state = Mutex(State())
    private let end = Atomic<Int>(0)

    init(step: String, context: RunContext) {
        self.step = step
        self.context = context
    }

    /// Bytes written so far.
    var byteCount: Int { end.load(ordering: .relaxed) }

    /// Writes `rows`, whose schema the reader must know.
    func write(_ rows: RecordBatch) throws -> Extent {
        try context.cancellation.check()
        try context.faults.reach("spill write")
        var encoder = SpillEncoder(capacity: rows.byteSize + 4096, reserved: Self.headerBytes)
        for column in rows.columns { encoder.append(Kernels.decoded(column)) }
        let (base, byteCount) = encoder.contents
        let payload = UnsafeRawBufferPointer(start: base + Self.headerBytes, count: byteCount - Self.headerBytes)
        base.storeBytes(of: Self.magic, as: UInt64.self)
        base.storeBytes(of: UInt64(payload.count), toByteOffset: 8, as: UInt64.self)
        base.storeBytes(of: UInt64(rows.count), toByteOffset: 16, as: UInt64.self)
        base.storeBytes(of: SpillChecksum.of(payload), toByteOffset: 24, as: UInt64.self)
        let descriptor = try open()
        let offset = end.wrappingAdd(byteCount, ordering: .relaxed).oldValue
        var done = 0
        while done < byteCount {
            let written = pwrite(descriptor.number, base + done, byteCount - done, off_t(offset + done))
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw failure("write \(byteCount) bytes to", errno) }
            done += written
        }
        withExtendedLifetime(descriptor) {}
        return Extent(offset: offset, byteCount: byteCount, rows: rows.count)
    }

    /// Reads back the rows of `extent`.
    /// - Throws: `malformedInput` when the bytes are not those that were written.
    func read(_ extent: Extent, schema: Schema) throws -> RecordBatch {
        try context.cancellation.check()
        try context.faults.reach("spill read")
        let descriptor = try open()
        let buffer = MutableBuffer(capacity: extent.byteCount)
        var done = 0
        while done < extent.byteCount {
            let got = pread(
                descriptor.number, buffer.base + done, extent.byteCount - done, off_t(extent.offset + done))
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw failure("read", errno) }
            guard got > 0 else { throw damaged(extent) }
            done += got
        }
        withExtendedLifetime(descriptor) {}
        let header = (0..<4).map { buffer.base.load(fromByteOffset: $0 * 8, as: UInt64.self) }
        let payload = UnsafeRawBufferPointer(
            start: buffer.base + Self.headerBytes, count: extent.byteCount - Self.headerBytes)
        guard header[0] == Self.magic, header[1] == UInt64(payload.count), header[2] == UInt64(extent.rows),
            header[3] == SpillChecksum.of(payload)
        else { throw damaged(extent) }
        var decoder = SpillDecoder(payload)
        var columns: [ColumnVector] = []
        for field in schema.fields {
            guard let column = decoder.column(field.type, count: extent.rows) else { throw damaged(extent) }
            columns.append(column)
        }
        return RecordBatch(schema: schema, columns: columns, count: extent.rows)
    }

    /// Lets go of the file; calls under way still finish, later ones throw `cancelled`.
    func discard() {
        state.withLock {
            $0.descriptor = nil
            $0.isClosed = true
        }
    }

    private func open() throws -> Descriptor {
        try state.withLock { state in
            if let open = state.descriptor { return open }
            guard !state.isClosed else { throw HeadraceError.cancelled }
            let path = "\(context.spillFolder)/\(context.random.temporaryName("spill"))"
            let number = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard number >= 0 else { throw failure("create", errno) }
            let descriptor = Descriptor(number)
            guard unlink(path) == 0 else { throw failure("remove the name of", errno) }
            state.descriptor = descriptor
            return descriptor
        }
    }

    private func failure(_ action: String, _ code: Int32) -> HeadraceError {
        HeadraceError(
            .inputOutput, "step \(step) could not \(action) its spill file", fields: [("folder", context.spillFolder)],
            because: String(cString: strerror(code)),
            hint: "give the spill folder more space, or the run a larger memory budget", retry: .mayHelp)
    }

    private func damaged(_ extent: Extent) -> HeadraceError {
        HeadraceError(
            .malformedInput, "the spill file of step \(step) is damaged at byte \(extent.offset)",
            fields: [("folder", context.spillFolder)],
            because: "the bytes read are not those that were written",
            hint: "run again; if it comes again, check the disk below the spill folder", retry: .mayHelp)
    }
}

/// A 64-bit checksum of whole words, to tell a damaged spill file from a good one.
enum SpillChecksum {
    /// - Parameter bytes: a multiple of eight bytes.
    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        guard let base = bytes.baseAddress else { return 0 }
        var sum: UInt64 = 0x9e37_79b9_7f4a_7c15 ^ UInt64(bytes.count)
        var offset = 0
        while offset &+ 8 <= bytes.count {
            let word = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let product = (sum ^ word).multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
            sum = product.high ^ product.low ^ word
            offset &+= 8
        }
        return sum
    }
}
