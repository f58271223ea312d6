import Glibc
import Synchronization

/// Reuses the memory of dropped buffers, because the first touch of a fresh page costs more than most kernels.
///
/// Blocks come in four sizes to each doubling from 1 KiB on. Free blocks are kept up to `retainedLimit` bytes, or up to a
/// quarter of what is in use where that is more; the rest goes back to the system at once. All counters are process-wide.
public enum BufferPool {
    /// Padding on each side of a block's contents, in bytes.
    static let padding = 64
    /// Bytes of the smallest blocks.
    static let smallest = 1024
    private static let classes = 4 * 17
    /// Bytes of free blocks kept for reuse, however little is in use.
    public static let retainedLimit = 48 << 20

    private struct State {
        var free: [[UnsafeMutableRawPointer]] = Array(repeating: [], count: BufferPool.classes)
        var retained = 0
    }

    /// - Invariant (`@unchecked Sendable`): the pointers in `State` are owned by the pool while they are in it.
    private final class Shared: @unchecked Sendable {
        let state = Mutex(StateBox())
    }
    private struct StateBox: @unchecked Sendable { var value = State() }
    private static let shared = Shared()
    private static let outstanding = Atomic<Int>(0)

    /// Bytes held by live buffers and builders now.
    public static var outstandingBytes: Int { outstanding.load(ordering: .relaxed) }

    /// The class of a size and the bytes that its blocks have; beyond all classes, the size itself.
    private static func sizeClass(_ byteCount: Int) -> (index: Int, capacity: Int) {
        if byteCount <= smallest { return (0, smallest) }
        // Sizes above 2^k up to 2^(k+1) fall into four classes a quarter of 2^k apart.
        let octave = Int.bitWidth &- 1 &- (byteCount &- 1).leadingZeroBitCount
        let quarter = 1 &<< (octave &- 2)
        let step = (byteCount &- (1 &<< octave) &+ quarter &- 1) / quarter
        let index = (octave &- 10) &* 4 &+ step
        return index < classes ? (index, (1 &<< octave) &+ step &* quarter) : (classes, byteCount)
    }

    static func allocate(_ byteCount: Int) -> (base: UnsafeMutableRawPointer, capacity: Int) {
        let (index, capacity) = sizeClass(byteCount)
        outstanding.wrappingAdd(capacity, ordering: .relaxed)
        if index < classes {
            let reused = shared.state.withLock { box -> UnsafeMutableRawPointer? in
                guard let block = box.value.free[index].popLast() else { return nil }
                box.value.retained &-= capacity
                return block
            }
            if let reused { return (reused, capacity) }
        }
        // Aligned by hand: aligned allocation leaves crumbs between blocks, which cost more to look after than they hold.
        guard let block = malloc(capacity &+ 2 &* padding &+ 64) else {
            fatalError("out of memory: \(capacity) bytes for a column buffer")
        }
        let base = (block + padding).alignedUp(toMultipleOf: 64)
        base.storeBytes(of: block, toByteOffset: -8, as: UnsafeMutableRawPointer.self)
        return (base, capacity)
    }

    static func deallocate(_ base: UnsafeMutableRawPointer, capacity: Int) {
        let used = outstanding.wrappingSubtract(capacity, ordering: .relaxed).newValue
        let (index, exact) = sizeClass(capacity)
        if index < classes && exact == capacity {
            let kept = shared.state.withLock { box -> Bool in
                guard box.value.retained &+ capacity <= max(retainedLimit, used / 4) else { return false }
                box.value.free[index].append(base)
                box.value.retained &+= capacity
                return true
            }
            if kept { return }
        }
        free(base.load(fromByteOffset: -8, as: UnsafeMutableRawPointer.self))
    }
}
