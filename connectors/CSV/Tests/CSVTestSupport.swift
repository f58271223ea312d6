import Glibc
import HeadraceColumnar
import HeadraceCore
import HeadraceFiles
import HeadraceTesting
import Synchronization

@testable import HeadraceCSV

/// Objects in memory, read in pieces of a given size.
struct MemoryFiles: ResumableByteSource {
    let name = "memory"
    let files: [(name: String, bytes: [UInt8])]
    let piece: Int

    init(_ files: [(name: String, bytes: [UInt8])], piece: Int = 1 << 20) {
        self.files = files
        self.piece = piece
    }

    func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        let index = previous.flatMap { seen in files.firstIndex { $0.name == seen.name } }.map { $0 + 1 } ?? 0
        guard index < files.count else { return nil }
        return ByteObject(name: files[index].name, byteCount: files[index].bytes.count, identity: "\(index)")
    }

    func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        guard let file = files.first(where: { $0.name == object.name }) else { throw HeadraceError(.notFound, "gone") }
        return PieceReader(Array(file.bytes.dropFirst(offset)), piece: piece)
    }
}

/// Gives bytes in pieces of at most `piece`.
final class PieceReader: ByteReader, @unchecked Sendable {
    // Invariant: used by one thread at a time.
    private let bytes: [UInt8]
    private let piece: Int
    private var place = 0

    init(_ bytes: [UInt8], piece: Int) {
        self.bytes = bytes
        self.piece = piece
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = min(buffer.count, piece, bytes.count - place)
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[place..<place + count])) }
        place += count
        return count
    }

    func close() {}
}

/// Everything a source gave.
struct Contents {
    var schema = Schema([])
    var rows: [[Scalar]] = []
    var places: [Place] = []
    var originals: [String] = []
    var rejects: [Reject] = []
    /// The position after each chunk, with the rows and rejects up to it.
    var positions: [(position: Position, rows: Int, rejects: Int)] = []

    /// The cells of a column as text, nil for null.
    func texts(_ column: Int) -> [String?] { rows.map { $0[column].isNull ? nil : $0[column].description } }
}

extension FormatSource {
    /// Reads to the end, from a position or the start.
    func contents(from position: Position? = nil, schema given: Schema? = nil) async throws -> Contents {
        let context = RunContext.testing()
        var contents = Contents()
        if let given { contents.schema = given } else { contents.schema = try await schema(in: context) }
        let reader = try await openReader(for: contents.schema, from: position, in: context)
        var sequence: UInt64 = 0
        while case .chunk(let chunk, let position) = try reader.nextNow() {
            let batch = try reader.decode(chunk, sequence: sequence)
            sequence += 1
            guard batch.recordsRead == batch.count + batch.rejects.count else {
                throw HeadraceError(.accountMismatch, "\(batch.recordsRead) read, \(batch.count) rows")
            }
            for row in 0..<batch.count {
                contents.rows.append(batch.records.row(at: row))
                contents.places.append(batch.provenance.place(of: row))
                contents.originals.append(
                    String(decoding: batch.provenance.original(of: row) ?? [], as: UTF8.self))
            }
            contents.rejects += batch.rejects
            contents.positions.append((position, contents.rows.count, contents.rejects.count))
        }
        await reader.close()
        return contents
    }
}

/// A source over one text.
func csv(
    _ text: String, _ options: CSVOptions = CSVOptions(), schema: Schema? = nil, chunk: Int = 256 << 10,
    record: Int = 16 << 20, piece: Int = 1 << 20
) -> FormatSource<MemoryFiles, CSVFormat> {
    csv([("a.csv", Array(text.utf8))], options, schema: schema, chunk: chunk, record: record, piece: piece)
}

func csv(
    _ files: [(name: String, bytes: [UInt8])], _ options: CSVOptions = CSVOptions(), schema: Schema? = nil,
    chunk: Int = 256 << 10, record: Int = 16 << 20, piece: Int = 1 << 20
) -> FormatSource<MemoryFiles, CSVFormat> {
    var format = CSVFormat(options)
    format.limits = CSVLimits(chunkBytes: chunk, maximumRecordBytes: record)
    return FormatSource(MemoryFiles(files, piece: piece), format, codecs: StandardCodecs.all, declared: schema)
}

/// A schema of text columns.
func texts(_ names: String...) -> Schema { Schema(names.map { Field($0, .utf8) }) }

/// Random numbers of a seed.
struct Seeded: RandomNumberGenerator {
    private let random: RunRandom
    init(_ seed: UInt64) { random = RunRandom(seed: seed) }
    mutating func next() -> UInt64 { random.next() }
}

/// The straightforward reading of RFC 4180 with the rules of `CSVFormat`, one character after the other: every record as
/// its fields (nil for an unquoted empty one), or nil where the record is malformed.
func naiveRecords(_ text: [UInt8], delimiter: UInt8 = 0x2C) -> [[[UInt8]?]?] {
    var records: [[[UInt8]?]?] = []
    var place = 0
    while place < text.count {
        var fields: [[UInt8]?] = []
        var isMalformed = false
        let start = place
        while true {
            var field: [UInt8] = []
            var isQuoted = false
            if place < text.count, text[place] == 0x22 {
                isQuoted = true
                place += 1
                var isClosed = false
                while place < text.count {
                    if text[place] == 0x22 {
                        if place + 1 < text.count, text[place + 1] == 0x22 {
                            field.append(0x22)
                            place += 2
                            continue
                        }
                        isClosed = true
                        place += 1
                        break
                    }
                    field.append(text[place])
                    place += 1
                }
                if !isClosed { isMalformed = true }
            }
            while place < text.count, text[place] != delimiter, text[place] != 0x0A, text[place] != 0x0D {
                if isQuoted { isMalformed = true }
                field.append(text[place])
                place += 1
            }
            fields.append(field.isEmpty && !isQuoted ? nil : field)
            guard place < text.count, text[place] == delimiter else { break }
            place += 1
        }
        let isBlank = place == start
        if place < text.count {
            let isPair = text[place] == 0x0D && place + 1 < text.count && text[place + 1] == 0x0A
            place += isPair ? 2 : 1
        }
        if !isBlank { records.append(isMalformed ? nil : fields) }
    }
    return records
}

/// Lines added by any thread.
final class LockedLines: Sendable {
    private let state = Mutex<[String]>([])
    func append(_ line: String) { state.withLock { $0.append(line) } }
    var lines: [String] { state.withLock { $0 } }
}
