import HeadraceColumnar
import HeadraceCore
import HeadraceDigests

/// How the key of a dimension or fact is made from columns of its row.
public struct SurrogateKey: Sendable, Hashable {
    enum Method: Sendable, Hashable {
        case md5
        case column
    }

    let method: Method
    let columns: [String]

    /// The lower-case hex MD5 of the columns' text, one after the other without separators; dates as `YYYY-MM-DD`.
    public static func md5(of columns: String...) -> SurrogateKey { SurrogateKey(method: .md5, columns: columns) }

    /// A column of the row that is the key already.
    public static func column(_ name: String) -> SurrogateKey { SurrogateKey(method: .column, columns: [name]) }

    /// The type of the keys, given the rows they are made from.
    func type(over schema: Schema) throws -> DataType {
        for name in columns where schema[name] == nil {
            throw HeadraceError(
                .schemaMismatch, "a key needs column \"\(name)\"",
                fields: [("columns", schema.names.joined(separator: ", "))])
        }
        return method == .md5 ? .utf8 : schema[columns[0]]?.type ?? .utf8
    }

    /// The keys of all rows; null where a part is null.
    func keys(of rows: RecordBatch) throws -> ColumnVector {
        let parts = try columns.map { name in
            guard let column = rows[name] else {
                throw HeadraceError(.schemaMismatch, "a key needs column \"\(name)\"")
            }
            return column
        }
        guard method == .md5 else { return parts[0] }
        let texts = try parts.map { part in
            part.type == .utf8 ? Kernels.decoded(part) : Kernels.decoded(try Kernels.cast(part, to: .utf8).column)
        }
        return try withExtendedLifetime(texts) { try Self.hashes(texts.map(\.unsafeView), count: rows.count) }
    }

    private static func hashes(_ texts: [UnsafeColumnView], count: Int) throws -> ColumnVector {
        let builder = BytesBuilder(.utf8, capacity: count, bytesPerValue: 32)
        var digest = try MD5()
        let raw = UnsafeMutableRawPointer.allocate(byteCount: MD5.byteCount, alignment: 16)
        defer { raw.deallocate() }
        for row in 0..<count {
            guard texts.allSatisfy({ $0.isValid(row) }) else {
                builder.appendNull()
                continue
            }
            for text in texts { digest.update(text.bytes(row)) }
            digest.finish(into: raw)
            let target = builder.reserve(2 * MD5.byteCount)
            for index in 0..<MD5.byteCount {
                let byte = raw.load(fromByteOffset: index, as: UInt8.self)
                target.storeBytes(of: hexDigit(byte >> 4), toByteOffset: 2 * index, as: UInt8.self)
                target.storeBytes(of: hexDigit(byte & 15), toByteOffset: 2 * index + 1, as: UInt8.self)
            }
            builder.commit(2 * MD5.byteCount)
        }
        return builder.finish()
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
    }
}
