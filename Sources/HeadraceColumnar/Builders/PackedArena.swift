import Glibc
import Synchronization

/// Memory for packed rows in slabs of a megabyte, each given back to the system as a whole once no rows lie in it.
///
/// Blocks of rows that come and go at different times would leave holes in the heap, a third of what they hold. Pages of a slab
/// that nothing has been written to cost nothing. Thread-safe.
package final class PackedArena: Sendable {
    static let slabBytes = 1 << 20

    /// Memory that lives as long as somebody refers to it.
    ///
    /// - Invariant (`@unchecked Sendable`): every byte is written by the one owner of its part before others may read it.
    final class Slab: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
        private let byteCount: Int

        init(_ byteCount: Int) {
            let flags = MAP_PRIVATE | MAP_ANONYMOUS
            guard let base = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0), base != MAP_FAILED else {
                fatalError("out of memory: \(byteCount) bytes for packed rows")
            }
            self.base = base
            self.byteCount = byteCount
        }

        deinit { munmap(base, byteCount) }
    }

    private struct State {
        var slab: Slab?
        var used = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Memory of `byteCount` bytes, aligned to 16, which lives as long as its slab.
    func allocate(_ byteCount: Int) -> (slab: Slab, base: UnsafeMutableRawPointer) {
        let needed = (max(byteCount, 1) &+ 15) & ~15
        if needed > Self.slabBytes / 4 {
            let slab = Slab(needed)
            return (slab, slab.base)
        }
        return state.withLock { state in
            if let slab = state.slab, state.used &+ needed <= Self.slabBytes {
                defer { state.used &+= needed }
                return (slab, slab.base + state.used)
            }
            let slab = Slab(Self.slabBytes)
            state.slab = slab
            state.used = needed
            return (slab, slab.base)
        }
    }

    /// Puts what comes next into another slab, so that what came before can go as a whole.
    package func startOver() { state.withLock { $0 = State() } }
}
