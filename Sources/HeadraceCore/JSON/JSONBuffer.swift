internal import Glibc

/// A growable run of bytes outside Swift's arrays: one owner, no reference counting, no exclusivity checks.
///
/// At least ``slack`` bytes beyond `count` are always allocated, so that kernels may load and store whole words past
/// the end. Running out of memory ends the process.
package struct JSONBuffer: ~Copyable {
    /// Bytes allocated beyond the last one in use.
    package static let slack = 64

    private var storage: UnsafeMutableRawPointer
    private var capacity: Int
    /// Bytes in use.
    package private(set) var count = 0

    /// Creates an empty buffer that holds `capacity` bytes before it grows.
    package init(capacity: Int = 256) {
        self.capacity = max(capacity, 64)
        storage = Self.allocate(nil, self.capacity &+ Self.slack)
    }

    deinit { free(storage) }

    /// The bytes in use; valid until the buffer is changed or ends.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: count) }

    /// Makes room for `extra` more bytes, at least doubling when it must grow.
    @inline(__always)
    package mutating func reserve(_ extra: Int) {
        if count &+ extra > capacity { grow(extra) }
    }

    /// Where the next byte goes; `reserve` first, then write and ``advance(_:)``.
    @inline(__always)
    package var end: UnsafeMutableRawPointer { storage + count }

    /// Takes `written` bytes, stored at ``end``, into use.
    @inline(__always)
    package mutating func advance(_ written: Int) { count &+= written }

    /// Appends one byte.
    @inline(__always)
    package mutating func append(_ byte: UInt8) {
        reserve(1)
        storage.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    /// Appends a copy of bytes, which must not be this buffer's own.
    @inline(__always)
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        memcpy(end, source, bytes.count)
        count &+= bytes.count
    }

    /// Appends the UTF-8 of a literal.
    @inline(__always)
    package mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends the UTF-8 of a string.
    package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a Unicode scalar value as UTF-8.
    package mutating func appendUTF8(_ scalar: UInt32) {
        if scalar < 0x80 { return append(UInt8(truncatingIfNeeded: scalar)) }
        if scalar < 0x800 {
            append(UInt8(truncatingIfNeeded: 0xC0 | scalar &>> 6))
        } else {
            if scalar < 0x10000 {
                append(UInt8(truncatingIfNeeded: 0xE0 | scalar &>> 12))
            } else {
                append(UInt8(truncatingIfNeeded: 0xF0 | scalar &>> 18))
                append(UInt8(truncatingIfNeeded: 0x80 | (scalar &>> 12) & 0x3F))
            }
            append(UInt8(truncatingIfNeeded: 0x80 | (scalar &>> 6) & 0x3F))
        }
        append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
    }

    /// Forgets the bytes and keeps the memory.
    package mutating func removeAll() { count = 0 }

    /// Forgets the bytes from `newCount` on and keeps the memory.
    package mutating func truncate(to newCount: Int) { count = min(count, newCount) }

    /// Forgets the first bytes and moves the others to the front.
    package mutating func removeFirst(_ removed: Int) {
        guard removed > 0 else { return }
        let left = max(count &- removed, 0)
        if left > 0 { memmove(storage, storage + removed, left) }
        count = left
    }

    @inline(never)
    private mutating func grow(_ extra: Int) {
        capacity = max(capacity * 2, count + extra)
        storage = Self.allocate(storage, capacity + Self.slack)
    }

    private static func allocate(_ old: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer {
        guard let new = realloc(old, size) else { fatalError("out of memory: \(size) bytes for a JSON buffer") }
        return new
    }
}

// The memory has one owner, which is moved with the value; nothing else holds its address.
extension JSONBuffer: @unchecked Sendable {}
