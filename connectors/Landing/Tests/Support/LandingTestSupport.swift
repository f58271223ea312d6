import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Synchronization

/// Objects in memory that outlive the store, which dies at a given operation and stays dead: what a killed process leaves.
final class MemoryObjects: Sendable {
    let objects = Mutex<[String: [UInt8]]>([:])

    subscript(key: String) -> [UInt8]? {
        get { objects.withLock { $0[key] } }
        set { objects.withLock { $0[key] = newValue } }
    }

    var keys: [String] { objects.withLock { $0.keys.sorted() } }
    func text(_ key: String) -> String { String(decoding: self[key] ?? [], as: UTF8.self) }
}

struct Killed: Error {}

/// An object store over `MemoryObjects`; puts and deletes happen wholly or not at all.
struct MemoryObjectStore: ObjectStore {
    let objects: MemoryObjects
    private let life: Life

    private final class Life: Sendable {
        let left: Mutex<Int>
        init(_ left: Int) { self.left = Mutex(left) }
    }

    /// - Parameter operations: how many changes happen before the store dies.
    init(_ objects: MemoryObjects, dyingAfter operations: Int = .max) {
        self.objects = objects
        life = Life(operations)
    }

    let name = "memory"

    private func live() throws {
        try life.left.withLock { left in
            guard left > 0 else { throw Killed() }
            left -= 1
        }
    }

    func put(_ key: String, _ bytes: [UInt8]) async throws {
        try live()
        objects[key] = bytes
    }

    func get(_ key: String) async throws -> [UInt8] {
        guard let bytes = objects[key] else { throw HeadraceError(.notFound, "\(key) is not there") }
        return bytes
    }

    func list(prefix: String) async throws -> [String] { objects.keys.filter { $0.hasPrefix(prefix) } }

    func delete(_ key: String) async throws {
        try live()
        objects[key] = nil
    }

    func byteSource(for keys: [String]) -> any ByteSource { MemoryBytes(objects: objects, keys: keys) }
}

struct MemoryBytes: ByteSource {
    let objects: MemoryObjects
    let keys: [String]
    let name = "memory"

    func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        let index = previous.flatMap { keys.firstIndex(of: $0.name) }.map { $0 + 1 } ?? 0
        guard index < keys.count else { return nil }
        guard let bytes = objects[keys[index]] else { throw HeadraceError(.notFound, "\(keys[index]) is not there") }
        return ByteObject(name: keys[index], byteCount: bytes.count, identity: "\(bytes.count)")
    }

    func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        MemoryReader(objects[object.name] ?? [])
    }
}

/// - Invariant (`@unchecked Sendable`): used by one thread at a time.
final class MemoryReader: ByteReader, @unchecked Sendable {
    private var rest: ArraySlice<UInt8>
    init(_ bytes: [UInt8]) { rest = bytes[...] }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = min(buffer.count, rest.count, 7)
        buffer.copyBytes(from: rest.prefix(count))
        rest = rest.dropFirst(count)
        return count
    }

    func close() {}
}

/// 2026-01-05T02:00:00Z.
let scrapeTime: Int64 = 1_767_578_400_000_000

extension RunContext {
    /// A run that begins at `scrapeTime`.
    static func scraping(run: String? = nil) -> RunContext { .testing(run: run, clock: VirtualClock(at: scrapeTime)) }
}

extension ByteSource {
    /// The contents of all objects in order.
    func texts(_ context: RunContext) throws -> [String] {
        var texts: [String] = []
        var object = try nextObject(after: nil, in: context)
        while let current = object {
            let reader = try open(current, at: 0, in: context)
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 100)
            while case let got = try piece.withUnsafeMutableBytes({ try reader.read(into: $0) }), got > 0 {
                bytes += piece[..<got]
            }
            texts.append(String(decoding: bytes, as: UTF8.self))
            object = try nextObject(after: current, in: context)
        }
        return texts
    }
}
