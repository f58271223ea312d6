import HeadraceCore
import Synchronization

/// Hands the chunks of a reader to workers, one caller at a time, numbered in source order.
///
/// - Invariant (`@unchecked Sendable`): stored properties are touched under `condition` only.
final class Feed<Reader: SourceReader>: @unchecked Sendable {
    private let reader: Reader
    private let clock: any RunClock
    private let condition = Condition()
    private var number: UInt64 = 0
    private var ended = false

    init(_ reader: Reader, clock: any RunClock) {
        self.reader = reader
        self.clock = clock
    }

    /// A chunk with its number, the position after it and the nanoseconds that cutting it took.
    struct Piece {
        let chunk: Reader.Chunk
        let number: UInt64
        let position: Position
        let nanoseconds: Int64
    }

    /// The next chunk, nil at the end.
    func next() throws -> Piece? {
        condition.lock()
        defer { condition.unlock() }
        if ended { return nil }
        // Waiting for other workers is no work of this step.
        let began = clock.monotonic()
        do {
            guard case .chunk(let chunk, let position) = try read() else {
                ended = true
                return nil
            }
            defer { number += 1 }
            return Piece(
                chunk: chunk, number: number, position: position, nanoseconds: clock.monotonic() - began)
        } catch {
            ended = true
            throw error
        }
    }

    private func read() throws -> Read<Reader.Chunk> {
        if let local = reader as? any SynchronousSourceReader { return try Self.readNow(local) }
        let reader = self.reader
        return try BlockingWork.wait { try await reader.next() }
    }

    private static func readNow<Local: SynchronousSourceReader>(_ reader: Local) throws -> Read<Reader.Chunk> {
        switch try reader.nextNow() {
        case .chunk(let chunk, let position):
            guard let same = chunk as? Reader.Chunk else { preconditionFailure("a reader's chunk type changed") }
            return .chunk(same, position)
        case .end: return .end
        }
    }
}

/// Numbers from 0 up, each given out once.
final class PieceCounter: Sendable {
    private let given = Atomic<Int>(0)
    private let count: Int
    init(_ count: Int) { self.count = count }

    func next() -> Int? {
        let piece = given.wrappingAdd(1, ordering: .relaxed).oldValue
        return piece < count ? piece : nil
    }
}
