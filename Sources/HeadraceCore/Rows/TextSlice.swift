import Glibc
public import HeadraceColumnar

/// A text of a row in place: its bytes in the column, without a copy. `string` makes a `String` when one is wanted.
///
/// Texts are compared byte for byte, as the expressions of jobs compare them. A slice keeps its column's memory alive
/// and may outlive the row; keeping many of them keeps whole batches.
///
/// - Invariant (`@unchecked Sendable`): the bytes never change, and `owner` keeps them alive.
@frozen public struct TextSlice: @unchecked Sendable {
    @usableFromInline let owner: ColumnVector
    @usableFromInline let start: UnsafeRawPointer?
    /// The number of bytes of the text as UTF-8.
    public let utf8Count: Int

    @inlinable init(_ bytes: UnsafeRawBufferPointer, in owner: ColumnVector) {
        self.owner = owner
        start = bytes.baseAddress
        utf8Count = bytes.count
    }

    /// Whether the text is empty, which is not null.
    @inlinable public var isEmpty: Bool { utf8Count == 0 }

    /// The text as a value of its own.
    public var string: String { withBytes { String(decoding: $0, as: UTF8.self) } }

    /// The UTF-8 bytes; valid inside `body` only.
    @inlinable public func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(owner) {} }
        return try body(UnsafeRawBufferPointer(start: start, count: utf8Count))
    }

    /// Whether the text begins with the bytes of `prefix`.
    public func hasPrefix(_ prefix: String) -> Bool {
        var prefix = prefix
        return prefix.withUTF8 { other in
            withBytes { $0.count >= other.count && Self.equal($0.baseAddress, other.baseAddress, other.count) }
        }
    }

    /// Whether the text ends with the bytes of `suffix`.
    public func hasSuffix(_ suffix: String) -> Bool {
        var suffix = suffix
        return suffix.withUTF8 { other in
            withBytes { bytes in
                bytes.count >= other.count
                    && Self.equal(
                        bytes.baseAddress.map { $0 + (bytes.count - other.count) }, other.baseAddress, other.count)
            }
        }
    }

    /// Whether the bytes of `part` occur in the text; those of an empty part do.
    public func contains(_ part: String) -> Bool {
        var part = part
        return part.withUTF8 { other in
            guard let needle = other.baseAddress, other.count > 0 else { return true }
            return withBytes { bytes in
                guard let text = bytes.baseAddress else { return false }
                var start = 0
                while bytes.count - start >= other.count {
                    let room = bytes.count - start - other.count + 1
                    guard let found = memchr(text + start, Int32(needle.pointee), room) else { return false }
                    start = UnsafeRawPointer(found) - text
                    if memcmp(text + start, needle, other.count) == 0 { return true }
                    start += 1
                }
                return false
            }
        }
    }

    /// Whether `text` has the same bytes.
    public static func == (slice: TextSlice, text: String) -> Bool {
        slice.utf8Count == text.utf8.count && slice.hasPrefix(text)
    }

    /// Whether `text` has other bytes.
    public static func != (slice: TextSlice, text: String) -> Bool { !(slice == text) }

    private static func equal(_ one: UnsafeRawPointer?, _ other: UnsafeRawPointer?, _ count: Int) -> Bool {
        guard count > 0, let one, let other else { return count == 0 }
        return memcmp(one, other, count) == 0
    }
}

extension TextSlice: Hashable {
    public static func == (one: TextSlice, other: TextSlice) -> Bool {
        one.withBytes { left in
            other.withBytes { left.count == $0.count && equal(left.baseAddress, $0.baseAddress, left.count) }
        }
    }

    public func hash(into hasher: inout Hasher) { withBytes { hasher.combine(bytes: $0) } }
}

extension TextSlice: CustomStringConvertible {
    public var description: String { string }
}
