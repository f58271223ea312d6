import Glibc
import Synchronization

/// Texts numbered in the order in which they are first met, by many threads at the same time: the dictionary of a column that
/// comes in batches.
///
/// Every batch's column refers to a snapshot, a dictionary of all texts so far; snapshots share one memory, and a number
/// means the same text in each of them. There is a bound to texts and bytes, beyond which nothing new gets a number.
///
/// - Invariant (`@unchecked Sendable`): a text, its end and its hash are written under the lock, before its number can be read from
///   a slot, and never change; slots are atomic.
package final class GrowingDictionary: @unchecked Sendable {
    /// The most texts.
    package static let mostEntries = 1 << 18
    /// The most bytes of texts.
    package static let mostBytes = 16 << 20
    private static let slotCount = 2 * mostEntries

    private let type: DataType
    // Memory of the system's that takes no room until it is written to.
    private let memory: UnsafeMutableRawPointer
    private static let memoryBytes = 64 + mostBytes + 64 + (mostEntries + 32) * 12 + slotCount * 8
    private let text: UnsafeMutableRawPointer
    private let ends: UnsafeMutablePointer<Int32>
    private let hashes: UnsafeMutablePointer<UInt64>
    private let slots: UnsafeMutablePointer<Atomic<UInt64>>
    private let state = Mutex(State())

    private struct State {
        var count = 0
        var byteCount = 0
        // The snapshot holds the dictionary, not the other way round.
        weak var snapshot: ColumnVector?
        var derived: [String: Derivation] = [:]
    }

    package init(_ type: DataType) {
        precondition(type.layout == .bytes, "only text and binary have dictionaries")
        self.type = type
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let memory = mmap(nil, Self.memoryBytes, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED
        else {
            fatalError("out of memory for a dictionary")
        }
        self.memory = memory
        slots = memory.assumingMemoryBound(to: Atomic<UInt64>.self)
        hashes = (memory + Self.slotCount * 8).assumingMemoryBound(to: UInt64.self)
        ends = (memory + Self.slotCount * 8 + (Self.mostEntries + 32) * 8).assumingMemoryBound(to: Int32.self)
        text = memory + Self.slotCount * 8 + (Self.mostEntries + 32) * 12 + 64
        ends[0] = 0
    }

    deinit { munmap(memory, Self.memoryBytes) }

    /// How many texts have a number.
    package var count: Int { state.withLock { $0.count } }

    /// Bytes of the texts and of what finds them.
    package var byteCount: Int { state.withLock { $0.byteCount &+ 28 &* $0.count } }

    /// The number of the `byteCount` bytes at `base`, a new one when they are new; -1 when there is no room for them.
    package func intern(_ base: UnsafeRawPointer, count byteCount: Int) -> Int32 {
        let known = find(base, count: byteCount)
        return known >= 0 ? known : insert(base, byteCount, ByteHash.hash(base, count: byteCount, seed: 0))
    }

    func intern(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        intern(bytes.baseAddress ?? UnsafeRawPointer(text), count: bytes.count)
    }

    /// The number of the `byteCount` bytes at `base`; -1 when they have none.
    package func find(_ base: UnsafeRawPointer, count byteCount: Int) -> Int32 {
        let hash = ByteHash.hash(base, count: byteCount, seed: 0)
        let tag = hash & 0xffff_ffff_0000_0000
        var slot = Int(truncatingIfNeeded: hash) & (Self.slotCount &- 1)
        while true {
            let entry = slots[slot].load(ordering: .acquiring)
            if entry == 0 { return -1 }
            if entry & 0xffff_ffff_0000_0000 == tag {
                let number = Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1
                if equals(number, base, byteCount) { return Int32(truncatingIfNeeded: number) }
            }
            slot = (slot &+ 1) & (Self.slotCount &- 1)
        }
    }

    @inline(__always)
    private func equals(_ number: Int, _ base: UnsafeRawPointer, _ byteCount: Int) -> Bool {
        let start = Int(ends[number])
        return Int(ends[number &+ 1]) &- start == byteCount && memcmp(text + start, base, byteCount) == 0
    }

    @inline(never)
    private func insert(_ base: UnsafeRawPointer, _ byteCount: Int, _ hash: UInt64) -> Int32 {
        state.withLock { state in
            let tag = hash & 0xffff_ffff_0000_0000
            var slot = Int(truncatingIfNeeded: hash) & (Self.slotCount &- 1)
            // Another thread may have been here since.
            while true {
                let entry = slots[slot].load(ordering: .relaxed)
                if entry == 0 { break }
                if entry & 0xffff_ffff_0000_0000 == tag {
                    let number = Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1
                    if equals(number, base, byteCount) { return Int32(truncatingIfNeeded: number) }
                }
                slot = (slot &+ 1) & (Self.slotCount &- 1)
            }
            guard state.count < Self.mostEntries, byteCount <= Self.mostBytes &- state.byteCount else { return -1 }
            (text + state.byteCount).copyMemory(from: base, byteCount: byteCount)
            state.byteCount &+= byteCount
            hashes[state.count] = hash
            state.count &+= 1
            ends[state.count] = Int32(truncatingIfNeeded: state.byteCount)
            state.snapshot = nil
            slots[slot].store(tag | UInt64(truncatingIfNeeded: state.count), ordering: .releasing)
            return Int32(truncatingIfNeeded: state.count &- 1)
        }
    }

    /// All texts so far as a dictionary; the same object until another text comes.
    package func snapshot() -> ColumnVector {
        state.withLock { state in
            if let known = state.snapshot { return known }
            let snapshot = ColumnVector(
                type, count: state.count,
                values: Buffer(shared: text, byteCount: state.byteCount, isPadded: true) { [self] in _ = self },
                offsets: Buffer(
                    shared: UnsafeMutableRawPointer(ends), byteCount: (state.count &+ 1) &* 4, isPadded: true
                ) { [self] in _ = self },
                origin: self)
            state.snapshot = snapshot
            return snapshot
        }
    }

    /// The hash of each text, as `Kernels.hash` gives it with seed 0; valid while the dictionary lives.
    var entryHashes: UnsafePointer<UInt64> { UnsafePointer(hashes) }

    // MARK: - Functions of the texts

    /// The results of a function over the texts of a dictionary, each computed when it is first asked for.
    ///
    /// - Invariant (`@unchecked Sendable`): the numbers are atomic.
    package final class Derivation: @unchecked Sendable {
        let results: GrowingDictionary
        private let numbers: UnsafeMutablePointer<Atomic<Int32>>

        init(_ type: DataType) {
            results = GrowingDictionary(type)
            numbers = .allocate(capacity: GrowingDictionary.mostEntries)
            UnsafeMutableRawPointer(numbers).initializeMemory(
                as: UInt8.self, repeating: 0, count: GrowingDictionary.mostEntries * 4)
        }

        deinit { numbers.deallocate() }

        /// The number of an entry's result among `results`; -1 when there is no room for it.
        @inline(__always)
        func number(of entry: Int, _ compute: () -> Int32) -> Int32 {
            let known = numbers[entry].load(ordering: .acquiring)
            if known != 0 { return known &- 1 }
            let found = compute()
            if found >= 0 { numbers[entry].store(found &+ 1, ordering: .releasing) }
            return found
        }
    }

    /// The results of the function called `name`, which is one without parameters.
    func derivation(_ name: String) -> Derivation {
        state.withLock { state in
            if let known = state.derived[name] { return known }
            let fresh = Derivation(type)
            state.derived[name] = fresh
            return fresh
        }
    }
}
