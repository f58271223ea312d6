import Glibc
import Synchronization

/// Reuses the memory of dropped buffers, because the first touch of a fresh page costs more than most kernels.
///
/// Blocks come in powers of two from 1 KiB; up to `retainedLimit` bytes of free blocks are kept, the rest goes back to the
/// system at once. All counters are process-wide.
public enum BufferPool {
    /// Padding on each side of a block's contents, in bytes.
    static let padding = 64
    private static let smallest = 1024
    private static let classes = 18
    /// The most bytes of free blocks kept for reuse.
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

    private static func sizeClass(_ byteCount: Int) -> (index: Int, capacity: Int) {
        var capacity = smallest
        var index = 0
        while capacity < byteCount && index < classes {
            capacity &<<= 1
            index &+= 1
        }
        return index < classes ? (index, capacity) : (classes, byteCount)
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
        var block: UnsafeMutableRawPointer?
        guard posix_memalign(&block, 64, capacity &+ 2 &* padding) == 0, let block else {
            fatalError("out of memory: \(capacity) bytes for a column buffer")
        }
        return (block + padding, capacity)
    }

    static func deallocate(_ base: UnsafeMutableRawPointer, capacity: Int) {
        outstanding.wrappingSubtract(capacity, ordering: .relaxed)
        let (index, exact) = sizeClass(capacity)
        if index < classes && exact == capacity {
            let kept = shared.state.withLock { box -> Bool in
                guard box.value.retained &+ capacity <= retainedLimit else { return false }
                box.value.free[index].append(base)
                box.value.retained &+= capacity
                return true
            }
            if kept { return }
        }
        free(base - padding)
    }
}
