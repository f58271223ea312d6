import HeadraceCZlib

/// A `z_stream` at an address that never changes, as zlib demands, and the moving of bytes through it.
struct ZlibStream: ~Copyable {
    let pointer: UnsafeMutablePointer<z_stream>

    init() {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: z_stream())
    }

    deinit {
        pointer.deinitialize(count: 1)
        pointer.deallocate()
    }

    /// zlib's name for the window and the wrapper of a format.
    static func windowBits(_ format: CompressionFormat) -> Int32 {
        switch format {
        case .gzip: MAX_WBITS + 16
        case .deflate: -MAX_WBITS
        default: MAX_WBITS
        }
    }

    /// Runs one call of zlib over the rest of both buffers, cut to what its 32-bit counts can hold.
    func run(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int, _ call: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> Int32 {
        let most = 1 << 30
        let available = min(input.count - consumed, most)
        let room = min(output.count - produced, most)
        // zlib declares its input as not const but never writes to it.
        pointer.pointee.next_in = input.baseAddress.map {
            UnsafeMutableRawPointer(mutating: $0 + consumed).assumingMemoryBound(to: Bytef.self)
        }
        pointer.pointee.avail_in = UInt32(available)
        pointer.pointee.next_out = output.baseAddress.map { ($0 + produced).assumingMemoryBound(to: Bytef.self) }
        pointer.pointee.avail_out = UInt32(room)
        let result = call(pointer)
        consumed += available - Int(pointer.pointee.avail_in)
        produced += room - Int(pointer.pointee.avail_out)
        // Nothing may point into buffers that the caller is about to free.
        pointer.pointee.next_in = nil
        pointer.pointee.next_out = nil
        return result
    }

    var message: String {
        pointer.pointee.msg.map { String(cString: $0) } ?? "no reason given"
    }
}
