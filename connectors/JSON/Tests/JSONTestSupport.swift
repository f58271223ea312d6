import HeadraceColumnar
import HeadraceCore
import HeadraceFiles
import HeadraceTesting
import Synchronization

@testable import HeadraceJSON

/// SplitMix64: the same numbers for the same seed on every machine.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Objects in memory, read in pieces of random sizes.
struct TestBytes: ResumableByteSource {
    let name = "memory"
    let objects: [(name: String, bytes: [UInt8])]
    var seed: UInt64 = 1
    var contentType: String?

    init(_ text: String, name: String = "data.json", contentType: String? = nil, seed: UInt64 = 1) {
        self.init([(name, Array(text.utf8))], contentType: contentType, seed: seed)
    }

    init(_ objects: [(name: String, bytes: [UInt8])], contentType: String? = nil, seed: UInt64 = 1) {
        self.objects = objects
        self.contentType = contentType
        self.seed = seed
    }

    func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        let index = previous.flatMap { last in objects.firstIndex { $0.name == last.name } }.map { $0 + 1 } ?? 0
        guard index < objects.count else { return nil }
        let object = objects[index]
        return ByteObject(
            name: object.name, byteCount: object.bytes.count, identity: "\(object.bytes.count)",
            contentType: contentType)
    }

    func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        let bytes = objects.first { $0.name == object.name }?.bytes ?? []
        return TestReader(bytes, at: offset, seed: seed)
    }
}

final class TestReader: ByteReader {
    private struct State {
        var place: Int
        var random: Seeded
    }
    private let bytes: [UInt8]
    private let state: Mutex<State>

    init(_ bytes: [UInt8], at offset: Int = 0, seed: UInt64 = 1) {
        self.bytes = bytes
        state = Mutex(State(place: offset, random: Seeded(seed)))
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        state.withLock { state in
            let left = min(buffer.count, bytes.count - state.place)
            guard left > 0 else { return 0 }
            let count = Int.random(in: 1...left, using: &state.random)
            for index in 0..<count { buffer[index] = bytes[state.place + index] }
            state.place += count
            return count
        }
    }

    func close() {}
}

/// Everything that a source gave.
struct Reading {
    var schema: Schema
    var rows: [[Scalar]] = []
    var places: [Place] = []
    var originals: [String] = []
    var rejects: [Reject] = []
    var batches: [Batch] = []
    var positions: [Position] = []
    /// Rows and rejects up to each position.
    var counts: [Int] = []
}

extension JSONFormat {
    /// The same format with chunks of about so many bytes.
    func chunked(_ bytes: Int) -> JSONFormat {
        var copy = self
        copy.chunkBytes = bytes
        return copy
    }
}

extension Source where Self: Sendable {
    func readAll(from position: Position? = nil, in context: RunContext = RunContext.testing()) async throws -> Reading
    {
        let schema = try await schema(in: context)
        var reading = Reading(schema: schema)
        let reader = try await openReader(for: schema, from: position, in: context)
        var sequence: UInt64 = 0
        do {
            while case .chunk(let chunk, let position) = try await reader.next() {
                let batch = try reader.decode(chunk, sequence: sequence)
                sequence += 1
                guard batch.recordsRead == batch.count + batch.rejects.count else {
                    throw HeadraceError(.accountMismatch, "\(batch.recordsRead) records, \(batch.count) rows")
                }
                for row in 0..<batch.count {
                    reading.rows.append(batch.records.row(at: row))
                    reading.places.append(batch.provenance.place(of: row))
                    reading.originals.append(
                        String(decoding: batch.provenance.original(of: row) ?? [], as: UTF8.self))
                }
                reading.rejects += batch.rejects
                reading.batches.append(batch)
                reading.positions.append(position)
                reading.counts.append(reading.rows.count + reading.rejects.count)
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
        return reading
    }
}

/// Rows of a text.
func read(
    _ text: String, _ format: JSONFormat = JSONFormat(), schema: Schema? = nil, seed: UInt64 = 1,
    contentType: String? = nil
) async throws -> Reading {
    try await FormatSource(
        TestBytes(text, contentType: contentType, seed: seed), format, codecs: [], declared: schema
    ).readAll()
}

/// What inference finds in a text.
func describe(_ text: String, _ format: JSONFormat = JSONFormat(), isWhole: Bool = true, name: String? = nil) throws
    -> FormatDescription
{
    try format.describe(
        ByteSample(
            object: ByteObject(name: "data.json", byteCount: nil, identity: "", contentType: name),
            bytes: Array(text.utf8), isWhole: isWhole))
}

/// The error that `body` throws.
func failure(_ body: () async throws -> Void) async -> HeadraceError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? HeadraceError ?? HeadraceError(.unexpected, "\(error)")
    }
}

func decimal(_ text: String) -> Scalar { DecimalValue(text).map(Scalar.decimal) ?? .null }

/// Keeps the values of logged fields.
final class Logged: Sendable {
    private let kept = Mutex<[String]>([])
    var log: EventLog { EventLog { _, _, fields in self.kept.withLock { $0 += fields.map(\.value) } } }
    var fields: [String] { kept.withLock { $0 } }
}
