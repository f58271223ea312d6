/// The format strings of the Arrow C data interface.
enum ArrowFormat {
    /// The format of a type as it is exported, without its children.
    ///
    /// - Parameter widensDecimals: writes decimals of 64 bits as such of 128, for consumers that know no others.
    static func string(of type: DataType, widensDecimals: Bool) -> String {
        switch type {
        case .bool: "b"
        case .int8: "c"
        case .uint8: "C"
        case .int16: "s"
        case .uint16: "S"
        case .int32: "i"
        case .uint32: "I"
        case .int64: "l"
        case .uint64: "L"
        case .float32: "f"
        case .float64: "g"
        case .decimal(let precision, let scale):
            precision <= 18 && !widensDecimals ? "d:\(precision),\(scale),64" : "d:\(precision),\(scale)"
        case .utf8, .json: "u"
        case .binary: "z"
        case .date32: "tdD"
        case .time64: "ttu"
        case .timestamp(let zone): "tsu:\(zone ?? "")"
        case .list: "+l"
        case .struct: "+s"
        }
    }
}

/// The metadata of a field as the C data interface lays it out: counts and lengths as 32-bit integers before the bytes.
enum ArrowMetadata {
    static let extensionName = "ARROW:extension:name"
    static let extensionMetadata = "ARROW:extension:metadata"
    /// The canonical extension type of JSON text.
    static let json = "arrow.json"

    /// The bytes of `pairs` in the order of their keys, nil when there are none.
    static func encode(_ pairs: [String: String]) -> [UInt8]? {
        if pairs.isEmpty { return nil }
        var bytes: [UInt8] = []
        func append(_ count: Int) {
            withUnsafeBytes(of: Int32(truncatingIfNeeded: count)) { bytes.append(contentsOf: $0) }
        }
        append(pairs.count)
        for (key, value) in pairs.sorted(by: { $0.key < $1.key }) {
            for text in [key, value] {
                append(text.utf8.count)
                bytes.append(contentsOf: text.utf8)
            }
        }
        return bytes
    }

    /// The pairs at `base`; a repeated key keeps its last value. Lengths are trusted, as the interface has no others.
    static func decode(_ base: UnsafeRawPointer?) -> [String: String] {
        guard let base else { return [:] }
        var at = base
        func number() -> Int {
            defer { at += 4 }
            return Int(at.loadUnaligned(as: Int32.self))
        }
        func text() -> String {
            let count = max(number(), 0)
            defer { at += count }
            return String(decoding: UnsafeRawBufferPointer(start: at, count: count), as: UTF8.self)
        }
        var pairs: [String: String] = [:]
        for _ in 0..<max(number(), 0) {
            let key = text()
            pairs[key] = text()
        }
        return pairs
    }
}
